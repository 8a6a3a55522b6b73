/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the tree of a plan and its bytecode into a blob.
 *
 * How a content is stored:
 *   programs (ELF)                      raw at a multiple of 4096
 *   shared objects                      zstd, since they are copied into real
 *                                       files once; those of `raw` as programs
 *   bytecode of hot modules             raw: unmarshalled where it lies
 *   everything else                     zstd, raw where that saves nothing
 *
 * Contents are read and compressed on all cores and written in the order of
 * the plan, hot bytecode in front, so the bytes do not depend on the number of
 * cores.
 */
#ifndef PEXCZ_TREE_STORE_H
#define PEXCZ_TREE_STORE_H

#include "blob_writer.h"
#include "compile.h"
#include "library.h"

struct pexcz_tree_store {
    const struct pexcz_plan *plan;
    uint16_t machine; /* of the shared objects that count as such */
    const struct pexcz_compiled *compiled; /* plan->entry_count items */
    const bool *hot;                       /* likewise */
    const bool *raw;                       /* likewise, or NULL */
    /* Likewise, filled by write() for shared objects, the caller frees each;
     * or NULL: they are files like any other. */
    struct pexcz_library_info **libraries;
    /* Likewise, set by write(): the content is not what RECORD says. */
    bool *unrecorded;
    int level;            /* of zstd, 1..22 */
    unsigned int threads; /* at least 1 */
    /* Called after each step with bytes of content done and to do; or NULL. */
    void (*progress)(void *context, uint64_t done, uint64_t total);
    void *context;
};

/*
 * A dictionary for what will be compressed, or an empty one when there is too
 * little of it to pay.  The caller frees *ret.
 */
PEXCZ_MUST_USE int
pexcz_tree_store_dictionary(const struct pexcz_tree_store *store,
                            struct pexcz_buf *ret, struct pexcz_error *err);

/* `dict` is what the writer was made with. */
PEXCZ_MUST_USE int pexcz_tree_store_write(const struct pexcz_tree_store *store,
                                          struct pexcz_slice dict,
                                          struct pexcz_blob_writer *writer,
                                          struct pexcz_error *err);

#endif
