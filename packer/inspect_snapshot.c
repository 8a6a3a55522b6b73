/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect.h"

#include "exe_layout.h"
#include "progress.h"
#include "snapshot_contents.h"
#include "utf8.h"

#include <jansson.h>
#include <stdio.h>

#define SHOWN_SIZE 4096

/* --- text ---------------------------------------------------------------- */

static const char *
show(const char *text, char shown[SHOWN_SIZE])
{
    pexcz_utf8_escape(pexcz_slice_str(text), shown, SHOWN_SIZE);
    return shown;
}

static void
print_size(const char *name, uint64_t bytes)
{
    char size[16];

    pexcz_format_size(bytes, size);
    (void)printf("  %-16s %9s\n", name, size);
}

static void
print_head(const struct pexcz_inspection *in,
           const struct pexcz_snapshot_contents *c)
{
    char shown[SHOWN_SIZE];
    char size[16];

    pexcz_format_size(c->view.bytes.len, size);
    (void)printf("%s: snapshot of %s at 0x%llx\n", show(in->file->path, shown),
                 size, (unsigned long long)PEXCZ_ADDR_SNAPSHOT);
    print_size("heap", c->heap);
    print_size("static data", c->static_data);
    print_size("shared objects", c->library_data);
    print_size("tables", c->tables);
    (void)printf("  %-16s %6.0f ms of an ordinary start\n", "predicted gain",
                 c->gain);
    (void)printf("  %-16s %u\n", "hash seed",
                 pexcz_snapshot_hash_seed(c->view.header.app_id));
    if (c->view.header.cpu_count != 0) {
        (void)printf("  %-16s %s\n", "processor",
                     "with the features of that which packed");
    }
    if (c->view.header.glibc_minor != 0) {
        (void)printf("  %-16s 2.%u or later\n", "glibc",
                     c->view.header.glibc_minor);
    }
    for (size_t i = 0; i < c->notes.count; i++) {
        (void)printf("  %s\n", show(c->notes.items[i], shown));
    }
}

/* How often $HOME is in the snapshot. */
static uint64_t
home_places(const struct pexcz_snapshot_header *h)
{
    return h->home.size / sizeof(struct pexcz_snapshot_home);
}

static void
print_gates(const struct pexcz_snapshot_contents *c)
{
    char shown[SHOWN_SIZE];

    if (c->variable_count + c->absent.count + c->view.header.home_is_read
            + c->view.header.encoding_is_read
        == 0) {
        return;
    }
    (void)printf("\nUsed only when\n");
    if (c->view.header.home_is_read != 0) {
        (void)printf("  $HOME is a usual path (%llu places)\n",
                     (unsigned long long)home_places(&c->view.header));
    }
    if (c->view.header.encoding_is_read != 0) {
        (void)printf("  the locale is one of UTF-8\n");
    }
    for (size_t i = 0; i < c->variable_count; i++) {
        const struct pexcz_snapshot_variable *v = &c->variables[i];

        (void)printf("  $%s is ", show(v->name, shown));
        (void)printf("%s\n",
                     v->value != NULL ? show(v->value, shown) : "not set");
    }
    for (size_t i = 0; i < c->absent.count; i++) {
        (void)printf("  %s is not there\n", show(c->absent.items[i], shown));
    }
}

static void
print_libraries(const struct pexcz_snapshot_contents *c)
{
    char shown[SHOWN_SIZE];
    char size[16];

    if (c->library_count != 0) {
        (void)printf("\n%12s %9s  %s\n", "address", "size", "shared object");
    }
    for (size_t i = 0; i < c->library_count; i++) {
        pexcz_format_size(c->libraries[i].size, size);
        (void)printf("%12llx %9s  %s\n",
                     (unsigned long long)c->libraries[i].base, size,
                     show(c->libraries[i].path, shown));
    }
}

static void
print_left(const struct pexcz_snapshot_contents *c)
{
    char shown[SHOWN_SIZE];

    if (c->left_count != 0) {
        (void)printf("\nNot in the snapshot: %zu modules\n", c->left_count);
    }
    for (size_t i = 0; i < c->left_count; i++) {
        const struct pexcz_snapshot_left *left = &c->left[i];
        const char *next = strchr(left->chain, ' ');

        (void)printf("  %s: ", show(left->module, shown));
        for (; next != NULL; next = strchr(next + 1, ' ')) {
            (void)printf("imports %.*s, ", (int)strcspn(next + 1, " "),
                         show(next + 1, shown));
        }
        (void)printf("%s\n", show(left->reason, shown));
    }
}

