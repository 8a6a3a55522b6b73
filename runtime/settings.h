/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether this process is the application or a Python, and the application's
 * command line.
 */
#ifndef PEXCZ_SETTINGS_H
#define PEXCZ_SETTINGS_H

#include "blob_reader.h"

/*
 * A process is a plain interpreter, not the application, when there is no
 * application, when it was started under a path that begins with "//" (as
 * sys.executable does) or as python, python3, python3.11, or when
 * PEX_INTERPRETER is set to a true value (not in a set-uid process).  Running
 * the executable's own file with it is running the application again:
 * `subprocess.run([sys.executable, sys.argv[0]])`; *ret_skip is then 1, else
 * 0: the leading arguments to drop.
 */
bool pexcz_is_interpreter(bool has_app, int argc, char *const *argv,
                          int *ret_skip);

/* Whether the environment may be trusted: false in a set-uid process. */
bool pexcz_trusts_environment(void);

/*
 * The argument vector to configure Python with: program, interpreter options
 * of the PEX, "-", arguments that the PEX injects, the user's.  NULL when
 * memory is gone.  Never freed.
 */
char **pexcz_app_argv(const struct pexcz_blob *app, int argc,
                      char *const *argv, int *ret_argc);

/* Sets the variables that the PEX injects, unless set. */
int pexcz_app_environment(const struct pexcz_blob *app);

#endif
