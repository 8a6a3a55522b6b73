/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a base: the linked runtime plus the standard library's blob.
 *
 * Done once per Python version when pexcz itself is built (`pexcz base`);
 * packing then only appends.
 */
#ifndef PEXCZ_BASE_H
#define PEXCZ_BASE_H

#include "error.h"

struct pexcz_base_options {
    const char *elf;     /* the linked executable without a blob */
    const char *install; /* install/ of the Python distribution */
    const char *python;  /* a Python of the same version, which compiles */
    const char *output;
    const char *hot_list; /* file with modules to store raw, one per line */
};

PEXCZ_MUST_USE int pexcz_base_build(const struct pexcz_base_options *options,
                                    struct pexcz_error *err);

#endif
