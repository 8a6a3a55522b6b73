/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shared object of the tree with all libraries of the tree that come with
 * it, as the packer worked out.
 */
#ifndef PEXCZ_LIBRARY_SET_H
#define PEXCZ_LIBRARY_SET_H

#include "tree.h"

struct pexcz_library_item {
    struct pexcz_library library;
    struct pexcz_slice name; /* asked for by it where not by its SONAME */
    uint32_t payload;
    uint64_t size;
    char *path; /* under the root; owned */
};

struct pexcz_library_set {
    const struct pexcz_blob *blob;
    struct pexcz_library_item *items; /* [0] is the object itself */
    size_t count;
};

/* Of the object at `path`; NOT_FOUND when there is none.  On success the
 * caller frees it with done(). */
PEXCZ_MUST_USE int pexcz_library_set_make(const struct pexcz_tree *tree,
                                          const char *path,
                                          struct pexcz_library_set *ret,
                                          struct pexcz_error *err);
/* Of one file that is no shared object: its group is the whole blob. */
PEXCZ_MUST_USE int pexcz_library_set_of_file(const struct pexcz_tree *tree,
                                             const char *path,
                                             struct pexcz_library_set *ret,
                                             struct pexcz_error *err);
void pexcz_library_set_done(struct pexcz_library_set *set);

/*
 * The path of the library `name` in a folder of the object's own run path,
 * where ld.so would search on its behalf; false when it is in none.
 */
bool pexcz_library_set_search(const struct pexcz_tree *tree,
                              const struct pexcz_library_set *set,
                              const char *name, char ret[PEXCZ_MAX_PATH + 1]);

#endif
