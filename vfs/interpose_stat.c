/* SPDX-License-Identifier: Apache-2.0 */
#include "interpose.h"

#include <limits.h>
#include <stdlib.h>

#define STAT_FAMILY(suffix)                                                   \
    INTERPOSE(int, stat##suffix, (const char *path, struct stat *st),         \
              pexcz_vfs_stat(path, st))                                       \
    INTERPOSE(int, lstat##suffix, (const char *path, struct stat *st),        \
              pexcz_vfs_lstat(path, st))                                      \
    INTERPOSE(int, fstat##suffix, (int fd, struct stat *st),                  \
              pexcz_vfs_fstat(fd, st))                                        \
    INTERPOSE(int, fstatat##suffix,                                           \
              (int dirfd, const char *path, struct stat *st, int flags),      \
              pexcz_vfs_fstatat(dirfd, path, st, flags))

/* What programs linked before glibc 2.33 call instead.  64-bit machines have
 * had one layout only, whatever version they ask for. */
#define XSTAT_FAMILY(suffix)                                                  \
    INTERPOSE(int, __xstat##suffix,                                           \
              (int version, const char *path, struct stat *st),               \
              ((void)version, pexcz_vfs_stat(path, st)))                      \
    INTERPOSE(int, __lxstat##suffix,                                          \
              (int version, const char *path, struct stat *st),               \
              ((void)version, pexcz_vfs_lstat(path, st)))                     \
    INTERPOSE(int, __fxstat##suffix, (int version, int fd, struct stat *st),  \
              ((void)version, pexcz_vfs_fstat(fd, st)))                       \
    INTERPOSE(int, __fxstatat##suffix,                                        \
              (int version, int dirfd, const char *path, struct stat *st,     \
               int flags),                                                    \
              ((void)version, pexcz_vfs_fstatat(dirfd, path, st, flags)))

STAT_FAMILY()
STAT_FAMILY(64)
XSTAT_FAMILY()
XSTAT_FAMILY(64)

INTERPOSE(int, statx,
          (int dirfd, const char *path, int flags, unsigned mask,
           struct statx *ret),
          pexcz_vfs_statx(dirfd, path, flags, mask, ret))

INTERPOSE(int, access, (const char *path, int mode),
          pexcz_vfs_access(path, mode))
INTERPOSE(int, euidaccess, (const char *path, int mode),
          pexcz_vfs_euidaccess(path, mode))
INTERPOSE(int, eaccess, (const char *path, int mode),
          pexcz_vfs_euidaccess(path, mode))
INTERPOSE(int, faccessat, (int dirfd, const char *path, int mode, int flags),
          pexcz_vfs_faccessat(dirfd, path, mode, flags))

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

INTERPOSE(ssize_t, readlink, (const char *path, char *buf, size_t size),
          pexcz_vfs_readlink(path, buf, size))
INTERPOSE(ssize_t, readlinkat,
          (int dirfd, const char *path, char *buf, size_t size),
          pexcz_vfs_readlinkat(dirfd, path, buf, size))
INTERPOSE(ssize_t, __readlink_chk,
          (const char *path, char *buf, size_t size, size_t room),
          pexcz_vfs_readlink(path, buf, checked(size, room)))
INTERPOSE(ssize_t, __readlinkat_chk,
          (int dirfd, const char *path, char *buf, size_t size, size_t room),
          pexcz_vfs_readlinkat(dirfd, path, buf, checked(size, room)))

INTERPOSE(char *, realpath, (const char *path, char *resolved),
          pexcz_vfs_realpath(path, resolved))
INTERPOSE(char *, __realpath_chk,
          (const char *path, char *resolved, size_t room),
          ((void)checked(PATH_MAX, room), pexcz_vfs_realpath(path, resolved)))
INTERPOSE(char *, canonicalize_file_name, (const char *path),
          pexcz_vfs_realpath(path, NULL))
