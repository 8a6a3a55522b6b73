/* SPDX-License-Identifier: Apache-2.0 */
#include "import_closure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct closure {
    const struct pexcz_plan *plan;
    const struct pexcz_strings *search_path;
    bool *hot;
    struct pexcz_buf *outside;
    size_t *queue; /* entries that became hot; each at most once */
    size_t queued;
};

struct import_line {
    int depth;
    int level;
    char *name;
    char *from; /* names with commas between */
};

/* Whether `path` is a module's source; if so, it is hot from now on. */
static bool
visit_file(struct closure *c, const char *path)
{
    const struct pexcz_plan_entry *e = pexcz_plan_find(c->plan, path);
    size_t i;

    if (e == NULL || !e->compile) {
        return false;
    }
    i = (size_t)(e - c->plan->entries);
    if (!c->hot[i]) {
        c->hot[i] = true;
        c->queue[c->queued++] = i;
    }
    return true;
}

/* The module `dotted` below the folder `base`, its packages first; whether
 * the first of them is there. */
static bool
visit_module(struct closure *c, const char *base, const char *dotted)
{
    char path[PEXCZ_MAX_PATH + 32];
    size_t len = strlen(base);
    size_t end;
    bool is_first = true;
    bool found = false;

    if (len + strlen(dotted) + 2 > PEXCZ_MAX_PATH) {
        return false;
    }
    (void)snprintf(path, sizeof(path), "%s", base);
    while (*dotted != '\0') {
        size_t n = strcspn(dotted, ".");

        path[len++] = '/';
        memcpy(path + len, dotted, n);
        len += n;
        dotted += dotted[n] == '.' ? n + 1 : n;
        end = len;
        (void)strcpy(path + end, "/__init__.py");
        if (visit_file(c, path)) {
            found = true;
        }
        else {
            (void)strcpy(path + end, ".py");
            found = visit_file(c, path) || found;
        }
        path[end] = '\0';
        if (is_first && !found) {
            found = pexcz_plan_find(c->plan, path) != NULL; /* namespace */
        }
        is_first = false;
    }
    return found;
}

static bool
visit_with_from(struct closure *c, const char *base, char *name, char *from)
{
    char whole[PEXCZ_MAX_PATH];
    char *save = NULL;
    bool found = visit_module(c, base, name);

    for (char *part = strtok_r(from, ",", &save); part != NULL;
         part = strtok_r(NULL, ",", &save)) {
        int n = snprintf(whole, sizeof(whole), "%s%s%s", name,
                         *name != '\0' ? "." : "", part);

        if (n > 0 && (size_t)n < sizeof(whole)) {
            (void)visit_module(c, base, whole);
        }
    }
    return found;
}

/* "DEPTH LEVEL NAME FROM,FROM", cut up in place; NAME and FROM may be empty.
 */
static bool
parse_line(char *line, struct import_line *ret)
{
    char *end;

    ret->depth = (int)strtol(line, &end, 10);
    if (*end != ' ') {
        return false;
    }
    ret->level = (int)strtol(end + 1, &end, 10);
    if (*end != ' ') {
        return false;
    }
    ret->name = end + 1;
    ret->from = strchr(ret->name, ' ');
    if (ret->from == NULL) {
        return false;
    }
    *ret->from++ = '\0';
    return true;
}

static int
visit_import(struct closure *c, const char *importer,
             const struct import_line *line, struct pexcz_error *err)
{
    char base[PEXCZ_MAX_PATH + 1];
    bool found = false;

    if (line->level == 0) {
        for (size_t i = 0; i < c->search_path->count; i++) {
            char *from = strdup(line->from);

            if (from != NULL) {
                found = visit_with_from(c, c->search_path->items[i],
                                        line->name, from)
                        || found;
            }
            free(from);
        }
        return found ? PEXCZ_OK
                     : pexcz_buf_printf(c->outside, err, "%s %s\n", line->name,
                                        line->from);
    }
    (void)snprintf(base, sizeof(base), "%s", importer);
    for (int i = 0; i < line->level; i++) {
        char *slash = strrchr(base, '/');

        if (slash == NULL) {
            return PEXCZ_OK;
        }
        *slash = '\0';
    }
    (void)visit_with_from(c, base, line->name, line->from);
    return PEXCZ_OK;
}

/* Follows the imports of entry `i`. */
static int
scan(struct closure *c, size_t i, const struct pexcz_compiled *compiled,
     bool is_first, struct pexcz_error *err)
{
    const struct pexcz_buf *imports = &compiled[i].imports;
    char *text = malloc(imports->len + 1);
    char *save = NULL;
    int rc = PEXCZ_OK;

    if (text == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    if (imports->len != 0) {
        memcpy(text, imports->ptr, imports->len);
    }
    text[imports->len] = '\0';
    for (char *row = strtok_r(text, "\n", &save);
         row != NULL && rc == PEXCZ_OK; row = strtok_r(NULL, "\n", &save)) {
        struct import_line line;

        if (parse_line(row, &line) && (is_first || line.depth == 0)) {
            rc = visit_import(c, c->plan->entries[i].path, &line, err);
        }
    }
    free(text);
    return rc;
}

int
pexcz_import_closure(const struct pexcz_plan *plan,
                     const struct pexcz_strings *search_path,
                     const struct pexcz_compiled *compiled,
                     const struct pexcz_strings *roots, bool *hot,
                     struct pexcz_buf *outside, struct pexcz_error *err)
{
    struct closure c = {
        .plan = plan,
        .search_path = search_path,
        .hot = hot,
        .outside = outside,
        .queue = pexcz_alloc_array(plan->entry_count, sizeof(*c.queue)),
    };
    size_t first;
    int rc = PEXCZ_OK;

    if (c.queue == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    for (size_t i = 0; i < roots->count; i++) {
        for (size_t k = 0; k < search_path->count; k++) {
            (void)visit_module(&c, search_path->items[k], roots->items[i]);
        }
    }
    first = c.queued;
    for (size_t i = 0; i < c.queued && rc == PEXCZ_OK; i++) {
        rc = scan(&c, c.queue[i], compiled, i < first, err);
    }
    free(c.queue);
    return rc;
}
