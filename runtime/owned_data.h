/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The static data that belongs to Python and its libraries, in two ranges of
 * whole pages: what has values in the file (.hot_data, .data, .PyRuntime) and
 * what begins as zeros (.bss).  What the process itself owns (the vfs, the
 * blobs, this runtime) is linked outside of them.
 *
 * A snapshot stores these pages.  A word that ld.so relocated or a constructor
 * set (addresses of libc, CPU features) keeps the value of the process that is
 * restored.
 */
#ifndef PEXCZ_OWNED_DATA_H
#define PEXCZ_OWNED_DATA_H

#include "buf.h"

#define PEXCZ_OWNED_ANCHORS 4

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

/* Appends the table `kept` of snapshot_format.h. */
PEXCZ_MUST_USE int pexcz_owned_kept(const struct pexcz_owned_copies *copies,
                                    struct pexcz_buf *out,
                                    struct pexcz_error *err);

/* Whether all that the tables name is owned data. */
bool pexcz_owned_check(struct pexcz_slice kept, struct pexcz_slice pages);

/* Puts the pages of checked tables in place; `snapshot` is where the
 * snapshot is mapped, `pages` its table of page runs. */
void pexcz_owned_apply(struct pexcz_slice kept, struct pexcz_slice pages,
                       const void *snapshot);

#endif
