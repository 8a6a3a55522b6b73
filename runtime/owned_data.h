/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The static data that belongs to Python and its libraries: .data and .bss
 * between the marks of the link, and _PyRuntime.  What the process itself
 * owns (the vfs, the blobs, this runtime) is linked outside of them.
 *
 * A snapshot stores the words that the start of Python and the imports
 * changed, so a word that ld.so relocated or a constructor set (addresses of
 * libc, CPU features) keeps the value of the process that is restored.
 */
#ifndef PEXCZ_OWNED_DATA_H
#define PEXCZ_OWNED_DATA_H

#include "buf.h"

#define PEXCZ_OWNED_ANCHORS 6

/* The bounds of the ranges, by which a snapshot knows its executable. */
void pexcz_owned_anchors(uint64_t ret[PEXCZ_OWNED_ANCHORS]);

/* Appends a copy of all owned data: before Python is touched, then once it is
 * preinitialised (which a process that is restored does as well). */
PEXCZ_MUST_USE int pexcz_owned_copy(struct pexcz_buf *out,
                                    struct pexcz_error *err);

/* Appends the table `delta` of snapshot_format.h: the words that differ from
 * either copy. */
PEXCZ_MUST_USE int pexcz_owned_delta(struct pexcz_slice before,
                                     struct pexcz_slice preinitialised,
                                     struct pexcz_buf *out,
                                     struct pexcz_error *err);

/* Whether every run lies in owned data. */
bool pexcz_owned_check(struct pexcz_slice delta);

/* Lays a checked table over the owned data. */
void pexcz_owned_apply(struct pexcz_slice delta);

#endif
