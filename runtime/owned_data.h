/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The static data that belongs to Python and its libraries, in two ranges of
 * whole pages: what has values in the file (.hot_data, .data, .PyRuntime) and
 * what begins as zeros (.bss).  What the process itself owns (the vfs, the
 * blobs, this runtime) is linked outside of them.
 *
 * A snapshot stores these pages.  Neither ld.so nor a constructor writes to
 * them (addresses of libc, CPU features), or a process that is restored would
 * have another one's words: the link (stdlib-blob/linker_script.py) puts all
 * that they write to outside.
 */
#ifndef PEXCZ_OWNED_DATA_H
#define PEXCZ_OWNED_DATA_H

#include "buf.h"

#define PEXCZ_OWNED_ANCHORS 4

/* The bounds of the ranges, by which a snapshot knows its executable. */
void pexcz_owned_anchors(uint64_t ret[PEXCZ_OWNED_ANCHORS]);

/* Before Python is touched: UNSUPPORTED when the data is not as the
 * executable's file has it. */
PEXCZ_MUST_USE int pexcz_owned_check_untouched(struct pexcz_error *err);

/* Whether [address, address + size) is a part of it. */
bool pexcz_owned_has(uint64_t address, uint64_t size);

/* Whether all pages below the blobs that the table names are owned data. */
bool pexcz_owned_check(struct pexcz_slice pages);

#endif
