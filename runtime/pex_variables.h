/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PEX_* variables of the environment, as Pex's own boot understands them.
 */
#ifndef PEXCZ_PEX_VARIABLES_H
#define PEXCZ_PEX_VARIABLES_H

#include "error.h"

#include <stdbool.h>

/* Strings are the environment's until pexcz_pex_variables_read() copied them;
 * NULL: not set or empty.  They live as long as the process. */
struct pexcz_pex_variables {
    bool interpreter;     /* PEX_INTERPRETER */
    char *module;         /* PEX_MODULE: "mod" or "mod:attr" */
    char *script;         /* PEX_SCRIPT */
    char *extra_sys_path; /* PEX_EXTRA_SYS_PATH: paths joined by ':' */
};

/*
 * Errors: USAGE (a value that Pex refuses too), NOMEM.  A set-uid process
 * must not call it, but use a zeroed struct.
 */
PEXCZ_MUST_USE int pexcz_pex_variables_read(struct pexcz_pex_variables *ret,
                                            struct pexcz_error *err);

/* Unsets every variable whose name begins with "PEX_". */
void pexcz_pex_variables_strip(void);

#endif
