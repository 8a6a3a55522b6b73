/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which other libraries a shared object asks for.
 */
#ifndef PEXCZ_ELF_NEEDED_H
#define PEXCZ_ELF_NEEDED_H

#include "slice.h"

struct pexcz_needed {
    const char *name;    /* DT_NEEDED, in the object's bytes */
    const char *runpath; /* DT_RUNPATH, else DT_RPATH, else NULL */
};

/* Cursor over the DT_NEEDED entries; zero-initialise. */
struct pexcz_needed_cursor {
    size_t index;
};

/*
 * The next dependency of the ELF64 shared object `bytes`; false at the end, or
 * where the file contradicts the format (ld.so will say so).
 */
bool pexcz_elf_next_needed(struct pexcz_slice bytes,
                           struct pexcz_needed_cursor *cursor,
                           struct pexcz_needed *ret);

#endif
