/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect.h"

#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>

/* A NULL given to json_object_set_new() and the like makes them fail, so that
 * only the outermost call is checked. */

static int
no_memory(struct pexcz_error *err)
{
    return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
}

json_t *
pexcz_inspect_json_text(struct pexcz_slice s)
{
    char *escaped;
    json_t *ret;

    if (pexcz_utf8_valid(s)) {
        return json_stringn((const char *)s.ptr, s.len);
    }
    escaped = malloc(s.len * 4 + 8);
    if (escaped == NULL) {
        return NULL;
    }
    pexcz_utf8_escape(s, escaped, s.len * 4 + 8);
    ret = json_string(escaped);
    free(escaped);
    return ret;
}

static json_t *
text(struct pexcz_slice s)
{
    return pexcz_inspect_json_text(s);
}

static json_t *
number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

/* --- settings ----------------------------------------------------------- */

/* PEX-INFO is an object already; what cannot be parsed stays text. */
static json_t *
setting_value(uint32_t key, struct pexcz_slice value)
{
    json_t *parsed = NULL;

    if (key == PEXCZ_BOOT_PEX_INFO) {
        parsed = json_loadb((const char *)value.ptr, value.len, 0, NULL);
    }
    return parsed != NULL ? parsed : text(value);
}

static int
add_setting(json_t *settings, uint32_t key, struct pexcz_slice value)
{
    const char *name = pexcz_boot_key_name(key);
    json_t *list;

    if (name == NULL) {
        return 0;
    }
    if (!pexcz_blob_boot_repeats(key)) {
        return json_object_set_new(settings, name, setting_value(key, value));
    }
    list = json_object_get(settings, name);
    if (list == NULL) {
        list = json_array();
        if (json_object_set_new(settings, name, list) != 0) {
            return -1;
        }
    }
    return json_array_append_new(list, setting_value(key, value));
}

static int
add_settings(json_t *root, const struct pexcz_blob *blob)
{
    json_t *settings = json_object();
    struct pexcz_slice value;
    uint32_t cursor = 0;
    uint32_t key;
    int rc = settings != NULL ? 0 : -1;

    while (rc == 0 && pexcz_blob_boot_next(blob, &cursor, &key, &value)) {
        rc = add_setting(settings, key, value);
    }
    if (rc != 0) {
        json_decref(settings);
        return rc;
    }
    return json_object_set_new(root, "settings", settings);
}

/* --- parts, distributions ----------------------------------------------- */

static int
add_parts(json_t *root, const struct pexcz_packed_file *file)
{
    json_t *parts = json_array();
    int rc = json_object_set_new(root, "parts", parts);

    for (int i = 0; rc == 0 && i < PEXCZ_PART_COUNT; i++) {
        const struct pexcz_packed_blob *p = &file->parts[i];
        char id[2 * sizeof(p->blob.id) + 1];

        if (!p->present) {
            continue;
        }
        for (size_t k = 0; k < sizeof(p->blob.id); k++) {
            (void)snprintf(id + 2 * k, 3, "%02x", p->blob.id[k]);
        }
        rc = json_array_append_new(
            parts,
            json_pack("{s:s, s:s, s:o, s:o, s:i}", "part",
                      pexcz_part_name((enum pexcz_part)i), "id", id, "offset",
                      number(p->offset), "size", number(p->size),
                      "python_magic", (int)p->blob.python_magic));
    }
    return rc;
}

static int
add_sums(json_t *object, const struct pexcz_sums *sums)
{
    if (object == NULL
        || json_object_set_new(object, "files", number(sums->files)) != 0
        || json_object_set_new(object, "modules", number(sums->modules)) != 0
        || json_object_set_new(object, "size", number(sums->size)) != 0
        || json_object_set_new(object, "stored", number(sums->stored)) != 0) {
        return -1;
    }
    return 0;
}

static int
add_dists(json_t *root, const struct pexcz_inspection *in)
{
    json_t *dists = json_array();
    int rc = json_object_set_new(root, "distributions", dists);

    for (size_t i = 0; rc == 0 && i < in->dist_count; i++) {
        const struct pexcz_inspected_dist *d = &in->dists[i];
        json_t *dist
            = json_pack("{s:o, s:o}", "name", text(pexcz_slice_str(d->name)),
                        "version", text(pexcz_slice_str(d->version)));

        rc = json_array_append_new(dists, dist);
        if (rc == 0) {
            rc = add_sums(dist, &d->sums);
        }
    }
    return rc;
}

