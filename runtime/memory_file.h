/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files without a name, in memory, from which ld.so loads.
 */
#ifndef PEXCZ_MEMORY_FILE_H
#define PEXCZ_MEMORY_FILE_H

#include "error.h"
#include "slice.h"

#include <stddef.h>

/* Room for a path of pexcz_memory_file_path(). */
#define PEXCZ_MEMORY_PATH 256u

/* An empty one, close-on-exec and above the standard descriptors; `name` shows
 * in /proc/PID/maps.  -1 on failure. */
PEXCZ_MUST_USE int pexcz_memory_file(const char *name,
                                     struct pexcz_error *err);

/* No more changes. */
void pexcz_memory_file_seal(int fd);

/*
 * A path of the descriptor that was never given before: glibc takes two
 * libraries with the same path for one, even when the descriptor's number
 * means another file by now.
 */
PEXCZ_MUST_USE int pexcz_memory_file_path(int fd, char ret[PEXCZ_MEMORY_PATH],
                                          struct pexcz_error *err);

#endif
