/* SPDX-License-Identifier: Apache-2.0 */
/* What Python's preinitialisation found out about this process's locale. */
#ifndef PEXCZ_PRECONFIG_H
#define PEXCZ_PRECONFIG_H

#include <Python.h>

#include <stdbool.h>

/* Of the preinitialised runtime. */
void pexcz_preconfig_get(PyPreConfig *ret);

/* Whether Python reads and writes UTF-8 under it. */
bool pexcz_preconfig_is_utf8(const PyPreConfig *config);

/* Whether the locale is one of UTF-8, and its name says so as
 * locale.getlocale() does: of ".utf8" that is not sure. */
bool pexcz_preconfig_has_utf8_locale(void);

/* The error handler of stdin and stdout under it. */
const char *pexcz_preconfig_stdio_errors(const PyPreConfig *config);

/* Puts it into a running Python.  0, or -1 with an exception. */
int pexcz_preconfig_put(const PyPreConfig *config);

#endif
