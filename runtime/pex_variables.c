/* SPDX-License-Identifier: Apache-2.0 */
#include "pex_variables.h"

#include "pex_path_list.h"
#include "pex_rc.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define NAME_PREFIX "PEX_"

/* Nothing is looked for, unpacked or installed at start. */
static const char *const without_effect[] = {
    "PEX_PYTHON",
    "PEX_PYTHON_PATH",
    "PEX_ROOT",
    "PEX_VENV",
    "PEX_UNZIP",
    "PEX_ALWAYS_CACHE",
    "PEX_FORCE_LOCAL",
    "PEX_IGNORE_ERRORS",
    "PEX_MAX_INSTALL_JOBS",
    "PEX_TEARDOWN_VERBOSE",
    "PEX_BOOTSTRAP_URLS",
    "PEX_EMIT_WARNINGS",
    "PEX_MULTIPROCESSING_START_METHOD",
};

static int
copy_text(const char *value, char **ret, struct pexcz_error *err)
{
    *ret = NULL;
    if (value == NULL || value[0] == '\0') {
        return PEXCZ_OK;
    }
    *ret = strdup(value);
    return *ret != NULL ? PEXCZ_OK
                        : pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
}

static int
parse_boolean(const char *name, const char *value, bool *ret,
              struct pexcz_error *err)
{
    *ret = false;
    if (value == NULL || strcmp(value, "0") == 0
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

/* As int() of Python: spaces around, a sign, single underscores.  What is too
 * big is as big as can be. */
static int
parse_integer(const char *name, const char *value, long low, long *ret,
              struct pexcz_error *err)
{
    static const char spaces[] = " \t\n\r\v\f";
    const char *p = value;
    bool minus;
    bool digit = false;
    long number = 0;

    if (value == NULL) {
        return PEXCZ_OK;
    }
    p += strspn(p, spaces);
    minus = *p == '-';
    p += minus || *p == '+';
    for (; (*p >= '0' && *p <= '9') || (*p == '_' && digit); p++) {
        digit = *p != '_';
        if (digit
            && (__builtin_mul_overflow(number, 10, &number)
                || __builtin_add_overflow(number, *p - '0', &number))) {
            number = LONG_MAX;
        }
    }
    if (!digit || p[strspn(p, spaces)] != '\0') {
        return pexcz_fail(err, PEXCZ_E_USAGE, 0,
                          "%s must be an integer, not '%.100s'", name, value);
    }
    number = minus ? -number : number;
    if (number < low) {
        return pexcz_fail(err, PEXCZ_E_USAGE, 0,
                          "%s must be %ld or greater, not %ld", name, low,
                          number);
    }
    *ret = number;
    return PEXCZ_OK;
}

static int
parse_choice(const char *name, const char *value, const char *const choices[3],
             char **ret, struct pexcz_error *err)
{
    if (value == NULL) {
        return PEXCZ_OK;
    }
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(value, choices[i]) == 0) {
            return copy_text(value, ret, err);
        }
    }
    return pexcz_fail(err, PEXCZ_E_USAGE, 0,
                      "%s must be one of '%s', '%s' or '%s', not '%.100s'",
                      name, choices[0], choices[1], choices[2], value);
}

static int
read_texts(const struct pexcz_pex_rc *rc, struct pexcz_pex_variables *ret,
           struct pexcz_error *err)
{
    const struct {
        const char *name;
        char **value;
    } texts[] = {
        {"PEX_MODULE", &ret->module},
        {"PEX_SCRIPT", &ret->script},
        {"PEX_PATH", &ret->pex_path},
        {"PEX_PROFILE_FILENAME", &ret->profile_file},
        {"PEX_PROFILE_SORT", &ret->profile_sort},
        {"PEX_COVERAGE_FILENAME", &ret->coverage_file},
        {"PEX_INTERPRETER_HISTORY_FILE", &ret->history_file},
    };
    int status = PEXCZ_OK;

    for (size_t i = 0;
         status == PEXCZ_OK && i < sizeof(texts) / sizeof(texts[0]); i++) {
        status = copy_text(pexcz_pex_rc_get(rc, texts[i].name), texts[i].value,
                           err);
    }
    return status;
}

/* Those without effect are looked at, too: what Pex refuses is refused. */
static int
read_flags(const struct pexcz_pex_rc *rc, struct pexcz_pex_variables *ret,
           struct pexcz_error *err)
{
    bool ignored;
    const struct {
        const char *name;
        bool *value;
    } flags[] = {
        {"PEX_INTERPRETER", &ret->interpreter},
        {"PEX_TOOLS", &ret->tools},
        {"PEX_PROFILE", &ret->profile},
        {"PEX_COVERAGE", &ret->coverage},
        {"PEX_INTERPRETER_HISTORY", &ret->history},
        {"PEX_VENV", &ignored},
        {"PEX_UNZIP", &ignored},
        {"PEX_IGNORE_ERRORS", &ignored},
        {"PEX_EMIT_WARNINGS", &ignored},
    };
    int status = PEXCZ_OK;

    for (size_t i = 0;
         status == PEXCZ_OK && i < sizeof(flags) / sizeof(flags[0]); i++) {
        status
            = parse_boolean(flags[i].name, pexcz_pex_rc_get(rc, flags[i].name),
                            flags[i].value, err);
    }
    return status;
}

