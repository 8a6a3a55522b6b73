/* SPDX-License-Identifier: Apache-2.0 */
#include "shebang.h"

#include <string.h>

static bool
is_space(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static struct pexcz_slice
trim(struct pexcz_slice s)
{
    while (s.len != 0 && is_space(s.ptr[0])) {
        s = pexcz_slice_make(s.ptr + 1, s.len - 1);
    }
    while (s.len != 0
           && (is_space(s.ptr[s.len - 1]) || s.ptr[s.len - 1] == '\r')) {
        s.len--;
    }
    return s;
}

/* The first word of *s, which then begins behind it. */
static struct pexcz_slice
next_word(struct pexcz_slice *s)
{
    size_t n = 0;
    struct pexcz_slice word;

    *s = trim(*s);
    while (n < s->len && !is_space(s->ptr[n])) {
        n++;
    }
    word = pexcz_slice_make(s->ptr, n);
    *s = trim(pexcz_slice_make(s->ptr + n, s->len - n));
    return word;
}

static struct pexcz_slice
base_name(struct pexcz_slice path)
{
    const uint8_t *slash
        = path.len != 0 ? memrchr(path.ptr, '/', path.len) : NULL;

    return slash == NULL
               ? path
               : pexcz_slice_make(slash + 1,
                                  path.len - (size_t)(slash + 1 - path.ptr));
}

/* Whether `program` is a Python; its version from "python3.11". */
static int
read_python(struct pexcz_slice program, struct pexcz_arena *arena,
            struct pexcz_shebang *ret, bool *ret_is_python,
            struct pexcz_error *err)
{
    static const char prefix[] = "python";
    struct pexcz_slice name = base_name(program);
    size_t dots = 0;

    *ret_is_python = name.len >= sizeof(prefix) - 1
                     && memcmp(name.ptr, prefix, sizeof(prefix) - 1) == 0;
    if (!*ret_is_python) {
        return PEXCZ_OK;
    }
    name = pexcz_slice_make(name.ptr + sizeof(prefix) - 1,
                            name.len - (sizeof(prefix) - 1));
    for (size_t i = 0; i < name.len; i++) {
        dots += name.ptr[i] == '.';
        if (name.ptr[i] != '.' && (name.ptr[i] < '0' || name.ptr[i] > '9')) {
            return PEXCZ_OK;
        }
    }
    if (dots != 1) {
        return PEXCZ_OK;
    }
    ret->version = pexcz_arena_dup(arena, name, err);
    return ret->version != NULL ? PEXCZ_OK : PEXCZ_E_NOMEM;
}

/* The options in front; -W and -X have their value in the next word. */
static int
add_words(struct pexcz_slice rest, struct pexcz_arena *arena,
          struct pexcz_strings *ret, struct pexcz_error *err)
{
    int rc = PEXCZ_OK;
    bool is_value = false;

    while (rc == PEXCZ_OK && rest.len != 0) {
        struct pexcz_slice word = next_word(&rest);

        if (!is_value && word.ptr[0] != '-') {
            break;
        }
        rc = pexcz_strings_add(ret, arena, word, err);
        is_value = !is_value
                   && (pexcz_slice_eq(word, pexcz_slice_str("-W"))
                       || pexcz_slice_eq(word, pexcz_slice_str("-X")));
    }
    return rc;
}

/* What is between the quotes behind `start`, if no shell would change it. */
static struct pexcz_slice
quoted(struct pexcz_slice text, const char *start)
{
    const struct pexcz_slice none = {0};
    const uint8_t *p = memmem(text.ptr, text.len, start, strlen(start));
    const uint8_t *end;

    if (p == NULL) {
        return none;
    }
    p += strlen(start);
    end = memchr(p, '"', text.len - (size_t)(p - text.ptr));
    if (end == NULL) {
        return none;
    }
    for (const uint8_t *c = p; c < end; c++) {
        if (strchr("\\$`\n", *c) != NULL) {
            return none;
        }
    }
    return pexcz_slice_make(p, (size_t)(end - p));
}

/* The script of --sh-boot: the Python that it takes, or the first one that it
 * looks for. */
static int
read_sh_boot(struct pexcz_slice text, struct pexcz_arena *arena,
             struct pexcz_shebang *ret, struct pexcz_error *err)
{
    struct pexcz_slice python = quoted(text, "\nDEFAULT_PYTHON=\"");
    bool is_python;
    int rc;

    if (python.len == 0) {
        python = quoted(text, "\n    for python in \\\n\"");
    }
    rc = read_python(python, arena, ret, &is_python, err);
    return rc < 0 || !is_python ? rc
                                : add_words(quoted(text, "\nPYTHON_ARGS=\""),
                                            arena, &ret->options, err);
}

int
pexcz_shebang_parse(struct pexcz_slice text, struct pexcz_arena *arena,
                    struct pexcz_shebang *ret, struct pexcz_error *err)
{
    const uint8_t *end;
    struct pexcz_slice rest;
    struct pexcz_slice program;
    bool split = false;
    bool is_python;
    int rc;

    *ret = (struct pexcz_shebang){0};
    if (text.len < 2 || memcmp(text.ptr, "#!", 2) != 0) {
        return PEXCZ_OK;
    }
    end = memchr(text.ptr, '\n',
                 text.len < PEXCZ_SHEBANG_MAX ? text.len : PEXCZ_SHEBANG_MAX);
    if (end == NULL) {
        return PEXCZ_OK;
    }
    rest = pexcz_slice_make(text.ptr + 2, (size_t)(end - text.ptr) - 2);
    program = next_word(&rest);
    if (pexcz_slice_eq(base_name(program), pexcz_slice_str("env"))) {
        program = next_word(&rest);
        split = pexcz_slice_eq(program, pexcz_slice_str("-S"));
        if (split) {
            program = next_word(&rest);
        }
        else {
            rest.len = 0; /* part of the name that env looks for */
        }
    }
    if (pexcz_slice_eq(base_name(program), pexcz_slice_str("sh"))) {
        return read_sh_boot(text, arena, ret, err);
    }
    rc = read_python(program, arena, ret, &is_python, err);
    if (rc < 0 || !is_python) {
        return rc;
    }
    if (split) {
        return add_words(rest, arena, &ret->options, err);
    }
    return rest.len != 0 && rest.ptr[0] == '-'
               ? pexcz_strings_add(&ret->options, arena, rest, err)
               : PEXCZ_OK;
}
