/* SPDX-License-Identifier: Apache-2.0 */
#include "dist_metadata.h"

#include "utf8.h"

#include <strings.h>

static bool
is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct pexcz_slice
strip(struct pexcz_slice s)
{
    while (s.len != 0 && is_space(s.ptr[0])) {
        s = pexcz_slice_make(s.ptr + 1, s.len - 1);
    }
    while (s.len != 0 && is_space(s.ptr[s.len - 1])) {
        s.len--;
    }
    return s;
}

/* The next line without its end; false when there is none. */
static bool
next_line(struct pexcz_slice *rest, struct pexcz_slice *ret)
{
    if (rest->len == 0) {
        return false;
    }
    *ret = pexcz_slice_take(rest, '\n');
    if (ret->len != 0 && ret->ptr[ret->len - 1] == '\r') {
        ret->len--;
    }
    return true;
}

/*
 * The next header of an RFC 822 style block.  A folded value keeps its line
 * ends, which count as white space.  False at the blank line that ends it.
 */
static bool
next_header(struct pexcz_slice *rest, struct pexcz_slice *name,
            struct pexcz_slice *value)
{
    struct pexcz_slice line;

    while (next_line(rest, &line)) {
        const uint8_t *colon;
        const uint8_t *end = line.ptr + line.len;

        if (line.len == 0) {
            return false;
        }
        while (rest->len != 0
               && (rest->ptr[0] == ' ' || rest->ptr[0] == '\t')) {
            struct pexcz_slice more;

            (void)next_line(rest, &more);
            end = more.ptr + more.len;
        }
        line.len = (size_t)(end - line.ptr);
        colon = memchr(line.ptr, ':', line.len);
        if (colon == NULL) {
            continue; /* not a header: the parser of Python skips it too */
        }
        *name = pexcz_slice_make(line.ptr, (size_t)(colon - line.ptr));
        *value = strip(pexcz_slice_make(colon + 1, (size_t)(end - colon) - 1));
        return true;
    }
    return false;
}

static bool
is_named(struct pexcz_slice name, const char *wanted)
{
    return name.len == strlen(wanted)
           && strncasecmp((const char *)name.ptr, wanted, name.len) == 0;
}

static int
add_requirement(struct pexcz_slice value, const char *where,
                struct pexcz_arena *arena, struct pexcz_dist_metadata *md,
                size_t *cap, struct pexcz_error *err)
{
    void *items = md->requires;
    int rc = pexcz_arena_grow(arena, &items, md->requires_count, cap,
                              sizeof(*md->requires), err);

    if (rc < 0) {
        return rc;
    }
    md->requires = items;
    if (pexcz_requirement_parse(value, arena,
                                &md->requires[md->requires_count], err)
        < 0) {
        return pexcz_wrap(err, "%s: Requires-Dist", where);
    }
    md->requires_count++;
    return PEXCZ_OK;
}

/* The header, if it is about the licence. */
static int
read_license(struct pexcz_slice name, struct pexcz_slice value,
             struct pexcz_arena *arena, struct pexcz_dist_metadata *md,
             struct pexcz_error *err)
{
    static const char prefix[] = "License :: ";
    size_t len = sizeof(prefix) - 1;
    const char **field = NULL;

    if (is_named(name, "Classifier") && value.len > len
        && memcmp(value.ptr, prefix, len) == 0) {
        return pexcz_strings_add(
            &md->classifiers, arena,
            pexcz_slice_make(value.ptr + len, value.len - len), err);
    }
    if (is_named(name, "License-Expression")) {
        field = &md->license_expression;
    }
    else if (is_named(name, "License")) {
        field = &md->license;
    }
    if (field == NULL || *field != NULL || value.len == 0) {
        return PEXCZ_OK;
    }
    *field = pexcz_arena_dup(arena, value, err);
    return *field != NULL ? PEXCZ_OK : PEXCZ_E_NOMEM;
}

int
pexcz_metadata_parse(struct pexcz_slice text, const char *where,
                     struct pexcz_arena *arena,
                     struct pexcz_dist_metadata *ret, struct pexcz_error *err)
{
    struct pexcz_slice rest = text;
    struct pexcz_slice name;
    struct pexcz_slice value;
    size_t cap = 0;

