/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a path, as a call gets it, to a place in the mounted tree.
 */
#ifndef PEXCZ_PLACE_H
#define PEXCZ_PLACE_H

#include "exe_layout.h"
#include "tree.h"

#include <limits.h>

/* How a path ends, for PEXCZ_PARENT. */
enum pexcz_last {
    PEXCZ_LAST_NAME,
    PEXCZ_LAST_DOT,
    PEXCZ_LAST_DOTDOT,
};

/* What a path means. */
struct pexcz_place {
    int error;       /* 0, or the errno of the walk: ENOENT, ENOTDIR, … */
    bool creatable;  /* the error is the last component's, its directory is
                        there: a call that creates it gets EROFS */
    bool slash;      /* the path ended in a slash */
    bool name_slash; /* a slash was behind the last name, the path's or that of
                        a link there, whatever came of it */
    enum pexcz_last last;
    struct pexcz_node node; /* when error is 0 */
    size_t size;            /* bytes of path, without the NUL */
    /* Inside: where node (or the creatable entry) lies under the root.
     * Outside: the path that *path was replaced with. */
    char path[PATH_MAX];
};

enum pexcz_follow {
    PEXCZ_NOFOLLOW, /* the last component may be a symbolic link */
    PEXCZ_FOLLOW,
    PEXCZ_PARENT, /* the call is about a name in a directory: the last
                     component is looked at, but neither followed nor
                     required to be a directory if a slash is behind it */
};

/*
 * True: the path lies under the prefix and *place says what is there.  False:
 * the call goes to libc, with *path, which is another string than before
 * (place->path) when the path entered the tree and left it again.
 *
 * `dirfd` counts for relative paths as in openat().  Never allocates; leaves
 * errno alone.  Costs a search for "pexcz" when the path is none of ours.
 */
bool pexcz_resolve(int dirfd, const char **path, enum pexcz_follow follow,
                   struct pexcz_place *place);

/* The place of a node that is known to be there. */
void pexcz_place_of(const struct pexcz_node *node, struct pexcz_place *place);

/* PEXCZ_PREFIX + "/" + path into dst.  Returns the length without the NUL, or
 * 0 when cap is too small. */
size_t pexcz_place_full_path(const struct pexcz_place *place, char *dst,
                             size_t cap);

#endif
