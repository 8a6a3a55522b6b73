/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect.h"

#include "packed_file.h"
#include "progress.h"
#include "tree_walk.h"
#include "utf8.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct listing {
    json_t *entries; /* NULL: print text */
    uint64_t files;
    uint64_t size;
    uint64_t stored;
};

static const char *
kind_name(enum pexcz_entry_kind kind)
{
    switch (kind) {
    case PEXCZ_KIND_DIR:
        return "directory";
    case PEXCZ_KIND_FILE:
        return "file";
    case PEXCZ_KIND_SYMLINK:
        return "link";
    case PEXCZ_KIND_SELF:
        return "self";
    }
    return "unknown";
}

/* Bytes that the entry's content takes in the blob; shared ones count each
 * time. */
static int
stored_size(const struct pexcz_node *node, uint64_t *ret,
            struct pexcz_error *err)
{
    struct pexcz_payload payload;
    int rc;

    *ret = 0;
    if (node->entry.payload == PEXCZ_NONE) {
        return PEXCZ_OK;
    }
    rc = pexcz_blob_payload(node->blob, node->entry.payload, &payload, err);
    if (rc == PEXCZ_OK) {
        *ret = payload.stored.len;
    }
    return rc;
}

static int
list_entry(void *context, const char *path, const struct pexcz_node *node,
           struct pexcz_error *err)
{
    struct listing *l = context;
    char shown[PEXCZ_MAX_PATH * 4 + 1];
    uint64_t stored;
    json_t *item;
    int rc = stored_size(node, &stored, err);

    if (rc < 0) {
        return rc;
    }
    if (node->entry.kind == PEXCZ_KIND_FILE) {
        l->files++;
        l->size += node->entry.size;
        l->stored += stored;
    }
    if (l->entries == NULL) {
        pexcz_utf8_escape(pexcz_slice_str(path), shown, sizeof(shown));
        (void)printf("%04o %10" PRIu64 " %10" PRIu64 " %s%s\n",
                     (unsigned int)node->entry.mode, node->entry.size, stored,
                     shown, node->entry.kind == PEXCZ_KIND_DIR ? "/" : "");
        return PEXCZ_OK;
    }
    item = json_pack("{s:s, s:s, s:i, s:I, s:I, s:I}", "path", path, "kind",
                     kind_name(node->entry.kind), "mode",
                     (int)node->entry.mode, "mtime",
                     (json_int_t)node->entry.mtime, "size",
                     (json_int_t)node->entry.size, "stored",
                     (json_int_t)stored);
    return item == NULL || json_array_append_new(l->entries, item) != 0
               ? pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory")
               : PEXCZ_OK;
}

static int
print_json(const struct listing *l, const struct pexcz_blob *blob,
           struct pexcz_error *err)
{
    json_t *whole = json_pack(
        "{s:o, s:s, s:I, s:I, s:I}", "python", json_sprintf("%u.%u",
        blob->python_major, blob->python_minor), "blob", blob->name, "files",
        (json_int_t)l->files, "size", (json_int_t)l->size, "stored",
        (json_int_t)l->stored);
    int rc = PEXCZ_OK;

    if (whole == NULL || json_object_set(whole, "entries", l->entries) != 0
        || json_dumpf(whole, stdout, JSON_INDENT(1)) != 0) {
        rc = pexcz_fail(err, PEXCZ_E_NOMEM, 0, "cannot write JSON");
    }
    (void)putchar('\n');
    json_decref(whole);
    return rc;
}

static void
print_totals(const struct listing *l, const struct pexcz_blob *blob)
{
    char size[16];
    char stored[16];

    pexcz_format_size(l->size, size);
    pexcz_format_size(l->stored, stored);
    (void)printf("%s: Python %u.%u, %" PRIu64 " files, %s, stored in %s\n",
                 blob->name, blob->python_major, blob->python_minor, l->files,
                 size, stored);
}

int
pexcz_inspect(const struct pexcz_inspect_options *options,
              struct pexcz_error *err)
{
    struct pexcz_packed_file file;
    struct pexcz_tree tree;
    struct listing l = {0};
    int rc = pexcz_packed_file_open(&file, options->file, err);

    if (rc < 0) {
        return rc;
    }
    pexcz_tree_of(&file, options->all, &tree);
    if (options->json) {
        l.entries = json_array();
        if (l.entries == NULL) {
            rc = pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
        }
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_tree_walk(&tree, list_entry, &l, err);
    }
    if (rc == PEXCZ_OK && options->json) {
        rc = print_json(&l, tree.layers[0], err);
    }
    else if (rc == PEXCZ_OK) {
        print_totals(&l, tree.layers[0]);
    }
    json_decref(l.entries);
    pexcz_packed_file_close(&file);
    return rc;
}

int
pexcz_verify(const char *path, struct pexcz_error *err)
{
    struct pexcz_packed_file file;
    int rc = pexcz_packed_file_open(&file, path, err);

    if (rc < 0) {
        return rc;
    }
    rc = pexcz_packed_file_verify(&file, err);
    pexcz_packed_file_close(&file);
    return rc;
}
