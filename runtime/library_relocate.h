/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Relocates a library that lies at its address of the image.
 */
#ifndef PEXCZ_LIBRARY_RELOCATE_H
#define PEXCZ_LIBRARY_RELOCATE_H

#include "library_scope.h"
#include "snapshot_format.h"

/* Library `number`, as ld.so does it: the executable and libc come before the
 * scope.  NULL, or why that is not possible.  Words that only the process can
 * know are noted (library_state.h). */
const char *pexcz_library_relocate(size_t number,
                                   const struct pexcz_library_scope *scope);

/* What dlsym(RTLD_DEFAULT, name) is for a library of the image: an address
 * that is the same in every process, which must have the function.  NULL when
 * there is none. */
void *pexcz_library_constant(const char *name);

#endif
