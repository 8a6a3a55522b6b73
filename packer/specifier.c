/* SPDX-License-Identifier: Apache-2.0 */
#include "specifier.h"

#include "utf8.h"

#include <stdio.h>
#include <strings.h>

enum { MAX_PATCH = 100 }; /* patch releases of Python that are looked at */

static bool
is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct pexcz_slice
skip(struct pexcz_slice s, size_t n)
{
    return pexcz_slice_make(s.ptr + n, s.len - n);
}

static struct pexcz_slice
skip_space(struct pexcz_slice s)
{
    while (s.len != 0 && is_space(s.ptr[0])) {
        s = skip(s, 1);
    }
    return s;
}

/* Length of the operator, 0 if there is none. */
static size_t
take_op(struct pexcz_slice s, enum pexcz_spec_op *ret)
{
    static const struct {
        const char *text;
        enum pexcz_spec_op op;
    } ops[] = {
        {"===", PEXCZ_OP_ARBITRARY}, {"~=", PEXCZ_OP_COMPATIBLE},
        {"==", PEXCZ_OP_EQ},         {"!=", PEXCZ_OP_NE},
        {"<=", PEXCZ_OP_LE},         {">=", PEXCZ_OP_GE},
        {"<", PEXCZ_OP_LT},          {">", PEXCZ_OP_GT},
    };

    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        size_t n = strlen(ops[i].text);

        if (s.len >= n && memcmp(s.ptr, ops[i].text, n) == 0) {
            *ret = ops[i].op;
            return n;
        }
    }
    return 0;
}

/* Length of the version part; `s` begins with it. */
static size_t
take_version(struct pexcz_slice s, struct pexcz_specifier *spec)
{
    bool equality = spec->op == PEXCZ_OP_EQ || spec->op == PEXCZ_OP_NE;
    size_t n;
    size_t release_end;

    if (spec->op == PEXCZ_OP_ARBITRARY) {
        n = 0;
        while (n < s.len && !is_space(s.ptr[n]) && s.ptr[n] != ';'
               && s.ptr[n] != ')') {
            n++;
        }
        return n;
    }
    n = pexcz_version_parse_prefix(s, equality, &spec->version);
    if (n == 0
        || (spec->op == PEXCZ_OP_COMPATIBLE
            && pexcz_version_release_count(&spec->version) < 2)) {
        return 0;
    }
    release_end = (size_t)(spec->version.release.ptr - s.ptr)
                  + spec->version.release.len;
    if (equality && s.len - release_end >= 2 && s.ptr[release_end] == '.'
        && s.ptr[release_end + 1] == '*') {
        struct pexcz_version bare = {
            .epoch = spec->version.epoch,
            .release = spec->version.release,
        };

        spec->version = bare;
        spec->wildcard = true;
        return release_end + 2;
    }
    return n;
}

static size_t
parse_prefix(struct pexcz_slice text, struct pexcz_specifier *ret)
{
    struct pexcz_specifier spec = {0};
    struct pexcz_slice rest;
    size_t op = take_op(text, &spec.op);
    size_t n;

    if (op == 0) {
        return 0;
    }
    rest = skip_space(skip(text, op));
    n = take_version(rest, &spec);
    if (n == 0 && spec.op != PEXCZ_OP_ARBITRARY) {
        return 0;
    }
    spec.text = pexcz_slice_make(rest.ptr, n);
    *ret = spec;
    return (size_t)(rest.ptr - text.ptr) + n;
}

size_t
pexcz_specifier_prefix(struct pexcz_slice text)
{
    struct pexcz_specifier spec;

    return parse_prefix(text, &spec);
}

bool
pexcz_specifier_parse(struct pexcz_slice text, struct pexcz_specifier *ret)
{
    struct pexcz_specifier spec;
    size_t n;

    text = skip_space(text);
    n = parse_prefix(text, &spec);
    if (n == 0 || skip_space(skip(text, n)).len != 0) {
        return false;
    }
    *ret = spec;
    return true;
}

/* V.dev0: where versions "before V" end. */
static struct pexcz_version
first_dev(const struct pexcz_version *v)
{
    struct pexcz_version bound = *v;

    if (v->pre_kind == PEXCZ_PRE_NONE && !v->has_dev) {
        bound.has_dev = true;
        bound.dev = pexcz_slice_make(NULL, 0);
    }
    return bound;
}

