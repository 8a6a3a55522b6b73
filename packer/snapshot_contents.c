/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_contents.h"

#include "exe_layout.h"

#include <stdlib.h>

/*
 * The predicted gain is what an ordinary start spends on what the snapshot
 * has: the interpreter itself, and for each module a constant, for finding and
 * running it, and a part that grows with its code.  The numbers are a fit to
 * docs/benchmarks.md: a current processor, nothing else to do.
 */
#define MS_OF_INTERPRETER 3.0
#define MS_PER_MODULE 0.05
#define MS_PER_KILOBYTE 0.0125

struct reading {
    struct pexcz_inspection *inspection;
    struct pexcz_snapshot_contents *contents;
    struct pexcz_error *err;
    size_t module_cap;
    size_t left_cap;
    size_t variable_cap;
};

static int
grow(struct reading *r, void **items, size_t count, size_t *cap, size_t size)
{
    return pexcz_arena_grow(&r->inspection->arena, items, count, cap, size,
                            r->err);
}

/* The text up to `end`, which is taken from *rest; NULL: no memory. */
static const char *
take(struct reading *r, struct pexcz_slice *rest, uint8_t end)
{
    return pexcz_arena_dup(&r->inspection->arena, pexcz_slice_take(rest, end),
                           r->err);
}

/* --- the report -----------------------------------------------------------
 */

static int
add_module(struct reading *r, const char *name)
{
    struct pexcz_snapshot_contents *c = r->contents;
    void *items = c->modules;
    int rc = name == NULL ? PEXCZ_E_NOMEM
                          : grow(r, &items, c->module_count, &r->module_cap,
                                 sizeof(*c->modules));

    if (rc == PEXCZ_OK) {
        c->modules = items;
        c->modules[c->module_count++]
            = (struct pexcz_snapshot_module){.name = name};
    }
    return rc;
}

static int
add_left(struct reading *r, struct pexcz_slice line)
{
    struct pexcz_snapshot_contents *c = r->contents;
    struct pexcz_snapshot_left left;
    void *items = c->left;
    int rc;

    left.module = take(r, &line, '\t');
    left.chain = take(r, &line, '\t');
    left.reason = take(r, &line, '\t');
    rc = left.module == NULL || left.chain == NULL || left.reason == NULL
             ? PEXCZ_E_NOMEM
             : grow(r, &items, c->left_count, &r->left_cap, sizeof(left));
    if (rc == PEXCZ_OK) {
        c->left = items;
        c->left[c->left_count++] = left;
    }
    return rc;
}

static int
read_line(struct reading *r, struct pexcz_slice line)
{
    const char *kind = take(r, &line, '\t');

    if (kind == NULL) {
        return PEXCZ_E_NOMEM;
    }
    if (strcmp(kind, "module") == 0) {
        return add_module(r, take(r, &line, '\t'));
    }
    if (strcmp(kind, "left") == 0) {
        return add_left(r, line);
    }
    return pexcz_strings_add(&r->contents->notes, &r->inspection->arena, line,
                             r->err);
}

static int
read_report(struct reading *r)
{
    struct pexcz_slice rest = r->contents->view.report;
    int rc = PEXCZ_OK;

    while (rest.len != 0 && rc == PEXCZ_OK) {
        rc = read_line(r, pexcz_slice_take(&rest, '\n'));
    }
    return rc;
}

/* --- tables -------------------------------------------------------------- */

static int
read_variables(struct reading *r)
{
    struct pexcz_snapshot_contents *c = r->contents;
    struct pexcz_slice rest
        = pexcz_snapshot_view_table(&c->view, &c->view.header.env);
    int rc = PEXCZ_OK;

    while (rest.len != 0 && rc == PEXCZ_OK) {
        const char *name = take(r, &rest, '\0');
        const char *value = take(r, &rest, '\0');
        void *items = c->variables;

        rc = name == NULL || value == NULL
                 ? PEXCZ_E_NOMEM
                 : grow(r, &items, c->variable_count, &r->variable_cap,
                        sizeof(*c->variables));
        if (rc == PEXCZ_OK) {
            c->variables = items;
            c->variables[c->variable_count++]
                = (struct pexcz_snapshot_variable){
                    .name = name,
                    .value = value[0] == '=' ? value + 1 : NULL,
                };
        }
    }
    return rc;
}

