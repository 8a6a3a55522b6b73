/* SPDX-License-Identifier: Apache-2.0 */
#include "marker.h"

#include "requirement.h"
#include "utf8.h"

#include <stdio.h>

/* Nested parentheses. */
#define MAX_DEPTH 64

enum marker_op {
    OP_IN,
    OP_NOT_IN,
    OP_SPEC, /* as in a version specifier */
};

struct operand {
    bool is_var;
    int var;                 /* PEXCZ_VAR_*, or -1: not in any environment */
    struct pexcz_slice text; /* value, or the variable's canonical name */
};

struct item {
    bool after_or; /* "or" stands before it; else "and", or it is the first */
    const struct pexcz_marker *group; /* NULL: a comparison */
    struct operand lhs;
    struct operand rhs;
    enum marker_op op;
    enum pexcz_spec_op spec_op;
    const char *op_text;
};

struct pexcz_marker {
    struct item *items;
    size_t count;
    size_t cap;
};

struct parser {
    struct pexcz_slice text;
    size_t pos;
    int depth;
    struct pexcz_arena *arena;
    struct pexcz_error *err;
};

static const struct {
    const char *name;
    int var;
} variables[] = {
    {"python_version", PEXCZ_VAR_PYTHON_VERSION},
    {"python_full_version", PEXCZ_VAR_PYTHON_FULL_VERSION},
    {"os_name", PEXCZ_VAR_OS_NAME},
    {"os.name", PEXCZ_VAR_OS_NAME},
    {"sys_platform", PEXCZ_VAR_SYS_PLATFORM},
    {"sys.platform", PEXCZ_VAR_SYS_PLATFORM},
    {"platform_release", PEXCZ_VAR_PLATFORM_RELEASE},
    {"platform_system", PEXCZ_VAR_PLATFORM_SYSTEM},
    {"platform_version", PEXCZ_VAR_PLATFORM_VERSION},
    {"platform.version", PEXCZ_VAR_PLATFORM_VERSION},
    {"platform_machine", PEXCZ_VAR_PLATFORM_MACHINE},
    {"platform.machine", PEXCZ_VAR_PLATFORM_MACHINE},
    {"platform_python_implementation",
     PEXCZ_VAR_PLATFORM_PYTHON_IMPLEMENTATION},
    {"platform.python_implementation",
     PEXCZ_VAR_PLATFORM_PYTHON_IMPLEMENTATION},
    {"python_implementation", PEXCZ_VAR_PLATFORM_PYTHON_IMPLEMENTATION},
    {"implementation_name", PEXCZ_VAR_IMPLEMENTATION_NAME},
    {"implementation_version", PEXCZ_VAR_IMPLEMENTATION_VERSION},
    {"extra", PEXCZ_VAR_EXTRA},
    {"extras", -1},
    {"dependency_groups", -1},
};
#define VARIABLE_COUNT (sizeof(variables) / sizeof(variables[0]))

/* The first name in the table that stands for the variable. */
static const char *
variable_name(int var)
{
    for (size_t i = 0; i < VARIABLE_COUNT; i++) {
        if (variables[i].var == var) {
            return variables[i].name;
        }
    }
    return "";
}

void
pexcz_marker_env_init(struct pexcz_marker_env *env,
                      const struct pexcz_target *target)
{
    *env = (struct pexcz_marker_env){0};
    (void)snprintf(env->full_version, sizeof(env->full_version), "%d.%d.%d",
                   target->major, target->minor, target->micro);
    (void)snprintf(env->version, sizeof(env->version), "%d.%d", target->major,
                   target->minor);
    env->values[PEXCZ_VAR_IMPLEMENTATION_NAME] = "cpython";
    env->values[PEXCZ_VAR_IMPLEMENTATION_VERSION] = env->full_version;
    env->values[PEXCZ_VAR_OS_NAME] = "posix";
    env->values[PEXCZ_VAR_PLATFORM_MACHINE] = target->arch;
    env->values[PEXCZ_VAR_PLATFORM_PYTHON_IMPLEMENTATION] = "CPython";
    env->values[PEXCZ_VAR_PLATFORM_RELEASE] = "";
    env->values[PEXCZ_VAR_PLATFORM_SYSTEM] = "Linux";
    env->values[PEXCZ_VAR_PLATFORM_VERSION] = "";
    env->values[PEXCZ_VAR_PYTHON_FULL_VERSION] = env->full_version;
    env->values[PEXCZ_VAR_PYTHON_VERSION] = env->version;
    env->values[PEXCZ_VAR_SYS_PLATFORM] = "linux";
    env->values[PEXCZ_VAR_EXTRA] = "";
}

