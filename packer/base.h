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

/* In the tree of a base: a JSON list of CycloneDX components, and the licences
 * of what is linked in, CPython excepted (stdlib-blob/components.py). */
#define PEXCZ_BASE_DOCUMENTS "share/pexcz"
#define PEXCZ_BASE_COMPONENTS "components.json"
#define PEXCZ_BASE_LICENSES "licenses.txt"

struct pexcz_base_options {
    const char *elf;       /* the linked executable without a blob */
    const char *install;   /* install/ of the Python distribution */
    const char *documents; /* folder with the PEXCZ_BASE_… files below */
    const char *python;    /* a Python of the same version, which compiles */
    const char *output;
    const char *hot_list; /* file with modules to store raw, one per line */
};

PEXCZ_MUST_USE int pexcz_base_build(const struct pexcz_base_options *options,
                                    struct pexcz_error *err);

#endif
