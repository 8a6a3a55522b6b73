/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Visits every entry of a tree, parents before children, in byte order of the
 * names.
 */
#ifndef PEXCZ_TREE_WALK_H
#define PEXCZ_TREE_WALK_H

#include "packed_file.h"

/* `path` is under the root, never empty.  A failure ends the walk. */
typedef int (*pexcz_tree_visit)(void *context, const char *path,
                                const struct pexcz_node *node,
                                struct pexcz_error *err);

PEXCZ_MUST_USE int pexcz_tree_walk(const struct pexcz_tree *tree,
                                   pexcz_tree_visit visit, void *context,
                                   struct pexcz_error *err);

/* The application's tree, over the standard library if `all`; a base has only
 * the latter. */
void pexcz_tree_of(const struct pexcz_packed_file *file, bool all,
                   struct pexcz_tree *ret);

#endif
