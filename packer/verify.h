/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `pexcz verify`: every byte of what was packed, each distribution against its
 * RECORD, and the signature of the whole file.
 */
#ifndef PEXCZ_VERIFY_H
#define PEXCZ_VERIFY_H

#include "options.h"

/* Says on stdout, unless quiet, what was found intact; the caller flushes. */
PEXCZ_MUST_USE int pexcz_verify(const struct pexcz_file_options *options,
                                struct pexcz_error *err);

#endif
