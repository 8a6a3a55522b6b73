/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A base before it is run and copied: whole, for this machine, made by this
 * version of pexcz, and without an application.  What is wrong with it later
 * would be wrong with every file that is packed on it.
 */
#ifndef PEXCZ_CHECK_BASE_H
#define PEXCZ_CHECK_BASE_H

#include "error.h"

/* IO, UNSUPPORTED or CORRUPT; the message begins with the path. */
PEXCZ_MUST_USE int pexcz_check_base(const char *path, struct pexcz_error *err);

#endif
