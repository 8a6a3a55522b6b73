/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One tree out of several blobs (application over stdlib), without copying.
 *
 * Earlier layers win.  A directory that several layers have is the union of
 * them; its own attributes are those of the first layer that has it.
 */
#ifndef PEXCZ_TREE_H
#define PEXCZ_TREE_H

#include "blob_reader.h"

#define PEXCZ_TREE_LAYERS 4u

struct pexcz_tree {
    const struct pexcz_blob *layers[PEXCZ_TREE_LAYERS]; /* borrowed */
    uint32_t layer_count;
};

/* A place in the tree; cheap to copy.  Valid as long as the tree. */
struct pexcz_node {
    const struct pexcz_blob *blob;
    struct pexcz_entry entry;
};

struct pexcz_children {
    const struct pexcz_tree *tree;
    uint32_t next[PEXCZ_TREE_LAYERS];
    uint32_t end[PEXCZ_TREE_LAYERS];
};

/* Appends a layer below the present ones.  False when the tree is full. */
bool pexcz_tree_add(struct pexcz_tree *tree, const struct pexcz_blob *blob);

/* `path` as in pexcz_blob_find().  False when it is not there. */
bool pexcz_tree_find(const struct pexcz_tree *tree, struct pexcz_slice path,
                     struct pexcz_node *ret);

/* The module with this stem in the first layer that has it; *ret_blob is that
 * layer, to which ret_module's numbers refer. */
bool pexcz_tree_find_module(const struct pexcz_tree *tree,
                            struct pexcz_slice stem,
                            const struct pexcz_blob **ret_blob,
                            struct pexcz_module *ret_module);

/*
 * As pexcz_blob_content() for a payload of the layer `blob`; where another
 * layer has an uncompressed copy, a slice of that one.
 */
PEXCZ_MUST_USE int pexcz_tree_content(const struct pexcz_tree *tree,
                                      const struct pexcz_blob *blob,
                                      uint32_t payload,
                                      struct pexcz_buf *scratch,
                                      struct pexcz_slice *ret,
                                      struct pexcz_error *err);

/* The children of directory `path` in byte order of their names, merged. */
void pexcz_tree_children(const struct pexcz_tree *tree,
                         struct pexcz_slice path, struct pexcz_children *ret);
bool pexcz_tree_children_next(struct pexcz_children *children,
                              struct pexcz_node *ret);

/*
 * A number that is the same in every process and for every copy of the tree:
 * 63 bits of the path's hash, never 0.  For st_ino.
 */
uint64_t pexcz_node_ino(const struct pexcz_node *node);

#endif