    while (next_header(&rest, &name, &value)) {
        int rc = PEXCZ_OK;

        if (is_named(name, "Name") && ret->name == NULL) {
            ret->name = pexcz_arena_dup(arena, value, err);
            ret->key = pexcz_name_canonical(value, arena, err);
            rc = ret->name == NULL || ret->key == NULL ? PEXCZ_E_NOMEM : 0;
        }
        else if (is_named(name, "Version") && ret->version == NULL) {
            ret->version = pexcz_arena_dup(arena, value, err);
            rc = ret->version == NULL ? PEXCZ_E_NOMEM : 0;
        }
        else if (is_named(name, "Requires-Dist")) {
            rc = add_requirement(value, where, arena, ret, &cap, err);
        }
        else if (is_named(name, "Requires-Python")
                 && ret->requires_python_text == NULL) {
            char *copy = pexcz_arena_dup(arena, value, err);

            ret->requires_python_text = copy;
            rc = copy == NULL
                     ? PEXCZ_E_NOMEM
                     : pexcz_specifiers_parse(pexcz_slice_str(copy), arena,
                                              &ret->requires_python, err);
            if (rc == PEXCZ_E_CORRUPT) {
                rc = pexcz_wrap(err, "%s: Requires-Python", where);
            }
        }
        else {
            rc = read_license(name, value, arena, ret, err);
        }
        if (rc < 0) {
            return rc;
        }
    }
    if (ret->name == NULL || ret->name[0] == '\0' || ret->version == NULL
        || ret->version[0] == '\0') {
        return pexcz_fail(
            err, PEXCZ_E_CORRUPT, 0, "%s: no %s", where,
            ret->name == NULL || ret->name[0] == '\0' ? "Name" : "Version");
    }
    return PEXCZ_OK;
}

int
pexcz_wheel_file_parse(struct pexcz_slice text, const char *where,
                       struct pexcz_dist_metadata *ret,
                       struct pexcz_error *err)
{
    struct pexcz_slice rest = text;
    struct pexcz_slice name;
    struct pexcz_slice value;

    while (next_header(&rest, &name, &value)) {
        if (is_named(name, "Root-Is-Purelib")) {
            ret->root_is_purelib
                = pexcz_slice_eq(value, pexcz_slice_str("true"));
        }
        else if (is_named(name, "Wheel-Version")
                 && (value.len < 2 || value.ptr[0] != '1'
                     || value.ptr[1] != '.')) {
            char shown[32];

            pexcz_utf8_escape(value, shown, sizeof(shown));
            return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                              "%s: unknown Wheel-Version %s", where, shown);
        }
    }
    return PEXCZ_OK;
}

/* Characters of a module or attribute name.  Wider than an identifier (a
 * module file may be called my-app.py), but none that ends a literal. */
static bool
is_name_char(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
           || (c >= 'a' && c <= 'z') || c == '_' || c == '-' || c >= 0x80;
}

static bool
is_dotted_name(struct pexcz_slice s)
{
    bool part = false;

    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '.') {
            if (!part) {
                return false;
            }
            part = false;
        }
        else if (is_name_char(s.ptr[i])) {
            part = true;
        }
        else {
            return false;
        }
    }
    return part && pexcz_utf8_valid(s);
}

int
pexcz_entry_point_parse(struct pexcz_slice text, const char *where,
                        struct pexcz_arena *arena, const char **ret_module,
                        const char **ret_attr, struct pexcz_error *err)
{
    const uint8_t *bracket
        = text.len == 0 ? NULL : memchr(text.ptr, '[', text.len);
    struct pexcz_slice all = strip(pexcz_slice_make(
        text.ptr, bracket == NULL ? text.len : (size_t)(bracket - text.ptr)));
    const uint8_t *colon = all.len == 0 ? NULL : memchr(all.ptr, ':', all.len);
    struct pexcz_slice module = all;
    struct pexcz_slice attr = {0};

    if (colon != NULL) {
        module.len = (size_t)(colon - all.ptr);
        attr = strip(pexcz_slice_make(colon + 1, all.len - module.len - 1));
    }
    module = strip(module);
    if (!is_dotted_name(module) || (colon != NULL && !is_dotted_name(attr))) {
        char shown[160];

        pexcz_utf8_escape(text, shown, sizeof(shown));
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: '%s' is not an entry point of the form MODULE "
                          "or MODULE:FUNCTION",
                          where, shown);
    }
    *ret_module = pexcz_arena_dup(arena, module, err);
    *ret_attr = colon == NULL ? NULL : pexcz_arena_dup(arena, attr, err);
    return *ret_module == NULL || (colon != NULL && *ret_attr == NULL)
               ? PEXCZ_E_NOMEM
               : PEXCZ_OK;
}

