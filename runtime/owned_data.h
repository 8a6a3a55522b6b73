/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The static data that belongs to Python and its libraries: .data and .bss
 * between the marks of the link, .hot_data and _PyRuntime.  What the process
 * itself owns (the vfs, the blobs, this runtime) is linked outside of them.
 *
 * A snapshot stores its whole pages, and the changed words of the others.  A
 * word that ld.so relocated or a constructor set (addresses of libc, CPU
 * features) keeps the value of the process that is restored.
 */
#ifndef PEXCZ_OWNED_DATA_H
#define PEXCZ_OWNED_DATA_H

#include "buf.h"

#define PEXCZ_OWNED_ANCHORS 8

/* The bounds of the ranges, by which a snapshot knows its executable. */
void pexcz_owned_anchors(uint64_t ret[PEXCZ_OWNED_ANCHORS]);

/* Copies of all owned data: as the file has it, before Python is touched, and
 * once Python is preinitialised (which a process that is restored does too).
 */
struct pexcz_owned_copies {
    struct pexcz_buf initial;
    struct pexcz_buf before;
    struct pexcz_buf preinitialised;
};

/* Appends a copy of the owned data as it is now. */
PEXCZ_MUST_USE int pexcz_owned_copy(struct pexcz_buf *out,
                                    struct pexcz_error *err);

/* Appends one of what the executable's file says. */
PEXCZ_MUST_USE int pexcz_owned_copy_file(struct pexcz_buf *out,
                                         struct pexcz_error *err);

/* The whole pages among them, [*ret_start, *ret_end) of range `i`; i below
 * PEXCZ_OWNED_ANCHORS / 2. */
void pexcz_owned_pages(size_t i, uint64_t *ret_start, uint64_t *ret_end);

/* Appends the tables `delta` and `kept` of snapshot_format.h. */
PEXCZ_MUST_USE int pexcz_owned_delta(const struct pexcz_owned_copies *copies,
                                     struct pexcz_buf *out,
                                     struct pexcz_error *err);
PEXCZ_MUST_USE int pexcz_owned_kept(const struct pexcz_owned_copies *copies,
                                    struct pexcz_buf *out,
                                    struct pexcz_error *err);

/* Whether all that the tables name is owned data. */
bool pexcz_owned_check(struct pexcz_slice delta, struct pexcz_slice kept,
                       struct pexcz_slice pages);

/* Puts pages and words of checked tables in place; `snapshot` is where the
 * snapshot is mapped, `pages` its table of page runs. */
void pexcz_owned_apply(struct pexcz_slice delta, struct pexcz_slice kept,
                       struct pexcz_slice pages, const void *snapshot);

#endif