static bool
is_greater(const struct pexcz_version *v, const struct pexcz_version *bound)
{
    if (pexcz_version_cmp_public(v, bound) <= 0) {
        return false;
    }
    if (bound->has_dev || bound->has_post) {
        return true;
    }
    /* "> V" leaves out V's own post-releases. */
    return pexcz_version_cmp_release(v, bound) != 0
           || v->pre_kind != bound->pre_kind
           || !pexcz_slice_eq(v->pre, bound->pre);
}

static bool
is_equal(const struct pexcz_version *v, const struct pexcz_specifier *spec)
{
    if (spec->wildcard) {
        return pexcz_version_has_prefix(
            v, &spec->version, pexcz_version_release_count(&spec->version));
    }
    if (spec->version.local.len != 0) {
        return pexcz_version_cmp(v, &spec->version) == 0;
    }
    return pexcz_version_cmp_public(v, &spec->version) == 0;
}

bool
pexcz_specifier_contains(const struct pexcz_specifier *spec,
                         struct pexcz_slice version)
{
    struct pexcz_version v;
    struct pexcz_version bound;

    if (spec->op == PEXCZ_OP_ARBITRARY) {
        return spec->text.len == version.len
               && strncasecmp((const char *)spec->text.ptr,
                              (const char *)version.ptr, version.len)
                      == 0;
    }
    if (!pexcz_version_parse(version, &v)) {
        return false;
    }
    switch (spec->op) {
    case PEXCZ_OP_COMPATIBLE:
        return pexcz_version_cmp(&v, &spec->version) >= 0
               && pexcz_version_has_prefix(
                   &v, &spec->version,
                   pexcz_version_release_count(&spec->version) - 1);
    case PEXCZ_OP_EQ:
        return is_equal(&v, spec);
    case PEXCZ_OP_NE:
        return !is_equal(&v, spec);
    case PEXCZ_OP_LE:
        return pexcz_version_cmp_public(&v, &spec->version) <= 0;
    case PEXCZ_OP_GE:
        return pexcz_version_cmp(&v, &spec->version) >= 0;
    case PEXCZ_OP_LT:
        bound = first_dev(&spec->version);
        return pexcz_version_cmp(&v, &bound) < 0;
    case PEXCZ_OP_GT:
        return is_greater(&v, &spec->version);
    case PEXCZ_OP_ARBITRARY:
        break;
    }
    return false;
}

int
pexcz_specifiers_parse(struct pexcz_slice text, struct pexcz_arena *arena,
                       struct pexcz_specifiers *ret, struct pexcz_error *err)
{
    struct pexcz_specifiers set = {0};
    size_t commas = 0;
    struct pexcz_slice rest = text;

    for (size_t i = 0; i < text.len; i++) {
        commas += text.ptr[i] == ',' ? 1 : 0;
    }
    set.items = pexcz_arena_alloc(arena, commas + 1, sizeof(*set.items), err);
    if (set.items == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (;;) {
        const uint8_t *comma
            = rest.len == 0 ? NULL : memchr(rest.ptr, ',', rest.len);
        size_t n = comma == NULL ? rest.len : (size_t)(comma - rest.ptr);
        struct pexcz_slice part = pexcz_slice_make(rest.ptr, n);

        if (skip_space(part).len != 0
            && !pexcz_specifier_parse(part, &set.items[set.count++])) {
            char shown[128];

            pexcz_utf8_escape(part, shown, sizeof(shown));
            return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                              "invalid version specifier '%s'", shown);
        }
        if (comma == NULL) {
            break;
        }
        rest = skip(rest, n + 1);
    }
    *ret = set;
    return PEXCZ_OK;
}

bool
pexcz_specifiers_contain(const struct pexcz_specifiers *set,
                         struct pexcz_slice version)
{
    for (size_t i = 0; i < set->count; i++) {
        if (!pexcz_specifier_contains(&set->items[i], version)) {
            return false;
        }
    }
    return true;
}

bool
pexcz_specifiers_admit_patch(const struct pexcz_specifiers *set, int major,
                             int minor)
{
    for (int patch = 0; patch < MAX_PATCH; patch++) {
        char version[40];

        (void)snprintf(version, sizeof(version), "%d.%d.%d", major, minor,
                       patch);
        if (pexcz_specifiers_contain(set, pexcz_slice_str(version))) {
            return true;
        }
    }
    return false;
}