/* A script is a file name in bin/. */
static bool
is_script_name(struct pexcz_slice s)
{
    if (s.len == 0 || s.len > 255 || !pexcz_utf8_valid(s)
        || pexcz_slice_eq(s, pexcz_slice_str("."))
        || pexcz_slice_eq(s, pexcz_slice_str(".."))) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '/' || s.ptr[i] == '\\' || s.ptr[i] < 0x20
            || s.ptr[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

static int
add_script(struct pexcz_slice line, const char *where,
           struct pexcz_arena *arena, struct pexcz_dist_metadata *md,
           size_t group_start, size_t *cap, struct pexcz_error *err)
{
    const uint8_t *eq = memchr(line.ptr, '=', line.len);
    struct pexcz_script script = {0};
    struct pexcz_slice name;
    struct pexcz_slice value;
    void *items = md->scripts;
    int rc;

    if (eq == NULL) {
        goto bad;
    }
    name = strip(pexcz_slice_make(line.ptr, (size_t)(eq - line.ptr)));
    value = strip(
        pexcz_slice_make(eq + 1, line.len - (size_t)(eq - line.ptr) - 1));
    if (!is_script_name(name) || value.len == 0
        || memchr(value.ptr, '=', value.len) != NULL) {
        goto bad;
    }
    script.name = pexcz_arena_dup(arena, name, err);
    if (script.name == NULL) {
        return PEXCZ_E_NOMEM;
    }
    rc = pexcz_entry_point_parse(value, where, arena, &script.module,
                                 &script.attr, err);
    if (rc < 0) {
        return rc;
    }
    for (size_t i = group_start; i < md->script_count; i++) {
        if (strcmp(md->scripts[i].name, script.name) == 0) {
            md->scripts[i] = script;
            return PEXCZ_OK;
        }
    }
    rc = pexcz_arena_grow(arena, &items, md->script_count, cap,
                          sizeof(*md->scripts), err);
    if (rc < 0) {
        return rc;
    }
    md->scripts = items;
    md->scripts[md->script_count++] = script;
    return PEXCZ_OK;

bad:;
    char shown[160];

    pexcz_utf8_escape(line, shown, sizeof(shown));
    return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                      "%s: '%s' is not of the form NAME = MODULE:FUNCTION",
                      where, shown);
}

/* The entries of one group, wherever it stands in the file. */
static int
parse_group(struct pexcz_slice text, const char *group, const char *where,
            struct pexcz_arena *arena, struct pexcz_dist_metadata *md,
            size_t *cap, struct pexcz_error *err)
{
    struct pexcz_slice rest = text;
    struct pexcz_slice line;
    size_t start = md->script_count;
    bool inside = false;

    while (next_line(&rest, &line)) {
        line = strip(line);
        if (line.len == 0 || line.ptr[0] == '#') {
            continue;
        }
        if (line.ptr[0] == '[' && line.ptr[line.len - 1] == ']') {
            inside
                = pexcz_slice_eq(pexcz_slice_make(line.ptr + 1, line.len - 2),
                                 pexcz_slice_str(group));
        }
        else if (inside) {
            int rc = add_script(line, where, arena, md, start, cap, err);

            if (rc < 0) {
                return rc;
            }
        }
    }
    return PEXCZ_OK;
}

int
pexcz_entry_points_parse(struct pexcz_slice text, const char *where,
                         struct pexcz_arena *arena,
                         struct pexcz_dist_metadata *ret,
                         struct pexcz_error *err)
{
    size_t cap = 0;
    int rc
        = parse_group(text, "console_scripts", where, arena, ret, &cap, err);

    if (rc == PEXCZ_OK) {
        rc = parse_group(text, "gui_scripts", where, arena, ret, &cap, err);
    }
    return rc;
}