/* --- entries ------------------------------------------------------------ */

static int
add_stored(json_t *object, const struct pexcz_stored *s)
{
    if (object == NULL
        || json_object_set_new(object, "size", number(s->size)) != 0
        || json_object_set_new(object, "stored", number(s->stored)) != 0
        || json_object_set_new(object, "storage",
                               json_string(pexcz_storage_name(s->storage)))
               != 0) {
        return -1;
    }
    return s->again ? json_object_set_new(object, "shared", json_true()) : 0;
}

static int
add_module(json_t *item, const struct pexcz_inspected *e)
{
    json_t *module
        = json_pack("{s:s}", "kind", pexcz_module_kind_name(&e->module));
    json_t *code;

    if (json_object_set_new(item, "module", module) != 0
        || (e->module_name != NULL
            && json_object_set_new(module, "name",
                                   text(pexcz_slice_str(e->module_name)))
                   != 0)) {
        return -1;
    }
    if (!e->has_code) {
        return 0;
    }
    code = json_object();
    return json_object_set_new(module, "bytecode", code) != 0
               ? -1
               : add_stored(code, &e->code);
}

static int
add_entry(json_t *entries, const struct pexcz_inspection *in,
          const struct pexcz_inspected *e)
{
    char mode[8];
    json_t *item;

    (void)snprintf(mode, sizeof(mode), "%04o", (unsigned int)e->entry.mode);
    item = json_pack("{s:o, s:s, s:s, s:s, s:o}", "path",
                     text(pexcz_slice_str(e->path)), "part",
                     pexcz_part_name(e->part), "kind",
                     pexcz_entry_kind_name(e->entry.kind), "mode", mode,
                     "mtime", number((uint64_t)e->entry.mtime));
    if (json_array_append_new(entries, item) != 0) {
        return -1;
    }
    if (e->entry.payload != PEXCZ_NONE && add_stored(item, &e->content) != 0) {
        return -1;
    }
    if (e->entry.payload == PEXCZ_NONE
        && json_object_set_new(item, "size", number(e->content.size)) != 0) {
        return -1;
    }
    if (e->link != NULL
        && json_object_set_new(item, "target", text(pexcz_slice_str(e->link)))
               != 0) {
        return -1;
    }
    if (e->distribution != PEXCZ_NO_DISTRIBUTION
        && json_object_set_new(
               item, "distribution",
               text(pexcz_slice_str(in->dists[e->distribution].name)))
               != 0) {
        return -1;
    }
    return e->is_module ? add_module(item, e) : 0;
}

static int
add_entries(json_t *root, const struct pexcz_inspection *in)
{
    json_t *entries = json_array();
    int rc = json_object_set_new(root, "entries", entries);

    for (size_t i = 0; rc == 0 && i < in->entry_count; i++) {
        rc = add_entry(entries, in, &in->entries[i]);
    }
    return rc;
}

static json_t *
make_root(const struct pexcz_inspection *in)
{
    const struct pexcz_packed_file *file = in->file;
    const struct pexcz_blob *blob = file->tree.layers[0];
    json_t *total = json_object();
    json_t *root = json_pack(
        "{s:o, s:o, s:s, s:o, s:o, s:o}", "file",
        text(pexcz_slice_str(file->path)), "size", number(file->bytes.len),
        "machine", pexcz_elf_machine_name(file->elf.header.e_machine),
        "python",
        json_sprintf("%u.%u", blob->python_major, blob->python_minor),
        "program_size", number(in->program), "total", total);

    if (root == NULL || add_sums(total, &in->total) != 0
        || add_parts(root, file) != 0 || add_settings(root, blob) != 0
        || add_dists(root, in) != 0 || add_entries(root, in) != 0) {
        json_decref(root);
        return NULL;
    }
    return root;
}

int
pexcz_inspect_print_json(const struct pexcz_inspection *in,
                         struct pexcz_error *err)
{
    json_t *root = make_root(in);

    if (root == NULL) {
        return no_memory(err);
    }
    /* A failed write is seen when stdout is flushed. */
    (void)json_dumpf(root, stdout, JSON_INDENT(1));
    (void)putchar('\n');
    json_decref(root);
    return PEXCZ_OK;
}