static int
syntax(struct parser *p, const char *wanted)
{
    char shown[160];

    pexcz_utf8_escape(p->text, shown, sizeof(shown));
    return pexcz_fail(p->err, PEXCZ_E_CORRUPT, 0,
                      "invalid marker '%s': %s expected at column %zu", shown,
                      wanted, p->pos + 1);
}

static bool
is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
           || (c >= 'a' && c <= 'z') || c == '_' || c >= 0x80;
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

/* Moves behind `word` if it stands here, bounded as \b would have it. */
static bool
take_word(struct parser *p, const char *word)
{
    size_t n = strlen(word);

    if (p->text.len - p->pos < n || memcmp(p->text.ptr + p->pos, word, n) != 0
        || (p->pos != 0 && is_word(p->text.ptr[p->pos - 1]))
        || (p->pos + n < p->text.len && is_word(p->text.ptr[p->pos + n]))) {
        return false;
    }
    p->pos += n;
    return true;
}

static int
parse_operand(struct parser *p, struct operand *ret)
{
    uint8_t quote = peek(p);
    const uint8_t *end;
    struct pexcz_slice value;

    for (size_t i = 0; i < VARIABLE_COUNT; i++) {
        if (take_word(p, variables[i].name)) {
            ret->is_var = true;
            ret->var = variables[i].var;
            ret->text = pexcz_slice_str(
                ret->var < 0 ? variables[i].name : variable_name(ret->var));
            return PEXCZ_OK;
        }
    }
    if (quote != '\'' && quote != '"') {
        return syntax(p, "a marker variable or quoted string");
    }
    end = memchr(p->text.ptr + p->pos + 1, quote, p->text.len - p->pos - 1);
    if (end == NULL) {
        return syntax(p, "a closing quote");
    }
    value = pexcz_slice_make(p->text.ptr + p->pos + 1,
                             (size_t)(end - p->text.ptr) - p->pos - 1);
    if ((value.len != 0 && memchr(value.ptr, '\\', value.len) != NULL)
        || (value.len != 0 && memchr(value.ptr, '\n', value.len) != NULL)) {
        return syntax(p, "a string without backslash or line end");
    }
    p->pos += value.len + 2;
    ret->is_var = false;
    ret->text = value;
    return PEXCZ_OK;
}

static int
parse_op(struct parser *p, struct item *item)
{
    static const struct {
        const char *text;
        enum pexcz_spec_op op;
    } ops[] = {
        {"===", PEXCZ_OP_ARBITRARY}, {"==", PEXCZ_OP_EQ},
        {"~=", PEXCZ_OP_COMPATIBLE}, {"!=", PEXCZ_OP_NE},
        {"<=", PEXCZ_OP_LE},         {">=", PEXCZ_OP_GE},
        {"<", PEXCZ_OP_LT},          {">", PEXCZ_OP_GT},
    };
    size_t start;

    if (take_word(p, "in")) {
        item->op = OP_IN;
        item->op_text = "in";
        return PEXCZ_OK;
    }
    if (take_word(p, "not")) {
        start = p->pos;
        skip_space(p);
        if (p->pos == start || !take_word(p, "in")) {
            return syntax(p, "'in' after 'not'");
        }
        item->op = OP_NOT_IN;
        item->op_text = "not in";
        return PEXCZ_OK;
    }
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        size_t n = strlen(ops[i].text);

        if (p->text.len - p->pos >= n
            && memcmp(p->text.ptr + p->pos, ops[i].text, n) == 0) {
            p->pos += n;
            item->op = OP_SPEC;
            item->spec_op = ops[i].op;
            item->op_text = ops[i].text;
            return PEXCZ_OK;
        }
    }
    return syntax(p, "a marker operator");
}

