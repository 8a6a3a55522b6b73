/* SPDX-License-Identifier: Apache-2.0 */
#include "library_set.h"

#include "buf.h"

#include <stdio.h>
#include <stdlib.h>

static int
add_item(struct pexcz_library_set *set, uint32_t number,
         struct pexcz_slice name, struct pexcz_error *err)
{
    struct pexcz_library_item *item = &set->items[set->count];
    char path[PEXCZ_MAX_PATH + 1];
    struct pexcz_entry entry;
    int rc = pexcz_blob_entry(set->blob, number, &entry, err);

    if (rc == PEXCZ_OK
        && !pexcz_blob_find_library(set->blob, number, &item->library)) {
        return pexcz_fail(err, PEXCZ_E_NOT_FOUND, 0, "no shared object");
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_blob_path(set->blob, number, path, sizeof(path), err);
    }
    if (rc < 0) {
        return rc;
    }
    item->path = strdup(path);
    if (item->path == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    item->name = name;
    item->payload = entry.payload;
    item->size = entry.size;
    set->count++;
    return PEXCZ_OK;
}

int
pexcz_library_set_make(const struct pexcz_tree *tree, const char *path,
                       struct pexcz_library_set *ret, struct pexcz_error *err)
{
    struct pexcz_library_set set = {0};
    struct pexcz_library library;
    struct pexcz_node node;
    int rc;

    if (!pexcz_tree_find(tree, pexcz_slice_str(path), &node)
        || !pexcz_blob_find_library(node.blob, node.entry.index, &library)) {
        return pexcz_fail(err, PEXCZ_E_NOT_FOUND, 0, "no shared object");
    }
    set.blob = node.blob;
    set.items = pexcz_alloc_array((size_t)library.need_count + 1,
                                  sizeof(*set.items));
    if (set.items == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    rc = add_item(&set, node.entry.index, (struct pexcz_slice){0}, err);
    for (uint32_t i = 0; rc == PEXCZ_OK && i < library.need_count; i++) {
        struct pexcz_need need;

        rc = pexcz_blob_need(set.blob, library.first_need + i, &need, err);
        if (rc == PEXCZ_OK && need.kind == PEXCZ_NEED_LIBRARY) {
            rc = add_item(&set, need.entry, need.name, err);
        }
    }
    if (rc < 0) {
        pexcz_library_set_done(&set);
        return rc;
    }
    *ret = set;
    return PEXCZ_OK;
}

int
pexcz_library_set_of_file(const struct pexcz_tree *tree, const char *path,
                          struct pexcz_library_set *ret,
                          struct pexcz_error *err)
{
    struct pexcz_library_set set = {.count = 1};
    struct pexcz_buf scratch = {0};
    struct pexcz_slice content;
    struct pexcz_node node;
    int rc;

    if (!pexcz_tree_find(tree, pexcz_slice_str(path), &node)
        || node.entry.kind != PEXCZ_KIND_FILE) {
        return pexcz_fail(err, PEXCZ_E_NOT_FOUND, 0, "no file");
    }
    rc = pexcz_blob_content(node.blob, node.entry.payload, &scratch, &content,
                            err);
    if (rc < 0) {
        return rc;
    }
    set.blob = node.blob;
    set.items = pexcz_alloc_array(1, sizeof(*set.items));
    if (set.items == NULL || (set.items->path = strdup(path)) == NULL) {
        free(set.items);
        rc = pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    else {
        set.items->library.hash = pexcz_blob_hash(content);
        memcpy(set.items->library.group, node.blob->id,
               sizeof(set.items->library.group));
        set.items->payload = node.entry.payload;
        set.items->size = node.entry.size;
        *ret = set;
    }
    pexcz_buf_done(&scratch);
    return rc;
}

void
pexcz_library_set_done(struct pexcz_library_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        free(set->items[i].path);
    }
    free(set->items);
    *set = (struct pexcz_library_set){0};
}

bool
pexcz_library_set_search(const struct pexcz_tree *tree,
                         const struct pexcz_library_set *set, const char *name,
                         char ret[PEXCZ_MAX_PATH + 1])
{
    const struct pexcz_library *library = &set->items[0].library;

    for (uint32_t i = 0; i < library->need_count; i++) {
        struct pexcz_need need;
        struct pexcz_node node;
        int len;

        if (pexcz_blob_need(set->blob, library->first_need + i, &need, NULL)
                < 0
            || need.kind != PEXCZ_NEED_FOLDER) {
            continue;
        }
        len = pexcz_blob_path(set->blob, need.entry, ret, PEXCZ_MAX_PATH + 1,
                              NULL);
        if (len >= 0
            && (size_t)snprintf(ret + len, PEXCZ_MAX_PATH + 1 - (size_t)len,
                                "/%s", name)
                   < PEXCZ_MAX_PATH + 1 - (size_t)len
            && pexcz_tree_find(tree, pexcz_slice_str(ret), &node)
            && node.entry.kind == PEXCZ_KIND_FILE) {
            return true;
        }
    }
    return false;
}
