/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `pexcz pack`: a PEX becomes an executable.
 */
#ifndef PEXCZ_PACK_H
#define PEXCZ_PACK_H

#include "options.h"

/* Prints progress, warnings and the summary line; the error is left to the
 * caller. */
PEXCZ_MUST_USE int pexcz_pack(const struct pexcz_pack_options *options,
                              struct pexcz_error *err);

#endif