/* A value compared with `extra` is put in canonical form, as extras are. */
static int
normalize_extra(struct parser *p, const struct operand *var,
                struct operand *value)
{
    char *name;

    if (!var->is_var || value->is_var || (var->var != PEXCZ_VAR_EXTRA)) {
        return PEXCZ_OK;
    }
    name = pexcz_name_canonical(value->text, p->arena, p->err);
    if (name == NULL) {
        return PEXCZ_E_NOMEM;
    }
    value->text = pexcz_slice_str(name);
    return PEXCZ_OK;
}

static int
parse_comparison(struct parser *p, struct item *item)
{
    int rc = parse_operand(p, &item->lhs);

    if (rc == PEXCZ_OK) {
        skip_space(p);
        rc = parse_op(p, item);
    }
    if (rc == PEXCZ_OK) {
        skip_space(p);
        rc = parse_operand(p, &item->rhs);
    }
    if (rc == PEXCZ_OK) {
        rc = normalize_extra(p, &item->lhs, &item->rhs);
    }
    if (rc == PEXCZ_OK) {
        rc = normalize_extra(p, &item->rhs, &item->lhs);
    }
    return rc;
}

/* atom (("and" | "or") atom)*, to its end. */
static int
parse_expression(struct parser *p, const struct pexcz_marker **ret)
{
    struct pexcz_marker *m
        = pexcz_arena_alloc(p->arena, 1, sizeof(*m), p->err);
    bool after_or = false;

    if (m == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (;;) {
        void *items = m->items;
        struct item *item;
        int rc = pexcz_arena_grow(p->arena, &items, m->count, &m->cap,
                                  sizeof(*m->items), p->err);

        if (rc < 0) {
            return rc;
        }
        m->items = items;
        item = &m->items[m->count++];
        item->after_or = after_or;
        skip_space(p);
        if (peek(p) == '(') {
            if (++p->depth > MAX_DEPTH) {
                return syntax(p, "less nesting");
            }
            p->pos++;
            rc = parse_expression(p, &item->group);
            if (rc == PEXCZ_OK && peek(p) != ')') {
                rc = syntax(p, "a closing parenthesis");
            }
            p->pos++;
            p->depth--;
        }
        else {
            rc = parse_comparison(p, item);
        }
        if (rc < 0) {
            return rc;
        }
        skip_space(p);
        if (take_word(p, "or")) {
            after_or = true;
        }
        else if (take_word(p, "and")) {
            after_or = false;
        }
        else {
            break;
        }
    }
    *ret = m;
    return PEXCZ_OK;
}

int
pexcz_marker_parse(struct pexcz_slice text, struct pexcz_arena *arena,
                   const struct pexcz_marker **ret, struct pexcz_error *err)
{
    struct parser p = {text, 0, 0, arena, err};
    const struct pexcz_marker *m;
    int rc = parse_expression(&p, &m);

    if (rc < 0) {
        return rc;
    }
    if (p.pos != text.len) {
        return syntax(&p, "the end of the marker");
    }
    *ret = m;
    return PEXCZ_OK;
}

static bool
is_version_var(int var)
{
    return var == PEXCZ_VAR_IMPLEMENTATION_VERSION
           || var == PEXCZ_VAR_PLATFORM_RELEASE
           || var == PEXCZ_VAR_PYTHON_FULL_VERSION
           || var == PEXCZ_VAR_PYTHON_VERSION;
}

static int
undefined(const struct item *item, struct pexcz_error *err)
{
    char left[80];
    char right[80];

    pexcz_utf8_escape(item->lhs.text, left, sizeof(left));
    pexcz_utf8_escape(item->rhs.text, right, sizeof(right));
    return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                      "undefined marker comparison: '%s' %s '%s'", left,
                      item->op_text, right);
}

