/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dlopen() of shared objects of the tree.
 *
 * ld.so opens files by itself, so it gets real ones: in the user's cache, or
 * beside the executable (library_files.h); where neither can be, or by
 * request, memory files (library_memory.h).
 */
#ifndef PEXCZ_SHARED_OBJECTS_H
#define PEXCZ_SHARED_OBJECTS_H

#include "tree.h"

/* Remembers the tree and the executable's path (borrowed), and that the vfs
 * is to ask here; costs nothing else until the first object is needed. */
void pexcz_shared_objects_init(const struct pexcz_tree *tree,
                               const char *executable);

/* For the embedding library, whose process goes on: a function to be called
 * before the first object is opened; and the end, after which nothing is known
 * of the tree.  What is loaded stays so. */
void pexcz_shared_objects_before_first(void (*function)(void));
void pexcz_shared_objects_forget(void);

/*
 * dlmopen() for the object at `inner_path` under the root, with every packed
 * library that it needs; dlerror() says why it is NULL.  Any thread.
 */
void *pexcz_shared_objects_open(const char *inner_path, long list, int mode);

/* What dladdr() is to call the object that ld.so knows as `real`: its path in
 * the tree, beside which its other files are; `real` itself for others. */
const char *pexcz_shared_objects_name(const char *real);

/* Whether any was asked for. */
bool pexcz_shared_objects_used(void);

#endif
