/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared objects loaded from memory files.
 *
 * There is no folder around such a file, so run paths lead nowhere: what an
 * object needs is opened together with it, by a stub (stub_library.h).
 */
#ifndef PEXCZ_LIBRARY_MEMORY_H
#define PEXCZ_LIBRARY_MEMORY_H

#include "library_set.h"

/*
 * dlmopen() for the first item.  NULL with dlerror() set when ld.so refused
 * it, NULL with *ret_code < 0 and err when it could not be asked.  Any thread.
 */
void *pexcz_library_memory_open(const struct pexcz_library_set *set, long list,
                                int mode, int *ret_code,
                                struct pexcz_error *err);

/* The path under the root of the object that has the real path `real`, or
 * NULL. */
const char *pexcz_library_memory_inner(const char *real);

/* Forgets which objects are loaded: another tree may have their paths. */
void pexcz_library_memory_forget(void);

#endif
