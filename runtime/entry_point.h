/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the application's entry point in an initialised interpreter.
 */
#ifndef PEXCZ_ENTRY_POINT_H
#define PEXCZ_ENTRY_POINT_H

#include <Python.h>

#include "blob_reader.h"
#include "pex_variables.h"

/* What PEX_MODULE or PEX_SCRIPT name, else what the PEX has.  0, or -1 with an
 * exception, which may be SystemExit. */
int pexcz_run_entry_point(const struct pexcz_blob *app,
                          const struct pexcz_pex_variables *variables);

#endif
