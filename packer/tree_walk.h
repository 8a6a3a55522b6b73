/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every file and directory of a tree, depth first, in byte order of the names
 * within a directory.
 */
#ifndef PEXCZ_TREE_WALK_H
#define PEXCZ_TREE_WALK_H

#include "tree.h"

enum pexcz_walk_event {
    PEXCZ_WALK_ENTRY, /* a file, a link, or a directory before its children */
    PEXCZ_WALK_LEAVE, /* the directory again, after its children */
};

/*
 * `path` ("a/b", "" for the root) is valid during the call.  A negative
 * result ends the walk, which then returns it.
 */
typedef int pexcz_walk_visit(void *context, enum pexcz_walk_event event,
                             const char *path, const struct pexcz_node *node,
                             struct pexcz_error *err);

/*
 * The blobs of `tree` must have passed pexcz_blob_verify(): in others, entries
 * may be missed or met without end.
 */
PEXCZ_MUST_USE int pexcz_tree_walk(const struct pexcz_tree *tree,
                                   pexcz_walk_visit *visit, void *context,
                                   struct pexcz_error *err);

#endif
