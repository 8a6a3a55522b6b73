/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_NAMES 256

extern char *__real_getenv(const char *name);
extern char *__real_secure_getenv(const char *name);
char *__wrap_getenv(const char *name);
char *__wrap_secure_getenv(const char *name);

static struct {
    bool active;
    size_t count; /* may be more than MAX_NAMES */
    char names[MAX_NAMES][64];
} watch;

/* Whether Python may take it, or "NAME=VALUE", from the environment: not so
 * PYTHON and PYTHON_VERSION, which container images and makefiles have.  The
 * same is in snapshot_watch.py. */
static bool
is_of_python(const char *pair)
{
    static const char *const with_underscore[] = {
        "BASIC_REPL", "COLORS", "CPU_COUNT",        "FROZEN_MODULES", "GIL",
        "HISTORY",    "JIT",    "PERF_JIT_SUPPORT", "PRESITE",
    };
    size_t n = strcspn(pair, "=");

    if (strncmp(pair, "PYTHON", 6) != 0 || n == 6) {
        return false;
    }
    for (size_t i = 0;
         i < sizeof(with_underscore) / sizeof(with_underscore[0]); i++) {
        const char *tail = with_underscore[i];

        if (n == strlen(tail) + 7 && strncmp(pair + 7, tail, n - 7) == 0) {
            return true;
        }
    }
    return pair[6] != '_';
}

/* Read by our own start and by Python's, before the snapshot is restored or
 * again when it is; they do not change what the imports leave behind. */
static bool
is_of_the_boot(const char *name)
{
    return is_of_python(name) || strncmp(name, "PEX", 3) == 0
           || strncmp(name, "LC_", 3) == 0 || strcmp(name, "LANG") == 0
           || strcmp(name, "TZ") == 0;
}

void
pexcz_snapshot_environment_note(const char *name)
{
    for (size_t i = 0; i < watch.count && i < MAX_NAMES; i++) {
        if (strcmp(watch.names[i], name) == 0) {
            return;
        }
    }
    if (watch.count < MAX_NAMES && strlen(name) < sizeof(watch.names[0])) {
        memcpy(watch.names[watch.count], name, strlen(name) + 1);
        watch.count++;
    }
    else {
        watch.count = MAX_NAMES + 1;
    }
}

void
pexcz_snapshot_environment_watch(void)
{
    watch.active = true;
}

/* SQLite's, which asks again: snapshot_refresh.c. */
static bool
is_asked_for_again(const char *name)
{
    return strcmp(name, "SQLITE_TMPDIR") == 0 || strcmp(name, "TMPDIR") == 0;
}

static void
note_read(const char *name)
{
    if (!is_of_the_boot(name)) {
        pexcz_snapshot_environment_note(name);
    }
}

char *
__wrap_getenv(const char *name)
{
    if (watch.active && !is_asked_for_again(name)) {
        note_read(name);
    }
    return __real_getenv(name);
}

char *
__wrap_secure_getenv(const char *name)
{
    if (watch.active) {
        note_read(name);
    }
    return __real_secure_getenv(name);
}

int
pexcz_snapshot_environment_write(struct pexcz_buf *out,
                                 struct pexcz_error *err)
{
    int rc = PEXCZ_OK;

    if (watch.count > MAX_NAMES) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "the imports read too many environment variables");
    }
    for (size_t i = 0; i < watch.count && rc == PEXCZ_OK; i++) {
        const char *value = __real_getenv(watch.names[i]);

        rc = pexcz_buf_append(out, watch.names[i], strlen(watch.names[i]) + 1,
                              err);
        if (rc == PEXCZ_OK) {
            rc = pexcz_buf_append_str(out, value != NULL ? "=" : "-", err);
        }
        if (rc == PEXCZ_OK && value != NULL) {
            rc = pexcz_buf_append_str(out, value, err);
        }
        if (rc == PEXCZ_OK) {
            rc = pexcz_buf_append(out, "", 1, err);
        }
    }
    return rc;
}

static bool
is_python_setting(const char *pair, const char *hash_seed)
{
    static const char *const fine[] = {
        "PYTHONPATH=",
        "PYTHONHOME=", /* without a say in an application */
        "PYTHONDONTWRITEBYTECODE=",
        "PYTHONUNBUFFERED=",
        "PYTHONUSERBASE=", /* Python's own start has no use for it */
    };

    if (!is_of_python(pair) || strcmp(pair, hash_seed) == 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        if (strncmp(pair, fine[i], strlen(fine[i])) == 0) {
            return false;
        }
    }
    return true;
}

bool
pexcz_snapshot_environment_matches(struct pexcz_slice table,
                                   uint32_t hash_seed)
{
    const char *p = (const char *)table.ptr;
    const char *end = p + table.len;
    char seed[sizeof("PYTHONHASHSEED=4294967295")];

    (void)snprintf(seed, sizeof(seed), "PYTHONHASHSEED=%u", hash_seed);
    for (char **pair = environ; pair != NULL && *pair != NULL; pair++) {
        if (is_python_setting(*pair, seed)) {
            return false;
        }
    }
    while (p < end) {
        const char *name = p;
        const char *value = name + strlen(name) + 1;
        const char *now = __real_getenv(name);

        if (*value == '-' ? now != NULL
                          : now == NULL || strcmp(now, value + 1) != 0) {
            return false;
        }
        p = value + strlen(value) + 1;
    }
    return true;
}
