/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `pexcz inspect`, `pexcz extract` and `pexcz verify`: what a packed file
 * holds.
 */
#ifndef PEXCZ_INSPECT_H
#define PEXCZ_INSPECT_H

#include "error.h"

#include <stdbool.h>

struct pexcz_inspect_options {
    const char *file;
    bool all;  /* with the standard library */
    bool json;
};

/* Prints entries with sizes, then totals, on stdout. */
PEXCZ_MUST_USE int
pexcz_inspect(const struct pexcz_inspect_options *options,
              struct pexcz_error *err);

/* Checks every byte of the blobs. */
PEXCZ_MUST_USE int pexcz_verify(const char *file, struct pexcz_error *err);

/*
 * Writes the tree into the folder `dir`, which must not exist: it appears
 * complete or not at all.  Modes and times are those of the tree.
 */
PEXCZ_MUST_USE int pexcz_extract(const char *file, const char *dir, bool all,
                                 struct pexcz_error *err);

#endif
