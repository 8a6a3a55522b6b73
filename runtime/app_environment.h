/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment that an application of a PEX runs in.
 */
#ifndef PEXCZ_APP_ENVIRONMENT_H
#define PEXCZ_APP_ENVIRONMENT_H

#include "pex_variables.h"
#include "tree.h"

/*
 * Before Python starts: drops PEX_* (if the PEX says so), sets PEX to
 * `executable` (as in sys.executable), what the PEX injects, unless it is set,
 * the resource paths that it binds, PYTHONPATH for children if there are extra
 * paths, and PATH if its scripts are to be on it. Errors: NOMEM, NOT_FOUND (a
 * resource), CORRUPT.
 */
PEXCZ_MUST_USE int
pexcz_app_environment(const struct pexcz_blob *app,
                      const struct pexcz_pex_variables *variables,
                      const char *executable, struct pexcz_error *err);

/* `text` with {pex.env.NAME} replaced by the variable's value ("" if unset)
 * and doubled braces halved; on the heap, NULL when memory is gone. */
char *pexcz_expand_placeholders(struct pexcz_slice text);

#endif
