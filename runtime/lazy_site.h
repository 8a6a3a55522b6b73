/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an imported `site` leaves behind, without importing it: `site` brings
 * `os` along, together a tenth of the start of a small program.
 */
#ifndef PEXCZ_LAZY_SITE_H
#define PEXCZ_LAZY_SITE_H

#include <Python.h>

#include "error.h"

/*
 * Adds exit, quit, copyright, credits, license and help to builtins, and to
 * sys.modules a `site` that is loaded when something looks into it, as if its
 * main() had been run.  Python must have been configured without site_import;
 * sys.flags.no_site is 0 afterwards, so that children that get this process's
 * flags (multiprocessing) run theirs.  0, or -1 with an exception.
 */
PEXCZ_MUST_USE int pexcz_lazy_site_install(void);

#endif
