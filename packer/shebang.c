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

static bool
has_base_name(struct pexcz_slice path, const char *prefix, bool whole)
{
    const uint8_t *slash = memrchr(path.ptr, '/', path.len);
    size_t skip = slash != NULL ? (size_t)(slash - path.ptr) + 1 : 0;
    size_t len = path.len - skip;
    size_t n = strlen(prefix);

    return len >= n && memcmp(path.ptr + skip, prefix, n) == 0
           && (!whole || len == n);
}

static int
add_words(struct pexcz_slice rest, struct pexcz_arena *arena,
          struct pexcz_strings *ret, struct pexcz_error *err)
{
    int rc = PEXCZ_OK;

    while (rc == PEXCZ_OK && rest.len != 0) {
        struct pexcz_slice word = next_word(&rest);

        if (word.ptr[0] != '-') {
            break;
        }
        rc = pexcz_strings_add(ret, arena, word, err);
    }
    return rc;
}

int
pexcz_shebang_options(struct pexcz_slice text, struct pexcz_arena *arena,
                      struct pexcz_strings *ret, struct pexcz_error *err)
{
    const uint8_t *end;
    struct pexcz_slice rest;
    struct pexcz_slice program;

    if (text.len > PEXCZ_SHEBANG_MAX) {
        text.len = PEXCZ_SHEBANG_MAX;
    }
    if (text.len < 2 || memcmp(text.ptr, "#!", 2) != 0) {
        return PEXCZ_OK;
    }
    end = memchr(text.ptr, '\n', text.len);
    if (end == NULL) {
        return PEXCZ_OK;
    }
    rest = pexcz_slice_make(text.ptr + 2, (size_t)(end - text.ptr) - 2);
    program = next_word(&rest);
    if (has_base_name(program, "env", true)) {
        if (!pexcz_slice_eq(next_word(&rest), pexcz_slice_str("-S"))) {
            return PEXCZ_OK;
        }
        program = next_word(&rest);
        return has_base_name(program, "python", false)
                   ? add_words(rest, arena, ret, err)
                   : PEXCZ_OK;
    }
    if (!has_base_name(program, "python", false) || rest.len == 0
        || rest.ptr[0] != '-') {
        return PEXCZ_OK;
    }
    return pexcz_strings_add(ret, arena, rest, err);
}
