/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real paths for the shared objects of the tree, since ld.so opens files by
 * itself: in the user's cache (cache.h), or, where there is none, sealed
 * memory files whose dependencies are loaded before them.
 */
#ifndef PEXCZ_SHARED_OBJECTS_H
#define PEXCZ_SHARED_OBJECTS_H

#include "tree.h"

/* Remembers the tree; costs nothing else until the first object is needed. */
void pexcz_shared_objects_init(const struct pexcz_tree *tree);

/*
 * The real path, in buf[cap], of the shared object at `inner_path` under the
 * root, with every packed library that it needs beside it or loaded; NULL when
 * it cannot be had.  Any thread.
 */
const char *pexcz_shared_objects_resolve(const char *inner_path, char *buf,
                                         size_t cap);

/* Whether any was asked for. */
bool pexcz_shared_objects_used(void);

#endif
