/* SPDX-License-Identifier: Apache-2.0 */
#include "pex_rc.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A longer file is no rc file. */
#define MAX_SIZE ((size_t)64 << 10)

static const char *
skip_spaces(const char *p, const char *end)
{
    while (p < end && strchr(" \t\r\v\f", *p) != NULL) {
        p++;
    }
    return p;
}

static int
add(struct pexcz_pex_rc *rc, const char *name, size_t name_len,
    const char *value, size_t value_len, struct pexcz_error *err)
{
    char *n = strndup(name, name_len);
    char *v = strndup(value, value_len);

    if (n == NULL || v == NULL) {
        free(n);
        free(v);
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    for (size_t i = 0; i < rc->count; i++) {
        if (strcmp(rc->items[i].name, n) == 0) {
            free(n);
            free(rc->items[i].value);
            rc->items[i].value = v;
            return PEXCZ_OK;
        }
    }
    if (rc->count == PEXCZ_MAX_RC_VALUES) {
        free(n);
        free(v);
        return PEXCZ_OK;
    }
    rc->items[rc->count].name = n;
    rc->items[rc->count++].value = v;
    return PEXCZ_OK;
}

static int
read_line(struct pexcz_pex_rc *rc, const char *line, const char *end,
          struct pexcz_error *err)
{
    const char *equals;

    line = skip_spaces(line, end);
    while (end > line && strchr(" \t\r\v\f", end[-1]) != NULL) {
        end--;
    }
    equals = memchr(line, '=', (size_t)(end - line));
    if (equals == NULL || equals == line || equals + 1 == end
        || memchr(equals + 1, '=', (size_t)(end - equals - 1)) != NULL) {
        return PEXCZ_OK;
    }
    return add(rc, line, (size_t)(equals - line), equals + 1,
               (size_t)(end - equals - 1), err);
}

static int
read_file(struct pexcz_pex_rc *rc, const char *path, struct pexcz_error *err)
{
    static char text[MAX_SIZE];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const char *line = text;
    const char *end;
    int status = PEXCZ_OK;
    ssize_t n;

    if (fd < 0) {
        return PEXCZ_OK;
    }
    n = read(fd, text, sizeof(text));
    (void)close(fd);
    if (n <= 0 || (size_t)n == sizeof(text)) {
        return PEXCZ_OK;
    }
    end = text + n;
    while (status == PEXCZ_OK && line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));

        stop = stop != NULL ? stop : end;
        status = read_line(rc, line, stop, err);
        line = stop + 1;
    }
    return status;
}

int
pexcz_pex_rc_read(const char *program, struct pexcz_pex_rc *ret,
                  struct pexcz_error *err)
{
    const char *home = getenv("HOME");
    const char *slash = strrchr(program, '/');
    char path[PATH_MAX];
    int n;
    int rc = read_file(ret, "/etc/pexrc", err);

    if (rc == PEXCZ_OK && home != NULL) {
        n = snprintf(path, sizeof(path), "%s/.pexrc", home);
        rc = n > 0 && (size_t)n < sizeof(path) ? read_file(ret, path, err)
                                               : PEXCZ_OK;
    }
    if (rc == PEXCZ_OK) {
        n = snprintf(path, sizeof(path), "%.*s.pexrc",
                     slash != NULL ? (int)(slash - program) + 1 : 0, program);
        rc = n > 0 && (size_t)n < sizeof(path) ? read_file(ret, path, err)
                                               : PEXCZ_OK;
    }
    return rc;
}

const char *
pexcz_pex_rc_get(const struct pexcz_pex_rc *rc, const char *name)
{
    const char *value = getenv(name);

    for (size_t i = 0; value == NULL && i < rc->count; i++) {
        if (strcmp(rc->items[i].name, name) == 0) {
            value = rc->items[i].value;
        }
    }
    return value;
}
