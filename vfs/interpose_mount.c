/* SPDX-License-Identifier: Apache-2.0 */
#include "interpose.h"

#include <stdlib.h>

#define STATFS_FAMILY(name)                                                   \
    INTERPOSE(int, name, (const char *path, struct name *ret),                \
              pexcz_vfs_##name(path, ret))                                    \
    INTERPOSE(int, name##64, (const char *path, struct name *ret),            \
              pexcz_vfs_##name(path, ret))                                    \
    INTERPOSE(int, f##name, (int fd, struct name *ret),                       \
              pexcz_vfs_f##name(fd, ret))                                     \
    INTERPOSE(int, f##name##64, (int fd, struct name *ret),                   \
              pexcz_vfs_f##name(fd, ret))

STATFS_FAMILY(statfs)
STATFS_FAMILY(statvfs)

INTERPOSE(long, pathconf, (const char *path, int name),
          pexcz_vfs_pathconf(path, name))
INTERPOSE(long, fpathconf, (int fd, int name), pexcz_vfs_fpathconf(fd, name))
INTERPOSE(int, inotify_add_watch, (int fd, const char *path, uint32_t mask),
          pexcz_vfs_inotify_add_watch(fd, path, mask))

INTERPOSE(int, chdir, (const char *path), pexcz_vfs_chdir(path))
INTERPOSE(int, fchdir, (int fd), pexcz_vfs_fchdir(fd))
INTERPOSE(char *, getcwd, (char *buf, size_t size),
          pexcz_vfs_getcwd(buf, size))
INTERPOSE(char *, get_current_dir_name, (void),
          pexcz_vfs_get_current_dir_name())
INTERPOSE(char *, getwd, (char *buf), pexcz_vfs_getwd(buf))

/* The checked variants abort where the buffer is smaller than it is said to
 * be. */
static size_t
checked(size_t size, size_t room)
{
    if (size > room) {
        abort();
    }
    return size;
}

INTERPOSE(char *, __getcwd_chk, (char *buf, size_t size, size_t room),
          pexcz_vfs_getcwd(buf, checked(size, room)))
INTERPOSE(char *, __getwd_chk, (char *buf, size_t room),
          ((void)room, pexcz_vfs_getwd(buf)))

typedef int ftw_visitor(const char *, const struct stat *, int);
typedef int nftw_visitor(const char *, const struct stat *, int, struct FTW *);

#define WALK_FAMILY(suffix)                                                   \
    INTERPOSE(int, glob##suffix,                                              \
              (const char *pattern, int flags,                                \
               int (*on_error)(const char *, int), glob_t *ret),              \
              pexcz_vfs_glob(pattern, flags, on_error, ret))                  \
    INTERPOSE(int, ftw##suffix,                                               \
              (const char *path, ftw_visitor *visit, int fd_limit),           \
              pexcz_vfs_ftw(path, visit, fd_limit))                           \
    INTERPOSE(                                                                \
        int, nftw##suffix,                                                    \
        (const char *path, nftw_visitor *visit, int fd_limit, int flags),     \
        pexcz_vfs_nftw(path, visit, fd_limit, flags))

WALK_FAMILY()
WALK_FAMILY(64)