static int
read_absent(struct reading *r)
{
    struct pexcz_snapshot_contents *c = r->contents;
    struct pexcz_slice rest
        = pexcz_snapshot_view_table(&c->view, &c->view.header.absent);
    int rc = PEXCZ_OK;

    while (rest.len != 0 && rc == PEXCZ_OK) {
        const char *path = take(r, &rest, '\0');

        rc = path == NULL
                 ? PEXCZ_E_NOMEM
                 : pexcz_strings_add(&c->absent, &r->inspection->arena,
                                     pexcz_slice_str(path), r->err);
    }
    return rc;
}

static int
read_libraries(struct reading *r)
{
    struct pexcz_snapshot_contents *c = r->contents;
    const struct pexcz_snapshot_table *table = &c->view.header.libraries;
    struct pexcz_slice bytes = pexcz_snapshot_view_table(&c->view, table);
    struct pexcz_snapshot_library *copy
        = pexcz_arena_alloc(&r->inspection->arena, bytes.len + 1, 1, r->err);

    if (copy == NULL) {
        return PEXCZ_E_NOMEM;
    }
    memcpy(copy, bytes.ptr, bytes.len);
    c->library_count = bytes.len / sizeof(*copy);
    for (size_t i = 0; i < c->library_count; i++) {
        copy[i].path[sizeof(copy[i].path) - 1] = '\0';
    }
    c->libraries = copy;
    return PEXCZ_OK;
}

/* Of the pages those of the base and of the libraries have a table. */
static void
measure(struct pexcz_snapshot_contents *c)
{
    const struct pexcz_snapshot_header *h = &c->view.header;
    struct pexcz_slice table = pexcz_snapshot_view_table(&c->view, &h->pages);

    for (; table.len >= sizeof(struct pexcz_snapshot_page_run);
         table.ptr += sizeof(struct pexcz_snapshot_page_run),
         table.len -= sizeof(struct pexcz_snapshot_page_run)) {
        struct pexcz_snapshot_page_run run;

        memcpy(&run, table.ptr, sizeof(run));
        if (run.address < PEXCZ_ADDR_STDLIB) {
            c->static_data += run.size;
        }
        else {
            c->library_data += run.size;
        }
    }
    c->tables = c->view.bytes.len - h->tables;
    c->heap = h->tables - c->static_data - c->library_data;
}

/* --- the gain ------------------------------------------------------------ */

static int
compare_modules(const void *a, const void *b)
{
    const struct pexcz_inspected *const *one = a;
    const struct pexcz_inspected *const *other = b;

    return strcmp((*one)->module_name, (*other)->module_name);
}

static int
compare_name(const void *name, const void *module)
{
    const struct pexcz_inspected *const *m = module;

    return strcmp(name, (*m)->module_name);
}

static int
predict(struct reading *r)
{
    const struct pexcz_inspection *in = r->inspection;
    struct pexcz_snapshot_contents *c = r->contents;
    const struct pexcz_inspected **sorted
        = pexcz_alloc_array(in->entry_count + 1, sizeof(*sorted));
    size_t n = 0;

    if (sorted == NULL) {
        return pexcz_fail(r->err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    for (size_t i = 0; i < in->entry_count; i++) {
        if (in->entries[i].is_module && in->entries[i].module_name != NULL) {
            sorted[n++] = &in->entries[i];
        }
    }
    qsort(sorted, n, sizeof(*sorted), compare_modules);
    c->gain = MS_OF_INTERPRETER;
    for (size_t i = 0; i < c->module_count; i++) {
        const struct pexcz_inspected *const *found = bsearch(
            c->modules[i].name, sorted, n, sizeof(*sorted), compare_name);

        c->modules[i].size = found != NULL ? (*found)->code.size : 0;
        c->gain += MS_PER_MODULE
                   + MS_PER_KILOBYTE * (double)c->modules[i].size / 1000;
    }
    free(sorted);
    return PEXCZ_OK;
}

int
pexcz_snapshot_contents_read(struct pexcz_inspection *inspection,
                             struct pexcz_snapshot_contents *ret,
                             struct pexcz_error *err)
{
    struct reading r = {.inspection = inspection, .contents = ret, .err = err};
    int rc;

    *ret = (struct pexcz_snapshot_contents){0};
    rc = pexcz_snapshot_view_open(inspection->file, &ret->view, err);
    if (rc < 0) {
        return rc;
    }
    if (ret->view.bytes.len == 0) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0, "%s: no snapshot",
                          inspection->file->path);
    }
    measure(ret);
    rc = read_report(&r);
    if (rc == PEXCZ_OK) {
        rc = read_variables(&r);
    }
    if (rc == PEXCZ_OK) {
        rc = read_absent(&r);
    }
    if (rc == PEXCZ_OK) {
        rc = read_libraries(&r);
    }
    return rc == PEXCZ_OK ? predict(&r) : rc;
}
