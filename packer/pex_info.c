/* SPDX-License-Identifier: Apache-2.0 */
#include "pex_info.h"

#include "utf8.h"

#include <jansson.h>
#include <limits.h>

/* One document being read; `rc` keeps the first failure. */
struct reader {
    const json_t *root;
    const char *where;
    struct pexcz_arena *arena;
    struct pexcz_error *err;
    int rc;
};

static const char *
type_name(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
        break;
    }
    return "null";
}

static void
wrong_type(struct reader *r, const char *field, const char *wanted,
           const json_t *v)
{
    r->rc = pexcz_fail(r->err, PEXCZ_E_CORRUPT, 0,
                       "%s: field \"%s\" must be %s, not %s", r->where, field,
                       wanted, type_name(v));
}

/* NULL when absent, null or after a failure. */
static const json_t *
get(struct reader *r, const char *field)
{
    const json_t *v;

    if (r->rc < 0) {
        return NULL;
    }
    v = json_object_get(r->root, field);
    return v == NULL || json_is_null(v) ? NULL : v;
}

static const char *
dup_string(struct reader *r, const json_t *v)
{
    const char *s = pexcz_arena_dup(
        r->arena,
        pexcz_slice_make(json_string_value(v), json_string_length(v)), r->err);

    if (s == NULL) {
        r->rc = PEXCZ_E_NOMEM;
    }
    return s;
}

static void
get_string(struct reader *r, const char *field, const char **ret)
{
    const json_t *v = get(r, field);

    if (v == NULL) {
        return;
    }
    if (!json_is_string(v)) {
        wrong_type(r, field, "a string", v);
        return;
    }
    *ret = dup_string(r, v);
}

static void
get_bool(struct reader *r, const char *field, bool *ret)
{
    const json_t *v = get(r, field);

    if (v == NULL) {
        return;
    }
    if (!json_is_boolean(v)) {
        wrong_type(r, field, "a boolean", v);
        return;
    }
    *ret = json_is_true(v);
}

static void
add_string(struct reader *r, struct pexcz_strings *list, const json_t *v)
{
    r->rc = pexcz_strings_add(
        list, r->arena,
        pexcz_slice_make(json_string_value(v), json_string_length(v)), r->err);
}

static void
get_strings(struct reader *r, const char *field, struct pexcz_strings *ret)
{
    const json_t *v = get(r, field);
    const json_t *item;
    size_t i;

    if (v == NULL) {
        return;
    }
    if (!json_is_array(v)) {
        wrong_type(r, field, "a list of strings", v);
        return;
    }
    json_array_foreach(v, i, item)
    {
        if (!json_is_string(item)) {
            wrong_type(r, field, "a list of strings, none of them", item);
            return;
        }
        add_string(r, ret, item);
        if (r->rc < 0) {
            return;
        }
    }
}

/* Before 0.8 a requirement was a list of three, the text its first item. */
static void
get_requirements(struct reader *r, struct pexcz_strings *ret)
{
    const json_t *v = get(r, "requirements");
    const json_t *item;
    size_t i;

    if (v == NULL) {
        return;
    }
    if (!json_is_array(v)) {
        wrong_type(r, "requirements", "a list of strings", v);
        return;
    }
    json_array_foreach(v, i, item)
    {
        if (json_is_array(item) && json_array_size(item) == 3) {
            item = json_array_get(item, 0);
        }
        if (!json_is_string(item)) {
            wrong_type(r, "requirements", "a list of strings, none of them",
                       item);
            return;
        }
        if (!pexcz_strings_contain(ret, json_string_value(item))) {
            add_string(r, ret, item);
        }
        if (r->rc < 0) {
            return;
        }
    }
}