static int
read_rest(const struct pexcz_pex_rc *rc, struct pexcz_pex_variables *ret,
          struct pexcz_error *err)
{
    static const char *const inherit[] = {"false", "prefer", "fallback"};
    static const char *const bin_path[] = {"false", "prepend", "append"};
    const char *extra = pexcz_pex_rc_get(rc, "PEX_EXTRA_SYS_PATH");
    long jobs = 0;
    int status
        = parse_integer("PEX_VERBOSE", pexcz_pex_rc_get(rc, "PEX_VERBOSE"),
                        LONG_MIN, &ret->verbose, err);

    if (status == PEXCZ_OK) {
        status = parse_integer("PEX_MAX_INSTALL_JOBS",
                               pexcz_pex_rc_get(rc, "PEX_MAX_INSTALL_JOBS"),
                               -1, &jobs, err);
    }
    if (status == PEXCZ_OK) {
        status = parse_choice("PEX_INHERIT_PATH",
                              pexcz_pex_rc_get(rc, "PEX_INHERIT_PATH"),
                              inherit, &ret->inherit_path, err);
    }
    if (status == PEXCZ_OK) {
        status = parse_choice("PEX_VENV_BIN_PATH",
                              pexcz_pex_rc_get(rc, "PEX_VENV_BIN_PATH"),
                              bin_path, &ret->venv_bin_path, err);
    }
    if (ret->inherit_path != NULL && strcmp(ret->inherit_path, "false") == 0) {
        ret->inherit_path = NULL; /* cannot undo what PEX-INFO says */
    }
    if (status == PEXCZ_OK && extra != NULL && extra[0] != '\0') {
        status = pexcz_pex_path_list(extra, &ret->extra_sys_path, err);
    }
    ret->profile = ret->profile || ret->profile_file != NULL;
    ret->coverage = ret->coverage || ret->coverage_file != NULL;
    if (status == PEXCZ_OK && !ret->interpreter && ret->module != NULL
        && ret->script != NULL) {
        status = pexcz_fail(err, PEXCZ_E_USAGE, 0,
                            "PEX_MODULE and PEX_SCRIPT cannot both be set");
    }
    return status;
}

static void
note_all(const struct pexcz_pex_rc *rc,
         const struct pexcz_pex_variables *variables)
{
    for (size_t i = 0; i < sizeof(without_effect) / sizeof(without_effect[0]);
         i++) {
        const char *value = pexcz_pex_rc_get(rc, without_effect[i]);

        if (value != NULL) {
            pexcz_pex_note(variables,
                           "%s=%s has no effect: Python is built in and "
                           "nothing is unpacked",
                           without_effect[i], value);
        }
    }
}

/* Spares the look-up of each name where there is none. */
static bool
has_any(void)
{
    for (char **p = environ; p != NULL && *p != NULL; p++) {
        if (strncmp(*p, NAME_PREFIX, strlen(NAME_PREFIX)) == 0) {
            return true;
        }
    }
    return false;
}

int
pexcz_pex_variables_read(const char *program, struct pexcz_pex_variables *ret,
                         struct pexcz_error *err)
{
    static struct pexcz_pex_rc rc;
    bool disabled;
    bool no_files = false;
    int status
        = parse_boolean("PEX_DISABLE_VARIABLES",
                        getenv("PEX_DISABLE_VARIABLES"), &disabled, err);

    if (status < 0 || disabled) {
        return status;
    }
    status = parse_boolean("PEX_IGNORE_RCFILES", getenv("PEX_IGNORE_RCFILES"),
                           &no_files, err);
    if (status == PEXCZ_OK && !no_files) {
        status = pexcz_pex_rc_read(program, &rc, err);
    }
    if (status < 0 || (rc.count == 0 && !has_any())) {
        return status;
    }
    status = read_texts(&rc, ret, err);
    if (status == PEXCZ_OK) {
        status = read_flags(&rc, ret, err);
    }
    if (status == PEXCZ_OK) {
        status = read_rest(&rc, ret, err);
    }
    if (status == PEXCZ_OK && ret->verbose > 0) {
        note_all(&rc, ret);
    }
    return status;
}

int
pexcz_pex_variables_inherit(const struct pexcz_blob *app,
                            struct pexcz_pex_variables *variables,
                            struct pexcz_error *err)
{
    struct pexcz_slice how;

    if (variables->inherit_path == NULL
        && pexcz_blob_boot_get(app, PEXCZ_BOOT_INHERIT_PATH, &how)) {
        variables->inherit_path = strndup((const char *)how.ptr, how.len);
        if (variables->inherit_path == NULL) {
            return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
        }
    }
    return variables->inherit_path == NULL
               ? PEXCZ_OK
               : copy_text(getenv("PYTHONPATH"), &variables->python_path, err);
}

void
pexcz_pex_note(const struct pexcz_pex_variables *variables, const char *fmt,
               ...)
{
    char line[1024];
    va_list ap;

    if (variables->verbose <= 0) {
        return;
    }
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    (void)dprintf(STDERR_FILENO, "pex: %s\n", line);
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
