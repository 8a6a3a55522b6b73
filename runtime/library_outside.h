/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Libraries of the system that libraries of the image need, beyond those that
 * every process has: libstdc++, libgcc_s, libz.  ld.so loads them.
 */
#ifndef PEXCZ_LIBRARY_OUTSIDE_H
#define PEXCZ_LIBRARY_OUTSIDE_H

#include "buf.h"

/* Whether every process has it: libc and what belongs to it. */
bool pexcz_library_is_of_libc(const char *name);

/* Opened, once.  `name` must stay where it is. */
bool pexcz_library_outside_open(const char *name);

/* What it, or a library that it needs, defines; NULL: nothing. */
void *pexcz_library_outside_find(const char *library, const char *name,
                                 const char *version);

/* The library's thread-local data: its number, and the offset in it of a
 * symbol that is found; false: it has none. */
bool pexcz_library_outside_tls(const char *library, const char *name,
                               const char *version, uint64_t *ret_module,
                               uint64_t *ret_offset);

/* Something of it is used that has to be there from the start.  `name` lies in
 * the application's blob.  While a snapshot is made. */
void pexcz_library_outside_require(const char *name);

/* The table `outside` of snapshot_format.h. */
PEXCZ_MUST_USE int pexcz_library_outside_write(struct pexcz_buf *out,
                                               struct pexcz_error *err);
/* Opens those of the table; false when one is not there. */
bool pexcz_library_outside_resume(struct pexcz_slice table);

#endif