static void
get_pairs(struct reader *r, const char *field, struct pexcz_pairs *ret)
{
    /* jansson's iterator takes no const object and changes nothing. */
    json_t *v = r->rc < 0 ? NULL : json_object_get(r->root, field);
    size_t n = 0;
    const char *key;
    json_t *value;

    if (v == NULL || json_is_null(v)) {
        return;
    }
    if (!json_is_object(v)) {
        wrong_type(r, field, "an object", v);
        return;
    }
    ret->items = pexcz_arena_alloc(r->arena, json_object_size(v),
                                   sizeof(*ret->items), r->err);
    if (ret->items == NULL) {
        r->rc = PEXCZ_E_NOMEM;
        return;
    }
    json_object_foreach(v, key, value)
    {
        if (!json_is_string(value)) {
            wrong_type(r, field, "an object of strings, none of them", value);
            return;
        }
        ret->items[n].name
            = pexcz_arena_dup(r->arena, pexcz_slice_str(key), r->err);
        ret->items[n].value = dup_string(r, value);
        if (ret->items[n].name == NULL || ret->items[n].value == NULL) {
            r->rc = PEXCZ_E_NOMEM;
            return;
        }
        n++;
    }
    ret->count = n;
}

/* One of `names` (NULL-terminated); its index goes to *ret. */
static void
get_choice(struct reader *r, const char *field, const char *const *names,
           int *ret)
{
    const json_t *v = get(r, field);
    char shown[80];

    if (v == NULL) {
        return;
    }
    if (!json_is_string(v)) {
        wrong_type(r, field, "a string", v);
        return;
    }
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(json_string_value(v), names[i]) == 0) {
            *ret = i;
            return;
        }
    }
    pexcz_utf8_escape(pexcz_slice_str(json_string_value(v)), shown,
                      sizeof(shown));
    r->rc = pexcz_fail(r->err, PEXCZ_E_CORRUPT, 0,
                       "%s: field \"%s\" has the unknown value \"%s\"",
                       r->where, field, shown);
}

static void
get_inherit_path(struct reader *r, enum pexcz_inherit_path *ret)
{
    static const char *const names[] = {"false", "fallback", "prefer", NULL};
    const json_t *v = get(r, "inherit_path");
    int choice = PEXCZ_INHERIT_FALSE;

    if (v != NULL && json_is_boolean(v)) {
        /* Old form. */
        *ret = json_is_true(v) ? PEXCZ_INHERIT_PREFER : PEXCZ_INHERIT_FALSE;
        return;
    }
    get_choice(r, "inherit_path", names, &choice);
    *ret = (enum pexcz_inherit_path)choice;
}

static void
get_bin_path(struct reader *r, enum pexcz_bin_path *ret)
{
    static const char *const names[] = {"false", "prepend", "append", NULL};
    int choice = PEXCZ_BIN_PATH_FALSE;

    get_choice(r, "venv_bin_path", names, &choice);
    *ret = (enum pexcz_bin_path)choice;
}

static void
get_selection(struct reader *r, enum pexcz_interpreter_selection *ret)
{
    static const char *const names[] = {"oldest", "newest", NULL};
    int choice = PEXCZ_SELECT_OLDEST;

    get_choice(r, "interpreter_selection_strategy", names, &choice);
    *ret = (enum pexcz_interpreter_selection)choice;
}

static void
get_jobs(struct reader *r, int *ret)
{
    const json_t *v = get(r, "max_install_jobs");

    if (v == NULL) {
        return;
    }
    if (!json_is_integer(v)) {
        wrong_type(r, "max_install_jobs", "an integer", v);
        return;
    }
    if (json_integer_value(v) < -1 || json_integer_value(v) > INT_MAX) {
        r->rc = pexcz_fail(r->err, PEXCZ_E_CORRUPT, 0,
                           "%s: field \"max_install_jobs\" is out of range",
                           r->where);
        return;
    }
    *ret = (int)json_integer_value(v);
}

/* pex_paths, a list, wins over pex_path, a string with colons. */
static void
get_pex_path(struct reader *r, struct pexcz_strings *ret)
{
    const char *old = NULL;

    get_strings(r, "pex_paths", ret);
    get_string(r, "pex_path", &old);
    if (r->rc < 0 || ret->count != 0 || old == NULL) {
        return;
    }
    while (*old != '\0') {
        size_t n = strcspn(old, ":");

        if (n != 0) {
            r->rc = pexcz_strings_add(ret, r->arena, pexcz_slice_make(old, n),
                                      r->err);
            if (r->rc < 0) {
                return;
            }
        }
        old += n + (old[n] == ':' ? 1 : 0);
    }
}

