/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of PEX_* variables: the environment's, else those of Pex's rc files
 * (/etc/pexrc, ~/.pexrc, .pexrc beside the program), a later file before an
 * earlier one.
 */
#ifndef PEXCZ_PEX_RC_H
#define PEXCZ_PEX_RC_H

#include "error.h"

#include <stddef.h>

#define PEXCZ_MAX_RC_VALUES 64

struct pexcz_pex_rc {
    struct {
        char *name; /* on the heap, for good */
        char *value;
    } items[PEXCZ_MAX_RC_VALUES];
    size_t count;
};

/* Lines that are not NAME=VALUE with exactly one '=' and files that cannot be
 * read do not count, as in Pex. */
PEXCZ_MUST_USE int pexcz_pex_rc_read(const char *program,
                                     struct pexcz_pex_rc *ret,
                                     struct pexcz_error *err);

/* NULL: neither in the environment nor in a file. */
const char *pexcz_pex_rc_get(const struct pexcz_pex_rc *rc, const char *name);

#endif
