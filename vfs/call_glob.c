/* SPDX-License-Identifier: Apache-2.0 */
#include "cwd.h"
#include "mount.h"
#include "vfs_calls.h"

#include <errno.h>

static void *
glob_opendir(const char *path)
{
    return pexcz_vfs_opendir(path);
}

static struct dirent *
glob_readdir(void *dir)
{
    return pexcz_vfs_readdir(dir);
}

static void
glob_closedir(void *dir)
{
    (void)pexcz_vfs_closedir(dir);
}

/* libc's glob() with our directory functions: it calls its own otherwise. */
int
pexcz_vfs_glob(const char *pattern, int flags,
               int (*on_error)(const char *, int), glob_t *ret)
{
    struct pexcz_node cwd;
    int rc;

    if ((flags & GLOB_ALTDIRFUNC) != 0 || pexcz_vfs_tree() == NULL
        || (strstr(pattern, "pexcz") == NULL && !pexcz_cwd_get(&cwd))) {
        return pexcz_rare()->glob(pattern, flags, on_error, ret);
    }
    ret->gl_opendir = glob_opendir;
    ret->gl_readdir = glob_readdir;
    ret->gl_closedir = glob_closedir;
    ret->gl_stat = pexcz_vfs_stat;
    ret->gl_lstat = pexcz_vfs_lstat;
    rc = pexcz_rare()->glob(pattern, flags | GLOB_ALTDIRFUNC, on_error, ret);
    ret->gl_flags &= ~GLOB_ALTDIRFUNC;
    return rc;
}
