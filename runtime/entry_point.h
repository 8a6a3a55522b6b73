/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the application's entry point in an initialised interpreter.
 */
#ifndef PEXCZ_ENTRY_POINT_H
#define PEXCZ_ENTRY_POINT_H

#include <Python.h>

#include "command.h"

/* What PEX_MODULE or PEX_SCRIPT name, else the command that was chosen, else
 * what the PEX has.  0, or -1 with an
 * exception, which may be SystemExit. */
int pexcz_run_entry_point(const struct pexcz_blob *app,
                          const struct pexcz_command *command,
                          const struct pexcz_pex_variables *variables);

#endif
