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

#include <dlfcn.h>
#include <fcntl.h>

bool
pexcz_vfs_is_library(const char *path, const void *caller)
{
    const struct pexcz_vfs_libraries *libraries = pexcz_vfs_libraries();
    struct pexcz_place place;
    const char *rest = path;

    if (path != NULL && strchr(path, '/') != NULL) {
        return pexcz_resolve(AT_FDCWD, &rest, PEXCZ_FOLLOW, &place)
               || rest != path;
    }
    /* ld.so searches for a name without a slash. */
    if (path != NULL && path[0] != '\0' && libraries != NULL) {
        libraries->prepare(path, caller);
    }
    return false;
}

void *
pexcz_vfs_open_real(const char *path, long list, int mode)
{
    return list == LM_ID_BASE ? pexcz_next()->dlopen(path, mode)
                              : pexcz_rare()->dlmopen(list, path, mode);
}

void *
pexcz_vfs_dlmopen(long list, const char *path, int mode)
{
    const struct pexcz_vfs_libraries *libraries = pexcz_vfs_libraries();
    struct pexcz_place place;
    const char *rest = path;

    if (pexcz_resolve(AT_FDCWD, &rest, PEXCZ_FOLLOW, &place)) {
        if (libraries != NULL && place.error == 0
            && place.node.entry.kind == PEXCZ_KIND_FILE) {
            return libraries->open(place.path, list, mode);
        }
        rest = path; /* ld.so misses it */
    }
    return pexcz_vfs_open_real(rest, list, mode);
}

void *
pexcz_vfs_dlopen(const char *path, int mode)
{
    return pexcz_vfs_dlmopen(LM_ID_BASE, path, mode);
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
