/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Relocates a library that lies at its address of the image.
 */
#ifndef PEXCZ_LIBRARY_RELOCATE_H
#define PEXCZ_LIBRARY_RELOCATE_H

#include "library_elf.h"
#include "snapshot_format.h"

/* As ld.so does it: the executable and libc come before the library's own
 * symbols.  NULL, or why that is not possible.  Words that only the process
 * can know are noted (library_state.h). */
const char *
pexcz_library_relocate(const struct pexcz_library_elf *file,
                       const struct pexcz_snapshot_library *library);

/* What dlsym(RTLD_DEFAULT, name) is for a library of the image: an address
 * that is the same in every process, which must have the function.  NULL when
 * there is none. */
void *pexcz_library_constant(const char *name);

/* Runs its constructors; NULL, or why not.  Where they keep main()'s
 * arguments is noted. */
const char *
pexcz_library_construct(const struct pexcz_library_elf *file,
                        const struct pexcz_snapshot_library *library);

#endif
