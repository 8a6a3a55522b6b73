/* SPDX-License-Identifier: Apache-2.0 */
#include "app_environment.h"

#include "exe_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACEHOLDER "{pex.env."

/* "NAME=value" as two strings; *ret_name is on the heap and owns both. */
static int
split_pair(struct pexcz_slice pair, char **ret_name, char **ret_value,
           struct pexcz_error *err)
{
    char *text = strndup((const char *)pair.ptr, pair.len);
    char *equals = text != NULL ? strchr(text, '=') : NULL;

    if (text == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    if (equals == NULL) {
        free(text);
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "a setting of the application is no NAME=value");
    }
    *equals = '\0';
    *ret_name = text;
    *ret_value = equals + 1;
    return PEXCZ_OK;
}

static int
set(const char *name, const char *value, bool overwrite,
    struct pexcz_error *err)
{
    if (setenv(name, value, overwrite) != 0) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "cannot set %.200s", name);
    }
    return PEXCZ_OK;
}

/* NAME becomes "a:b". */
static int
set_joined(const char *name, const char *a, const char *b,
           struct pexcz_error *err)
{
    char *text = NULL;
    int rc;

    if (asprintf(&text, "%s:%s", a, b) < 0) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    rc = set(name, text, true, err);
    free(text);
    return rc;
}

/* NAME becomes the path of the first file `resource` on the search path. */
static int
bind_resource(const struct pexcz_blob *app, const char *name,
              const char *resource, struct pexcz_error *err)
{
    char path[PEXCZ_MAX_PATH + sizeof(PEXCZ_PREFIX) + 1] = PEXCZ_PREFIX "/";
    char *inner = path + sizeof(PEXCZ_PREFIX);
    size_t room = sizeof(path) - sizeof(PEXCZ_PREFIX);
    uint32_t cursor = 0;
    uint32_t key;
    struct pexcz_slice dir;

    while (pexcz_blob_boot_next(app, &cursor, &key, &dir)) {
        struct pexcz_slice whole;
        struct pexcz_entry entry;
        int n;

        if (key != PEXCZ_BOOT_SEARCH_PATH) {
            continue;
        }
        n = snprintf(inner, room, "%.*s/%s", (int)dir.len,
                     (const char *)dir.ptr, resource);
        if (n < 0 || (size_t)n >= room) {
            continue;
        }
        whole = pexcz_slice_make(inner, (size_t)n);
        if (pexcz_blob_find(app, whole, pexcz_blob_hash(whole), &entry)
            && entry.kind == PEXCZ_KIND_FILE) {
            return set(name, path, true, err);
        }
    }
    return pexcz_fail(err, PEXCZ_E_USAGE, 0,
                      "no file %.500s on sys.path to bind %.200s to", resource,
                      name);
}

static int
apply_pair(const struct pexcz_blob *app, uint32_t key, struct pexcz_slice pair,
           struct pexcz_error *err)
{
    char *name = NULL;
    char *value = NULL;
    int rc = split_pair(pair, &name, &value, err);

    if (rc < 0) {
        return rc;
    }
    rc = key == PEXCZ_BOOT_INJECT_ENV ? set(name, value, false, err)
                                      : bind_resource(app, name, value, err);
    free(name);
    return rc;
}

/* In Pex's order: a resource overwrites what was injected. */
static int
apply_pairs(const struct pexcz_blob *app, uint32_t wanted,
            struct pexcz_error *err)
{
    uint32_t cursor = 0;
    uint32_t key;
    struct pexcz_slice value;

    while (pexcz_blob_boot_next(app, &cursor, &key, &value)) {
        int rc = key == wanted ? apply_pair(app, key, value, err) : PEXCZ_OK;

        if (rc < 0) {
            return rc;
        }
    }
    return PEXCZ_OK;
}

/* Children that are a Python see the same; what is inherited stays. */
static int
export_extra_path(const struct pexcz_pex_variables *variables,
                  struct pexcz_error *err)
{
    return variables->python_path != NULL
               ? set_joined("PYTHONPATH", variables->python_path,
                            variables->extra_sys_path, err)
               : set("PYTHONPATH", variables->extra_sys_path, true, err);
}

/* The scripts of the PEX on PATH, if it or PEX_VENV_BIN_PATH says so. */
static int
add_bin_path(const struct pexcz_blob *app,
             const struct pexcz_pex_variables *variables,
             struct pexcz_error *err)
{
    static const char bin[] = PEXCZ_PREFIX "/bin";
    const char *path = getenv("PATH");
    struct pexcz_slice how = {0};

    if (variables->venv_bin_path != NULL) {
        how = pexcz_slice_str(variables->venv_bin_path);
    }
    else {
        (void)pexcz_blob_boot_get(app, PEXCZ_BOOT_BIN_PATH, &how);
    }
    path = path != NULL ? path : "";
    if (pexcz_slice_eq(how, pexcz_slice_str("prepend"))) {
        return set_joined("PATH", bin, path, err);
    }
    if (pexcz_slice_eq(how, pexcz_slice_str("append"))) {
        return set_joined("PATH", path, bin, err);
    }
    return PEXCZ_OK;
}

int
pexcz_app_environment(const struct pexcz_blob *app,
                      const struct pexcz_pex_variables *variables,
                      const char *executable, struct pexcz_error *err)
{
    struct pexcz_slice strip;
    int rc;

    if (pexcz_blob_boot_get(app, PEXCZ_BOOT_STRIP_PEX_ENV, &strip)) {
        pexcz_pex_variables_strip();
    }
    /* The real path: Python's own spelling of it has one slash more. */
    rc = set("PEX", executable + (executable[0] == '/'), true, err);
    if (rc == PEXCZ_OK && variables->extra_sys_path != NULL) {
        rc = export_extra_path(variables, err);
    }
    if (rc == PEXCZ_OK) {
        rc = add_bin_path(app, variables, err);
    }
    if (rc == PEXCZ_OK) {
        rc = apply_pairs(app, PEXCZ_BOOT_INJECT_ENV, err);
    }
    return rc == PEXCZ_OK ? apply_pairs(app, PEXCZ_BOOT_BIND_RESOURCE, err)
                          : rc;
}

/* The value of the placeholder at `p`; *p moves behind it.  NULL: there is
 * none. */
static const char *
placeholder_value(const char **p, const char *end)
{
    size_t start = strlen(PLACEHOLDER);
    const char *name = *p + start;
    const char *close;
    char copy[256];
    const char *value;

    if ((size_t)(end - *p) <= start || strncmp(*p, PLACEHOLDER, start) != 0) {
        return NULL;
    }
    close = memchr(name, '}', (size_t)(end - name));
    if (close == NULL || (size_t)(close - name) >= sizeof(copy)) {
        return NULL;
    }
    memcpy(copy, name, (size_t)(close - name));
    copy[close - name] = '\0';
    *p = close + 1;
    value = getenv(copy);
    return value != NULL ? value : "";
}

char *
pexcz_expand_placeholders(struct pexcz_slice text)
{
    const char *p = (const char *)text.ptr;
    const char *end = p + text.len;
    char *out = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&out, &size);

    if (stream == NULL) {
        return NULL;
    }
    while (p < end) {
        const char *value = placeholder_value(&p, end);

        if (value != NULL) {
            (void)fputs(value, stream);
            continue;
        }
        if ((*p == '{' || *p == '}') && p + 1 < end && p[1] == *p) {
            p++;
        }
        (void)putc(*p++, stream);
    }
    if (fclose(stream) != 0) {
        free(out);
        return NULL;
    }
    return out;
}
