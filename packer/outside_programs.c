/* SPDX-License-Identifier: Apache-2.0 */
#include "outside_programs.h"

#include <string.h>

#define SCRIPT_MAX_SIZE 1000000u

static bool
ends_with(const char *text, const char *end)
{
    size_t size = strlen(text);
    size_t end_size = strlen(end);

    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

/* A folder or file that --files makes real. */
static bool
is_real(const struct pexcz_plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->boot.files.count; i++) {
        const char *item = plan->boot.files.items[i];
        size_t size = strlen(item);

        if (strncmp(path, item, size) == 0
            && (path[size] == '/' || path[size] == '\0')) {
            return true;
        }
    }
    return false;
}

static bool
has(struct pexcz_slice text, const char *word)
{
    return memmem(text.ptr, text.len, word, strlen(word)) != NULL;
}

/* Languages whose scripts load others from beside them. */
static bool
is_for_another_interpreter(struct pexcz_slice line)
{
    return has(line, "node") || has(line, "perl") || has(line, "ruby");
}

/* A shell script that asks for its own place. */
static bool
asks_for_its_place(struct pexcz_slice text)
{
    static const char *const asks[] = {"dirname", "BASH_SOURCE", "${0%"};

    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        if (has(text, asks[i])) {
            return true;
        }
    }
    return false;
}

static const char *
judge_script(struct pexcz_slice text)
{
    struct pexcz_slice rest = text;
    struct pexcz_slice line = pexcz_slice_take(&rest, '\n');

    if (line.len < 4 || memcmp(line.ptr, "#!", 2) != 0
        || has(line, "python")) {
        return NULL;
    }
    if (is_for_another_interpreter(line)) {
        return "is a script of another language, whose interpreter";
    }
    return has(line, "sh") && asks_for_its_place(text)
               ? "is a shell script with files beside it, where the shell"
               : NULL;
}

static int
look(const struct pexcz_plan_entry *e, struct pexcz_buf *scratch,
     const char **ret_what, struct pexcz_error *err)
{
    struct pexcz_slice text;
    int rc;

    *ret_what = NULL;
    if (ends_with(e->path, ".jar")) {
        *ret_what = "is for Java, which";
        return PEXCZ_OK;
    }
    if (ends_with(e->path, "/node") && (e->mode & 0111) != 0) {
        *ret_what = "is Node.js, which";
        return PEXCZ_OK;
    }
    if (((e->mode & 0111) == 0 && !ends_with(e->path, ".sh"))
        || strstr(e->path, ".so") != NULL
        || pexcz_content_size(&e->content) > SCRIPT_MAX_SIZE) {
        return PEXCZ_OK;
    }
    scratch->len = 0;
    rc = pexcz_content_read(&e->content, scratch, &text, err);
    if (rc == PEXCZ_OK) {
        *ret_what = judge_script(text);
    }
    return rc;
}

int
pexcz_outside_programs_warn(struct pexcz_plan *plan, struct pexcz_error *err)
{
    struct pexcz_buf scratch = {0};
    const char *last_origin = NULL;
    const char *last_what = NULL;
    int rc = PEXCZ_OK;

    for (size_t i = 0; rc == PEXCZ_OK && i < plan->entry_count; i++) {
        const struct pexcz_plan_entry *e = &plan->entries[i];
        const char *what = NULL;
        char *line;

        if (e->kind != PEXCZ_KIND_FILE || e->origin == NULL
            || is_real(plan, e->path)) {
            continue;
        }
        rc = look(e, &scratch, &what, err);
        if (rc < 0 || what == NULL
            || (last_origin == e->origin && last_what == what)) {
            continue;
        }
        last_origin = e->origin;
        last_what = what;
        line = pexcz_arena_printf(&plan->arena, err,
                                  "%s: %s %s cannot look into the "
                                  "executable; see --files",
                                  e->origin, e->path, what);
        rc = line == NULL ? PEXCZ_E_NOMEM
                          : pexcz_strings_add(&plan->warnings, &plan->arena,
                                              pexcz_slice_str(line), err);
    }
    pexcz_buf_done(&scratch);
    return rc;
}
