/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

bool
pexcz_tree_add(struct pexcz_tree *tree, const struct pexcz_blob *blob)
{
    if (tree->layer_count == PEXCZ_TREE_LAYERS) {
        return false;
    }
    tree->layers[tree->layer_count++] = blob;
    return true;
}

bool
pexcz_tree_find(const struct pexcz_tree *tree, struct pexcz_slice path,
                struct pexcz_node *ret)
{
    uint64_t hash = pexcz_blob_hash(path);

    for (uint32_t i = 0; i < tree->layer_count; i++) {
        if (pexcz_blob_find(tree->layers[i], path, hash, &ret->entry)) {
            ret->blob = tree->layers[i];
            return true;
        }
    }
    return false;
}

bool
pexcz_tree_find_module(const struct pexcz_tree *tree, struct pexcz_slice stem,
                       const struct pexcz_blob **ret_blob,
                       struct pexcz_module *ret_module)
{
    uint64_t hash = pexcz_blob_hash(stem);

    for (uint32_t i = 0; i < tree->layer_count; i++) {
        if (pexcz_blob_find_module(tree->layers[i], stem, hash, ret_module)) {
            *ret_blob = tree->layers[i];
            return true;
        }
    }
    return false;
}

int
pexcz_tree_content(const struct pexcz_tree *tree,
                   const struct pexcz_blob *blob, uint32_t payload,
                   struct pexcz_buf *scratch, struct pexcz_slice *ret,
                   struct pexcz_error *err)
{
    struct pexcz_payload p;
    uint32_t copy;
    int rc = pexcz_blob_payload(blob, payload, &p, err);

    if (rc < 0) {
        return rc;
    }
    for (uint32_t i = 0;
         i < tree->layer_count && p.storage != PEXCZ_STORAGE_RAW; i++) {
        if (tree->layers[i] != blob
            && pexcz_blob_find_copy(tree->layers[i], p.hash, &copy)) {
            return pexcz_blob_content(tree->layers[i], copy, scratch, ret,
                                      err);
        }
    }
    return pexcz_blob_content(blob, payload, scratch, ret, err);
}

void
pexcz_tree_children(const struct pexcz_tree *tree, struct pexcz_slice path,
                    struct pexcz_children *ret)
{
    uint64_t hash = pexcz_blob_hash(path);
    bool hidden = false;

    *ret = (struct pexcz_children){.tree = tree};
    for (uint32_t i = 0; i < tree->layer_count && !hidden; i++) {
        struct pexcz_entry e;

        if (!pexcz_blob_find(tree->layers[i], path, hash, &e)) {
            continue;
        }
        /* A file in an upper layer hides directories below it. */
        hidden = e.kind != PEXCZ_KIND_DIR;
        if (!hidden && e.child_count != 0) {
            ret->next[i] = e.first_child;
            ret->end[i] = e.first_child + e.child_count;
        }
    }
}

bool
pexcz_tree_children_next(struct pexcz_children *children,
                         struct pexcz_node *ret)
{
    const struct pexcz_tree *tree = children->tree;
    bool found = false;

    /* The smallest name over all layers, the upper layer's among equals. */
    for (uint32_t i = 0; i < tree->layer_count; i++) {
        struct pexcz_entry e;

        if (children->next[i] == children->end[i]) {
            continue;
        }
        if (pexcz_blob_entry(tree->layers[i], children->next[i], &e, NULL)
            < 0) {
            children->next[i] = children->end[i];
            continue;
        }
        if (!found || pexcz_slice_cmp(e.name, ret->entry.name) < 0) {
            ret->entry = e;
            ret->blob = tree->layers[i];
            found = true;
        }
    }
    if (!found) {
        return false;
    }
    for (uint32_t i = 0; i < tree->layer_count; i++) {
        struct pexcz_entry e;

        if (children->next[i] != children->end[i]
            && pexcz_blob_entry(tree->layers[i], children->next[i], &e, NULL)
                   == 0
            && pexcz_slice_eq(e.name, ret->entry.name)) {
            children->next[i]++;
        }
    }
    return true;
}

uint64_t
pexcz_node_ino(const struct pexcz_node *node)
{
    uint64_t ino = node->entry.path_hash >> 1;

    return ino != 0 ? ino : 1;
}