static void
print_modules(const struct pexcz_snapshot_contents *c)
{
    char shown[SHOWN_SIZE];
    char size[16];

    (void)printf("\n%9s  in the snapshot: %zu modules\n", "bytecode",
                 c->module_count);
    for (size_t i = 0; i < c->module_count; i++) {
        const struct pexcz_snapshot_module *m = &c->modules[i];

        pexcz_format_size(m->size, size);
        (void)printf("%9s  %s\n", m->size != 0 ? size : "",
                     show(m->name, shown));
    }
}

/* --- JSON ---------------------------------------------------------------- */

static json_t *
text(const char *s)
{
    return pexcz_inspect_json_text(pexcz_slice_str(s));
}

static json_t *
number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *
texts(const struct pexcz_strings *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++) {
        (void)json_array_append_new(array, text(list->items[i]));
    }
    return array;
}

static json_t *
chain_of(const struct pexcz_snapshot_left *left)
{
    json_t *array = json_array();
    const char *at = left->chain;

    while (*at != '\0') {
        size_t n = strcspn(at, " ");

        (void)json_array_append_new(
            array, pexcz_inspect_json_text(pexcz_slice_make(at, n)));
        at += n + (at[n] != '\0');
    }
    return array;
}

static json_t *
modules(const struct pexcz_snapshot_contents *c)
{
    json_t *array = json_array();

    for (size_t i = 0; i < c->module_count; i++) {
        (void)json_array_append_new(
            array, json_pack("{s:o, s:o}", "name", text(c->modules[i].name),
                             "bytecode", number(c->modules[i].size)));
    }
    return array;
}

static json_t *
left_out(const struct pexcz_snapshot_contents *c)
{
    json_t *array = json_array();

    for (size_t i = 0; i < c->left_count; i++) {
        const struct pexcz_snapshot_left *left = &c->left[i];

        (void)json_array_append_new(
            array,
            json_pack("{s:o, s:o, s:o}", "name", text(left->module), "reason",
                      text(left->reason), "chain", chain_of(left)));
    }
    return array;
}

static json_t *
variables(const struct pexcz_snapshot_contents *c)
{
    json_t *array = json_array();

    for (size_t i = 0; i < c->variable_count; i++) {
        const struct pexcz_snapshot_variable *v = &c->variables[i];

        (void)json_array_append_new(
            array, json_pack("{s:o, s:o}", "name", text(v->name), "value",
                             v->value != NULL ? text(v->value) : json_null()));
    }
    return array;
}

static json_t *
libraries(const struct pexcz_snapshot_contents *c)
{
    json_t *array = json_array();

    for (size_t i = 0; i < c->library_count; i++) {
        const struct pexcz_snapshot_library *l = &c->libraries[i];

        (void)json_array_append_new(array, json_pack("{s:o, s:o, s:o}", "path",
                                                     text(l->path), "address",
                                                     number(l->base), "size",
                                                     number(l->size)));
    }
    return array;
}

static int
print_json(const struct pexcz_inspection *in,
           const struct pexcz_snapshot_contents *c, struct pexcz_error *err)
{
    const struct pexcz_snapshot_header *h = &c->view.header;
    json_t *root = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f, s:o, s:b, s:i, s:o, s:o, "
        "s:o, "
        "s:o, s:o, s:o, s:b, s:o}",
        "file", text(in->file->path), "size", number(c->view.bytes.len),
        "address", number(PEXCZ_ADDR_SNAPSHOT), "heap", number(c->heap),
        "static_data", number(c->static_data), "library_data",
        number(c->library_data), "tables", number(c->tables), "predicted_gain",
        c->gain / 1000, "hash_seed",
        number(pexcz_snapshot_hash_seed(h->app_id)), "needs_processor",
        h->cpu_count != 0, "glibc_minor", (int)h->glibc_minor, "variables",
        variables(c), "absent", texts(&c->absent), "home",
        h->home_is_read != 0 ? number(home_places(h)) : json_null(),
        "libraries", libraries(c), "notes", texts(&c->notes), "left",
        left_out(c), "needs_utf8_locale", h->encoding_is_read != 0, "modules",
        modules(c));

    if (root == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    (void)json_dumpf(root, stdout, JSON_INDENT(1));
    (void)putchar('\n');
    json_decref(root);
    return PEXCZ_OK;
}

int
pexcz_inspect_print_snapshot(struct pexcz_inspection *in, bool json,
                             struct pexcz_error *err)
{
    struct pexcz_snapshot_contents c;
    int rc = pexcz_snapshot_contents_read(in, &c, err);

    if (rc < 0) {
        return rc;
    }
    if (json) {
        return print_json(in, &c, err);
    }
    print_head(in, &c);
    print_gates(&c);
    print_libraries(&c);
    print_left(&c);
    print_modules(&c);
    return PEXCZ_OK;
}
