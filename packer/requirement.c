/* SPDX-License-Identifier: Apache-2.0 */
#include "requirement.h"

#include "utf8.h"

struct parser {
    struct pexcz_slice text; /* lives in the arena */
    size_t pos;
    struct pexcz_arena *arena;
    struct pexcz_error *err;
};

char *
pexcz_name_canonical(struct pexcz_slice name, struct pexcz_arena *arena,
                     struct pexcz_error *err)
{
    char *p = pexcz_arena_dup(arena, name, err);
    size_t n = 0;

    if (p == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = p[i];

        if (c == '-' || c == '_' || c == '.') {
            if (n == 0 || p[n - 1] != '-') {
                p[n++] = '-';
            }
        }
        else {
            p[n++] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
        }
    }
    p[n] = '\0';
    return p;
}

static int
syntax(const struct parser *p, const char *wanted)
{
    char shown[200];

    pexcz_utf8_escape(p->text, shown, sizeof(shown));
    return pexcz_fail(p->err, PEXCZ_E_CORRUPT, 0,
                      "invalid requirement '%s': %s expected at column %zu",
                      shown, wanted, p->pos + 1);
}

static uint8_t
peek(const struct parser *p)
{
    return p->pos < p->text.len ? p->text.ptr[p->pos] : 0;
}

static void
skip_space(struct parser *p)
{
    while (peek(p) == ' ' || peek(p) == '\t') {
        p->pos++;
    }
}

static bool
is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
           || (c >= 'a' && c <= 'z');
}

/* [A-Za-z0-9][A-Za-z0-9._-]*, ending at a word's end. */
static bool
take_identifier(struct parser *p, struct pexcz_slice *ret)
{
    size_t end = p->pos;

    if (!is_alnum(peek(p))) {
        return false;
    }
    while (end < p->text.len
           && (is_alnum(p->text.ptr[end]) || p->text.ptr[end] == '.'
               || p->text.ptr[end] == '_' || p->text.ptr[end] == '-')) {
        end++;
    }
    if (end < p->text.len && p->text.ptr[end] >= 0x80) {
        return false;
    }
    while (p->text.ptr[end - 1] == '.' || p->text.ptr[end - 1] == '-') {
        end--;
    }
    *ret = pexcz_slice_make(p->text.ptr + p->pos, end - p->pos);
    p->pos = end;
    return true;
}

static int
parse_extras(struct parser *p, struct pexcz_requirement *req)
{
    struct pexcz_slice name;

    if (peek(p) != '[') {
        return PEXCZ_OK;
    }
    p->pos++;
    skip_space(p);
    while (take_identifier(p, &name)) {
        char *copy = pexcz_arena_dup(p->arena, name, p->err);
        int rc = copy == NULL ? PEXCZ_E_NOMEM : PEXCZ_OK;

        if (rc == PEXCZ_OK && !pexcz_strings_contain(&req->extras, copy)) {
            rc = pexcz_strings_add(&req->extras, p->arena, name, p->err);
        }
        if (rc < 0) {
            return rc;
        }
        skip_space(p);
        if (peek(p) != ',') {
            break;
        }
        p->pos++;
        skip_space(p);
        if (!is_alnum(peek(p))) {
            return syntax(p, "an extra");
        }
    }
    if (peek(p) != ']') {
        return syntax(p, "a closing bracket");
    }
    p->pos++;
    return PEXCZ_OK;
}

static int
parse_specifiers(struct parser *p, struct pexcz_requirement *req)
{
    bool enclosed = peek(p) == '(';
    struct pexcz_slice rest;
    size_t start;
    size_t n;

    if (enclosed) {
        p->pos++;
    }
    skip_space(p);
    start = p->pos;
    for (;;) {
        rest = pexcz_slice_make(p->text.ptr + p->pos, p->text.len - p->pos);
        n = pexcz_specifier_prefix(rest);
        if (n == 0) {
            break;
        }
        p->pos += n;
        skip_space(p);
        if (peek(p) != ',') {
            break;
        }
        p->pos++;
        skip_space(p);
    }
    n = p->pos - start;
    if (enclosed) {
        if (peek(p) != ')') {
            return syntax(p, "a closing parenthesis");
        }
        p->pos++;
    }
    skip_space(p);
    return pexcz_specifiers_parse(pexcz_slice_make(p->text.ptr + start, n),
                                  p->arena, &req->specifiers, p->err);
}

