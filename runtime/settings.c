/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include "buf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/auxv.h>
#include <sys/stat.h>

static const char *
last_component(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

/* "python", "python3", "python3.11". */
static bool
is_python_name(const char *name)
{
    if (strncmp(name, "python", 6) != 0) {
        return false;
    }
    name += 6;
    while (isdigit((unsigned char)*name) || *name == '.') {
        name++;
    }
    return *name == '\0';
}

/* As Pex reads its boolean variables. */
static bool
is_true(const char *value)
{
    static const char *const yes[] = {"1", "true", "on", "yes"};

    for (size_t i = 0; value != NULL && i < sizeof(yes) / sizeof(yes[0]);
         i++) {
        if (strcasecmp(value, yes[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool
is_own_file(const char *path)
{
    struct stat own;
    struct stat other;

    return stat("/proc/self/exe", &own) == 0 && stat(path, &other) == 0
           && own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

bool
pexcz_trusts_environment(void)
{
    return getauxval(AT_SECURE) == 0;
}

bool
pexcz_is_interpreter(bool has_app, int argc, char *const *argv, int *ret_skip)
{
    const char *started = (const char *)getauxval(AT_EXECFN);
    bool by_name = (started != NULL && strncmp(started, "//", 2) == 0)
                   || (argc > 0
                       && (strncmp(argv[0], "//", 2) == 0
                           || is_python_name(last_component(argv[0]))));

    *ret_skip = 0;
    if (!has_app) {
        return true;
    }
    if (by_name && argc > 1 && argv[1][0] != '-' && is_own_file(argv[1])) {
        *ret_skip = 1;
        return false;
    }
    return by_name
           || (pexcz_trusts_environment()
               && is_true(getenv("PEX_INTERPRETER")));
}

static char *
copy(struct pexcz_slice text)
{
    char *s = malloc(text.len + 1);

    if (s != NULL) {
        memcpy(s, text.ptr, text.len);
        s[text.len] = '\0';
    }
    return s;
}

/* Appends every value of `key`; false when memory is gone. */
static bool
append_settings(const struct pexcz_blob *app, uint32_t wanted, char **args,
                int *count)
{
    uint32_t cursor = 0;
    uint32_t key;
    struct pexcz_slice value;

    while (pexcz_blob_boot_next(app, &cursor, &key, &value)) {
        if (key == wanted) {
            args[*count] = copy(value);
            if (args[(*count)++] == NULL) {
                return false;
            }
        }
    }
    return true;
}

static size_t
count_settings(const struct pexcz_blob *app)
{
    uint32_t cursor = 0;
    uint32_t key;
    struct pexcz_slice value;
    size_t n = 0;

    while (pexcz_blob_boot_next(app, &cursor, &key, &value)) {
        n++;
    }
    return n;
}

char **
pexcz_app_argv(const struct pexcz_blob *app, int argc, char *const *argv,
               int *ret_argc)
{
    static char stdin_name[] = "-";
    char **args = pexcz_alloc_array(
        (size_t)argc + count_settings(app) + 3, sizeof(*args));
    int n = 0;

    if (args == NULL) {
        return NULL;
    }
    args[n++] = argc > 0 ? argv[0] : stdin_name;
    if (!append_settings(app, PEXCZ_BOOT_PYTHON_OPTION, args, &n)) {
        return NULL;
    }
    args[n++] = stdin_name;
    if (!append_settings(app, PEXCZ_BOOT_INJECT_ARG, args, &n)) {
        return NULL;
    }
    for (int i = 1; i < argc; i++) {
        args[n++] = argv[i];
    }
    *ret_argc = n;
    return args;
}

int
pexcz_app_environment(const struct pexcz_blob *app)
{
    uint32_t cursor = 0;
    uint32_t key;
    struct pexcz_slice value;

    while (pexcz_blob_boot_next(app, &cursor, &key, &value)) {
        char *text;
        char *equals;

        if (key != PEXCZ_BOOT_INJECT_ENV) {
            continue;
        }
        text = copy(value);
        equals = text != NULL ? strchr(text, '=') : NULL;
        if (text == NULL || equals == NULL) {
            free(text);
            return text == NULL ? PEXCZ_E_NOMEM : PEXCZ_E_CORRUPT;
        }
        *equals = '\0';
        (void)setenv(text, equals + 1, 0);
        free(text);
    }
    return PEXCZ_OK;
}
