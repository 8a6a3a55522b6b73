/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dlopen() of packed shared objects.
 *
 * ld.so opens files by itself, so it needs a real path.  It also looks at its
 * return address: the caller's own RUNPATH and namespace count.  So for any
 * other name the interposed dlopen() jumps to libc's with the caller's frame
 * (interpose_library.c) after asking pexcz_vfs_is_library().
 */
#include "mount.h"
#include "place.h"
#include "vfs_calls.h"

#include <fcntl.h>

/* The real path for `path`, or `path` itself, which ld.so then misses. */
static const char *
real_path(const char *path, struct pexcz_place *place, char *buf, size_t cap)
{
    pexcz_vfs_library_fn resolver = pexcz_vfs_library_resolver();
    const char *found = NULL;
    const char *rest = path;

    if (!pexcz_resolve(AT_FDCWD, &rest, PEXCZ_FOLLOW, place)) {
        return rest;
    }
    if (resolver != NULL && place->error == 0
        && place->node.entry.kind == PEXCZ_KIND_FILE) {
        found = resolver(place->path, buf, cap);
    }
    return found != NULL ? found : path;
}

bool
pexcz_vfs_is_library(const char *path)
{
    struct pexcz_place place;
    const char *rest = path;

    /* A name without a slash is searched for by ld.so. */
    return path != NULL && strchr(path, '/') != NULL
           && (pexcz_resolve(AT_FDCWD, &rest, PEXCZ_FOLLOW, &place)
               || rest != path);
}

void *
pexcz_vfs_dlopen(const char *path, int mode)
{
    struct pexcz_place place;
    char buf[PATH_MAX];

    return pexcz_next()->dlopen(real_path(path, &place, buf, sizeof(buf)),
                                mode);
}

void *
pexcz_vfs_dlmopen(long list, const char *path, int mode)
{
    struct pexcz_place place;
    char buf[PATH_MAX];

    return pexcz_rare()->dlmopen(
        list, real_path(path, &place, buf, sizeof(buf)), mode);
}

pexcz_dlopen_fn *
pexcz_vfs_next_dlopen(void)
{
    return pexcz_next()->dlopen;
}

pexcz_dlmopen_fn *
pexcz_vfs_next_dlmopen(void)
{
    return pexcz_rare()->dlmopen;
}