static int
parse_url(struct parser *p, struct pexcz_requirement *req)
{
    size_t start;

    p->pos++;
    skip_space(p);
    start = p->pos;
    while (p->pos < p->text.len && peek(p) != ' ' && peek(p) != '\t') {
        p->pos++;
    }
    req->url = pexcz_slice_make(p->text.ptr + start, p->pos - start);
    if (req->url.len == 0) {
        return syntax(p, "a URL");
    }
    skip_space(p);
    return PEXCZ_OK;
}

int
pexcz_requirement_parse(struct pexcz_slice text, struct pexcz_arena *arena,
                        struct pexcz_requirement *ret, struct pexcz_error *err)
{
    struct pexcz_requirement req = {0};
    struct parser p = {{0}, 0, arena, err};
    struct pexcz_slice name;
    int rc;

    req.text = pexcz_arena_dup(arena, text, err);
    if (req.text == NULL) {
        return PEXCZ_E_NOMEM;
    }
    p.text = pexcz_slice_make(req.text, text.len);
    skip_space(&p);
    if (!take_identifier(&p, &name)) {
        return syntax(&p, "a project name");
    }
    req.name = pexcz_arena_dup(arena, name, err);
    req.key = pexcz_name_canonical(name, arena, err);
    if (req.name == NULL || req.key == NULL) {
        return PEXCZ_E_NOMEM;
    }
    skip_space(&p);
    rc = parse_extras(&p, &req);
    if (rc < 0) {
        return rc;
    }
    skip_space(&p);
    rc = peek(&p) == '@' ? parse_url(&p, &req) : parse_specifiers(&p, &req);
    if (rc < 0) {
        return rc;
    }
    if (peek(&p) == ';') {
        struct pexcz_slice rest;

        p.pos++;
        rest = pexcz_slice_make(p.text.ptr + p.pos, p.text.len - p.pos);
        rc = pexcz_marker_parse(rest, arena, &req.marker, err);
        if (rc < 0) {
            return rc;
        }
    }
    else if (p.pos != p.text.len) {
        return syntax(&p, "a version specifier, ';' or the end");
    }
    *ret = req;
    return PEXCZ_OK;
}

/* "===" alone compares texts, so that it can name versions of any form. */
static bool
is_exact(const struct pexcz_specifiers *set)
{
    return set->count == 1 && set->items[0].op == PEXCZ_OP_ARBITRARY;
}

bool
pexcz_requirement_contains(const struct pexcz_requirement *req,
                           const char *key, struct pexcz_slice version)
{
    struct pexcz_version parsed;

    if (strcmp(req->key, key) != 0) {
        return false;
    }
    if (is_exact(&req->specifiers)) {
        return pexcz_slice_eq(req->specifiers.items[0].text, version);
    }
    return (req->specifiers.count == 0
            || pexcz_version_parse(version, &parsed))
           && pexcz_specifiers_contain(&req->specifiers, version);
}

int
pexcz_requirement_includes(const struct pexcz_requirement *outer,
                           const struct pexcz_requirement *inner,
                           struct pexcz_arena *arena, bool *ret,
                           struct pexcz_error *err)
{
    if (strcmp(outer->key, inner->key) != 0) {
        *ret = false;
        return PEXCZ_OK;
    }
    return pexcz_specifiers_include(&outer->specifiers, &inner->specifiers,
                                    arena, ret, err);
}

int
pexcz_requirement_applies(const struct pexcz_requirement *req,
                          const struct pexcz_marker_env *env,
                          const struct pexcz_strings *extras,
                          struct pexcz_arena *arena, bool *ret,
                          struct pexcz_error *err)
{
    size_t n = extras == NULL ? 0 : extras->count;

    *ret = true;
    if (req->marker == NULL) {
        return PEXCZ_OK;
    }
    if (n == 0) {
        return pexcz_marker_eval(req->marker, env, "", ret, err);
    }
    for (size_t i = 0; i < n; i++) {
        const char *extra = pexcz_name_canonical(
            pexcz_slice_str(extras->items[i]), arena, err);
        int rc = extra == NULL
                     ? PEXCZ_E_NOMEM
                     : pexcz_marker_eval(req->marker, env, extra, ret, err);

        if (rc < 0 || *ret) {
            return rc;
        }
    }
    return PEXCZ_OK;
}
