/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole file, mapped read-only.
 */
#ifndef PEXCZ_FILE_MAP_H
#define PEXCZ_FILE_MAP_H

#include "error.h"
#include "slice.h"

/*
 * Maps `path`; messages name it.  CORRUPT when it is no regular file or
 * empty, IO with errno when it cannot be read.  The caller gives *ret to
 * pexcz_file_unmap().
 */
PEXCZ_MUST_USE int pexcz_file_map(const char *path, struct pexcz_slice *ret,
                                  struct pexcz_error *err);

/* The same for an open descriptor, which stays the caller's; `path` is its
 * name in messages. */
PEXCZ_MUST_USE int pexcz_file_map_fd(int fd, const char *path,
                                     struct pexcz_slice *ret,
                                     struct pexcz_error *err);

/* Accepts an empty slice. */
void pexcz_file_unmap(struct pexcz_slice *map);

#endif
