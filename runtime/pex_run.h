/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What PEX_* variables ask for between Python's start and the entry point.
 */
#ifndef PEXCZ_PEX_RUN_H
#define PEXCZ_PEX_RUN_H

#include "command.h"

/* Whether the snapshot, which was made without any of them, may be used. */
bool pexcz_pex_is_ordinary(const struct pexcz_pex_variables *variables);

/* Adds inherited paths and PEX_PATH to sys.path.  0, or -1 with an exception,
 * which may be SystemExit. */
int pexcz_pex_setup(const struct pexcz_pex_variables *variables);

/* The same for the application's Python, and gives its prompt behind a program
 * (-i) a history. */
int pexcz_pex_prompt_setup(const struct pexcz_pex_variables *variables);

/* Whether the application's Python was given nothing to run. */
bool pexcz_pex_will_prompt(void);

/* Pex's prompt, until its input ends; on a terminal or not.  0, or -1 with an
 * exception, which may be SystemExit. */
int pexcz_pex_prompt(const struct pexcz_blob *app,
                     const struct pexcz_pex_variables *variables,
                     const char *executable);

/*
 * Runs PEX_TOOLS or the application, measured if that is asked for.
 * `executable`: the program's path.  0, or -1 with an exception, which may be
 * SystemExit.
 */
int pexcz_pex_run(const struct pexcz_blob *app,
                  const struct pexcz_command *command,
                  const struct pexcz_pex_variables *variables,
                  const char *executable);

#endif