/* Two values that are not compared as versions. */
static int
eval_strings(const struct item *item, struct pexcz_slice lhs,
             struct pexcz_slice rhs, bool *ret, struct pexcz_error *err)
{
    bool equal = pexcz_slice_eq(lhs, rhs);

    if (item->op != OP_SPEC) {
        bool in = lhs.len == 0
                  || memmem(rhs.ptr, rhs.len, lhs.ptr, lhs.len) != NULL;

        *ret = in == (item->op == OP_IN);
        return PEXCZ_OK;
    }
    switch (item->spec_op) {
    case PEXCZ_OP_EQ:
    case PEXCZ_OP_LE:
    case PEXCZ_OP_GE:
        *ret = equal;
        return PEXCZ_OK;
    case PEXCZ_OP_NE:
        *ret = !equal;
        return PEXCZ_OK;
    case PEXCZ_OP_LT:
    case PEXCZ_OP_GT:
        *ret = false;
        return PEXCZ_OK;
    case PEXCZ_OP_ARBITRARY:
    case PEXCZ_OP_COMPATIBLE:
        break;
    }
    return undefined(item, err);
}

static int
eval_comparison(const struct item *item, const struct pexcz_marker_env *env,
                const char *extra, bool *ret, struct pexcz_error *err)
{
    /* With a value on the left, the right side is taken for a variable, a
     * quoted name of one included. */
    const struct operand *named = item->lhs.is_var ? &item->lhs : &item->rhs;
    int var = named->is_var ? named->var : -1;
    struct pexcz_slice lhs = item->lhs.text;
    struct pexcz_slice rhs = item->rhs.text;
    struct pexcz_slice value;

    for (size_t i = 0; !named->is_var && i < VARIABLE_COUNT; i++) {
        if (variables[i].var >= 0 && strchr(variables[i].name, '.') == NULL
            && strcmp(variables[i].name, "python_implementation") != 0
            && pexcz_slice_eq(named->text,
                              pexcz_slice_str(variables[i].name))) {
            var = variables[i].var;
        }
    }
    if (var < 0) {
        return undefined(item, err);
    }
    value = pexcz_slice_str(var == PEXCZ_VAR_EXTRA ? extra : env->values[var]);
    if (named == &item->lhs) {
        lhs = value;
    }
    else {
        rhs = value;
    }
    if (item->op == OP_SPEC && is_version_var(var)) {
        char text[512];
        struct pexcz_specifier spec;
        int n = snprintf(text, sizeof(text), "%s%.*s", item->op_text,
                         (int)(rhs.len > 400 ? 400 : rhs.len),
                         (const char *)rhs.ptr);

        if (rhs.len <= 400 && n > 0
            && pexcz_specifier_parse(pexcz_slice_make(text, (size_t)n),
                                     &spec)) {
            *ret = pexcz_specifier_contains(&spec, lhs);
            return PEXCZ_OK;
        }
    }
    return eval_strings(item, lhs, rhs, ret, err);
}

int
pexcz_marker_eval(const struct pexcz_marker *marker,
                  const struct pexcz_marker_env *env, const char *extra,
                  bool *ret, struct pexcz_error *err)
{
    bool any = false;
    bool all = true;

    /* "and" binds tighter; every part is evaluated, for its errors. */
    for (size_t i = 0; i < marker->count; i++) {
        const struct item *item = &marker->items[i];
        bool value = false;
        int rc = item->group != NULL
                     ? pexcz_marker_eval(item->group, env, extra, &value, err)
                     : eval_comparison(item, env, extra, &value, err);

        if (rc < 0) {
            return rc;
        }
        if (item->after_or) {
            any = any || all;
            all = true;
        }
        all = all && value;
    }
    *ret = any || all;
    return PEXCZ_OK;
}
