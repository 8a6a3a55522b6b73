/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in a packed file: files, modules, distributions and what they take,
 * ready to be printed.
 *
 * Identical contents are stored once.  An entry tells the bytes that its
 * content takes in the blob; sums count them with the first entry that has
 * them, so that they add up to what is really there.
 */
#ifndef PEXCZ_INSPECTION_H
#define PEXCZ_INSPECTION_H

#include "arena.h"
#include "packed_file.h"

/* No distribution: user code, or the standard library. */
#define PEXCZ_NO_DISTRIBUTION SIZE_MAX

struct pexcz_sums {
    uint32_t files; /* all but directories */
    uint32_t modules;
    uint64_t size;   /* bytes of the contents, bytecode included */
    uint64_t stored; /* bytes that they take */
};

/* A content or bytecode. */
struct pexcz_stored {
    uint64_t size;
    uint64_t stored;
    enum pexcz_storage storage;
    bool again; /* an entry before it has the same */
};

struct pexcz_inspected {
    const char *path;
    struct pexcz_entry entry;
    enum pexcz_part part;
    struct pexcz_stored content; /* files and links */
    const char *link;            /* target; NULL: no link */
    bool is_module;
    bool has_code;
    struct pexcz_module module;
    const char *module_name; /* dotted; NULL: in no folder of sys.path */
    struct pexcz_stored code;
    size_t distribution; /* index or PEXCZ_NO_DISTRIBUTION */
};

struct pexcz_inspected_dist {
    const char *name;
    const char *version;
    const char *info; /* path of the .dist-info folder */
    struct pexcz_sums sums;
};

/* A row of a distribution's RECORD. */
struct pexcz_recorded {
    const char *path; /* under the root */
    const char *hash; /* "" if missing */
    size_t dist;
};

struct pexcz_inspection {
    const struct pexcz_packed_file *file;
    struct pexcz_arena arena;
    struct pexcz_inspected *entries; /* as pexcz_tree_walk() goes */
    size_t entry_count;
    size_t entry_cap;
    struct pexcz_inspected_dist *dists; /* in order of their folders */
    size_t dist_count;
    size_t dist_cap;
    struct pexcz_recorded *recorded; /* of all, in order of their paths */
    size_t recorded_count;
    size_t recorded_cap;
    struct pexcz_sums other; /* of no distribution */
    struct pexcz_sums total;
    uint64_t program; /* bytes of the file that are in no blob */
};

/*
 * Verifies the blobs and reads them; `all` as in pexcz_packed_file_tree().
 * `file` must outlive *ret; the caller gives *ret to pexcz_inspection_done(),
 * also after a failure.
 */
PEXCZ_MUST_USE int pexcz_inspection_read(const struct pexcz_packed_file *file,
                                         bool all,
                                         struct pexcz_inspection *ret,
                                         struct pexcz_error *err);
void pexcz_inspection_done(struct pexcz_inspection *inspection);

#endif