static void
get_build_properties(struct reader *r, const char **ret_version)
{
    const json_t *v = get(r, "build_properties");
    const json_t *version;

    if (v == NULL) {
        return;
    }
    if (!json_is_object(v)) {
        wrong_type(r, "build_properties", "an object", v);
        return;
    }
    version = json_object_get(v, "pex_version");
    if (version != NULL && json_is_string(version)) {
        *ret_version = dup_string(r, version);
    }
}

static void
read_fields(struct reader *r, struct pexcz_pex_info *info)
{
    get_string(r, "pex_hash", &info->pex_hash);
    get_string(r, "code_hash", &info->code_hash);
    get_string(r, "bootstrap_hash", &info->bootstrap_hash);
    get_pairs(r, "distributions", &info->distributions);
    get_requirements(r, &info->requirements);
    get_strings(r, "excluded", &info->excluded);
    get_strings(r, "overridden", &info->overridden);
    get_strings(r, "interpreter_constraints", &info->interpreter_constraints);
    get_selection(r, &info->interpreter_selection_strategy);
    get_string(r, "entry_point", &info->entry_point);
    get_string(r, "script", &info->script);
    get_strings(r, "inject_python_args", &info->inject_python_args);
    get_strings(r, "inject_args", &info->inject_args);
    get_pairs(r, "inject_env", &info->inject_env);
    get_pairs(r, "bind_resource_paths", &info->bind_resource_paths);
    get_bool(r, "strip_pex_env", &info->strip_pex_env);
    get_inherit_path(r, &info->inherit_path);
    get_pex_path(r, &info->pex_path);
    get_bool(r, "ignore_errors", &info->ignore_errors);
    get_bool(r, "emit_warnings", &info->emit_warnings);
    get_bool(r, "venv", &info->venv);
    get_bin_path(r, &info->venv_bin_path);
    get_bool(r, "venv_copies", &info->venv_copies);
    get_bool(r, "venv_site_packages_copies", &info->venv_site_packages_copies);
    get_bool(r, "venv_system_site_packages", &info->venv_system_site_packages);
    get_bool(r, "venv_hermetic_scripts", &info->venv_hermetic_scripts);
    info->includes_tools = info->venv;
    get_bool(r, "includes_tools", &info->includes_tools);
    get_bool(r, "deps_are_wheel_files", &info->deps_are_wheel_files);
    get_jobs(r, &info->max_install_jobs);
    get_string(r, "pex_root", &info->pex_root);
    get_build_properties(r, &info->pex_version);
}

int
pexcz_pex_info_parse(struct pexcz_slice text, const char *where,
                     struct pexcz_arena *arena, struct pexcz_pex_info *ret,
                     struct pexcz_error *err)
{
    struct pexcz_pex_info info = {
        .strip_pex_env = true,
        .emit_warnings = true,
        .venv_hermetic_scripts = true,
        .max_install_jobs = 1,
    };
    struct reader r = {NULL, where, arena, err, PEXCZ_OK};
    json_error_t jerr;
    json_t *root;

    if (text.len > PEXCZ_PEX_INFO_MAX_SIZE) {
        return pexcz_fail(err, PEXCZ_E_TOO_BIG, 0,
                          "%s: %zu bytes are over the limit of %zu", where,
                          text.len, PEXCZ_PEX_INFO_MAX_SIZE);
    }
    root = json_loadb(text.len == 0 ? "" : (const char *)text.ptr, text.len,
                      JSON_REJECT_DUPLICATES, &jerr);
    if (root == NULL) {
        char shown[sizeof(jerr.text) * 2];

        pexcz_utf8_escape(pexcz_slice_str(jerr.text), shown, sizeof(shown));
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: not valid JSON: %s (line %d, column %d)", where,
                          shown, jerr.line, jerr.column);
    }
    if (!json_is_object(root)) {
        r.rc = pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: must be an object, not %s", where,
                          type_name(root));
        goto out;
    }
    r.root = root;
    read_fields(&r, &info);
    if (r.rc == PEXCZ_OK) {
        *ret = info;
    }

out:
    json_decref(root);
    return r.rc;
}
