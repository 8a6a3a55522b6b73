/* SPDX-License-Identifier: Apache-2.0 */
#include "script_text.h"

#include "buf.h"

#include <strings.h>

static bool
is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool
is_word(uint8_t c)
{
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
           || c == '_';
}

static struct pexcz_slice
first_line(struct pexcz_slice text)
{
    return pexcz_slice_take(&text, '\n');
}

/* Length of `word` if `s` has it at i in any case, else 0. */
static size_t
word_at(struct pexcz_slice s, size_t i, const char *word)
{
    size_t n = strlen(word);

    return s.len - i >= n && strncasecmp((const char *)s.ptr + i, word, n) == 0
               ? n
               : 0;
}

/* "python3.11w.exe", then the end of the line or an argument. */
static bool
is_python_at(struct pexcz_slice line, size_t i)
{
    size_t n = word_at(line, i, "python");

    if (n == 0) {
        n = word_at(line, i, "pypy");
    }
    if (n == 0) {
        return false;
    }
    i += n;
    while (i < line.len && is_digit(line.ptr[i])) {
        i++;
    }
    while (i + 1 < line.len && line.ptr[i] == '.'
           && is_digit(line.ptr[i + 1])) {
        i++;
        while (i < line.len && is_digit(line.ptr[i])) {
            i++;
        }
    }
    i += word_at(line, i, "w");
    i += word_at(line, i, ".exe");
    return i == line.len || is_space(line.ptr[i]);
}

bool
pexcz_is_python_script(struct pexcz_slice text)
{
    struct pexcz_slice line = first_line(text);

    if (line.len < 2 || line.ptr[0] != '#' || line.ptr[1] != '!') {
        return false;
    }
    for (size_t i = 2; i < line.len; i++) {
        if ((i == 2 || !is_word(line.ptr[i - 1])) && is_python_at(line, i)) {
            return true;
        }
    }
    return false;
}

int
pexcz_script_rewrite(struct pexcz_slice text, struct pexcz_arena *arena,
                     struct pexcz_slice *ret, struct pexcz_error *err)
{
    size_t skip = first_line(text).len;
    size_t shebang = strlen(PEXCZ_SHEBANG);
    char *copy;

    skip += skip < text.len ? 1 : 0;
    copy = pexcz_arena_alloc(arena, shebang + text.len - skip, 1, err);
    if (copy == NULL) {
        return PEXCZ_E_NOMEM;
    }
    memcpy(copy, PEXCZ_SHEBANG, shebang);
    memcpy(copy + shebang, text.ptr + skip, text.len - skip);
    *ret = pexcz_slice_make(copy, shebang + text.len - skip);
    return PEXCZ_OK;
}

/* 'a', 'b' or, for one name, 'a',: the inside of a tuple in Python. */
static int
format_tuple(struct pexcz_buf *buf, const char *dotted,
             struct pexcz_error *err)
{
    bool several = strchr(dotted, '.') != NULL;
    int rc = PEXCZ_OK;

    while (rc == PEXCZ_OK && *dotted != '\0') {
        size_t n = strcspn(dotted, ".");
        bool last = dotted[n] == '\0';

        rc = pexcz_buf_printf(buf, err, "'%.*s'%s", (int)n, dotted,
                              !last     ? ", "
                              : several ? ""
                                        : ",");
        dotted += n + (last ? 0 : 1);
    }
    return rc;
}

static int
generate_body(const struct pexcz_script *script, struct pexcz_buf *buf,
              struct pexcz_error *err)
{
    int rc;

    if (script->attr == NULL) {
        return pexcz_buf_printf(
            buf, err,
            PEXCZ_SHEBANG "# -*- coding: utf-8 -*-\n"
                          "import runpy\n"
                          "import sys\n"
                          "\n"
                          "if __name__ == \"__main__\":\n"
                          "    runpy.run_module('%s', run_name=\"__main__\", "
                          "alter_sys=True)\n"
                          "    sys.exit(0)\n",
            script->module);
    }
    rc = pexcz_buf_printf(buf, err,
                          PEXCZ_SHEBANG
                          "# -*- coding: utf-8 -*-\n"
                          "import importlib\n"
                          "import sys\n"
                          "\n"
                          "entry_point = importlib.import_module('%s')\n"
                          "for attr in (",
                          script->module);
    if (rc == PEXCZ_OK) {
        rc = format_tuple(buf, script->attr, err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_buf_printf(buf, err,
                              "):\n"
                              "    entry_point = getattr(entry_point, attr)\n"
                              "\n"
                              "if __name__ == \"__main__\":\n"
                              "    sys.exit(entry_point())\n");
    }
    return rc;
}

int
pexcz_script_generate(const struct pexcz_script *script,
                      struct pexcz_arena *arena, struct pexcz_slice *ret,
                      struct pexcz_error *err)
{
    struct pexcz_buf buf = {0};
    int rc = generate_body(script, &buf, err);

    if (rc == PEXCZ_OK) {
        char *copy = pexcz_arena_dup(arena, pexcz_buf_slice(&buf), err);

        rc = copy == NULL ? PEXCZ_E_NOMEM : PEXCZ_OK;
        if (copy != NULL) {
            *ret = pexcz_slice_make(copy, buf.len);
        }
    }
    pexcz_buf_done(&buf);
    return rc;
}
