/* SPDX-License-Identifier: Apache-2.0 */
#define Py_BUILD_CORE 1
#include "preconfig.h"

#include "snapshot_objects.h"
#include "sys_flags.h"

#include <internal/pycore_runtime.h>
#include <langinfo.h>
#include <locale.h>
#include <string.h>

void
pexcz_preconfig_get(PyPreConfig *ret)
{
    *ret = _PyRuntime.preconfig;
}

bool
pexcz_preconfig_is_utf8(const PyPreConfig *config)
{
    return config->utf8_mode != 0
           || strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

bool
pexcz_preconfig_has_utf8_locale(void)
{
    const char *name = setlocale(LC_CTYPE, NULL);
    const char *dot = name != NULL ? strchr(name, '.') : NULL;

    return dot != NULL && strcspn(dot, "@") == 6
           && strncmp(dot, ".UTF-8", 6) == 0
           && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* As get_stdio_errors() of initconfig.c has it (PEP 538, PEP 540). */
const char *
pexcz_preconfig_stdio_errors(const PyPreConfig *config)
{
    static const char *const lenient[]
        = {"C", "POSIX", "C.UTF-8", "C.utf8", "UTF-8"};
    const char *locale = setlocale(LC_CTYPE, NULL);

    if (config->utf8_mode != 0) {
        return "surrogateescape";
    }
    for (size_t i = 0;
         locale != NULL && i < sizeof(lenient) / sizeof(lenient[0]); i++) {
        if (strcmp(locale, lenient[i]) == 0) {
            return "surrogateescape";
        }
    }
    return "strict";
}

int
pexcz_preconfig_put(const PyPreConfig *config)
{
    bool same = pexcz_snapshot_objects.utf8_mode == config->utf8_mode;

    _PyRuntime.preconfig = *config;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    Py_UTF8Mode = config->utf8_mode;
#pragma GCC diagnostic pop
    return same ? 0 : pexcz_set_sys_flag("utf8_mode", config->utf8_mode);
}
