/* SPDX-License-Identifier: Apache-2.0 */
#include "pex_variables.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define NAME_PREFIX "PEX_"

static int
read_text(const char *name, char **ret, struct pexcz_error *err)
{
    const char *value = getenv(name);

    *ret = NULL;
    if (value == NULL || value[0] == '\0') {
        return PEXCZ_OK;
    }
    *ret = strdup(value);
    return *ret != NULL ? PEXCZ_OK
                        : pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
}

static int
read_boolean(const char *name, bool *ret, struct pexcz_error *err)
{
    const char *value = getenv(name);

    *ret = false;
    if (value == NULL || value[0] == '\0' || strcmp(value, "0") == 0
        || strcasecmp(value, "false") == 0) {
        return PEXCZ_OK;
    }
    if (strcmp(value, "1") == 0 || strcasecmp(value, "true") == 0) {
        *ret = true;
        return PEXCZ_OK;
    }
    return pexcz_fail(err, PEXCZ_E_USAGE, 0,
                      "%s must be 0, 1, true or false, not '%.100s'", name,
                      value);
}

int
pexcz_pex_variables_read(struct pexcz_pex_variables *ret,
                         struct pexcz_error *err)
{
    const struct {
        const char *name;
        char **value;
    } texts[] = {
        {"PEX_MODULE", &ret->module},
        {"PEX_SCRIPT", &ret->script},
        {"PEX_EXTRA_SYS_PATH", &ret->extra_sys_path},
    };
    int rc = read_boolean("PEX_INTERPRETER", &ret->interpreter, err);

    for (size_t i = 0; rc == PEXCZ_OK && i < sizeof(texts) / sizeof(texts[0]);
         i++) {
        rc = read_text(texts[i].name, texts[i].value, err);
    }
    if (rc == PEXCZ_OK && !ret->interpreter && ret->module != NULL
        && ret->script != NULL) {
        rc = pexcz_fail(err, PEXCZ_E_USAGE, 0,
                        "PEX_MODULE and PEX_SCRIPT cannot both be set");
    }
    return rc;
}

void
pexcz_pex_variables_strip(void)
{
    char **p = environ;

    while (p != NULL && *p != NULL) {
        char name[256];
        size_t n = strcspn(*p, "=");

        if (strncmp(*p, NAME_PREFIX, strlen(NAME_PREFIX)) != 0
            || n >= sizeof(name)) {
            p++;
            continue;
        }
        memcpy(name, *p, n);
        name[n] = '\0';
        (void)unsetenv(name); /* moves the later ones down */
    }
}
