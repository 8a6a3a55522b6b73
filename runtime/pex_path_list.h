/* SPDX-License-Identifier: Apache-2.0 */
/* A variable that holds paths joined by ':', as Pex reads it. */
#ifndef PEXCZ_PEX_PATH_LIST_H
#define PEXCZ_PEX_PATH_LIST_H

#include "error.h"

/*
 * Each part of `text` with a home for its '~' (posixpath.expanduser), without
 * needless slashes and dots (normpath; an empty part is "."), and each once.
 * *ret is owned.  NOMEM.
 */
PEXCZ_MUST_USE int pexcz_pex_path_list(const char *text, char **ret,
                                       struct pexcz_error *err);

#endif
