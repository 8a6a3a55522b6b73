/* SPDX-License-Identifier: Apache-2.0 */
#include "interpose.h"

#include <fcntl.h>

INTERPOSE(int, mkdir, (const char *path, mode_t mode),
          pexcz_vfs_mkdir(path, mode))
INTERPOSE(int, mkdirat, (int dirfd, const char *path, mode_t mode),
          pexcz_vfs_mkdirat(dirfd, path, mode))
INTERPOSE(int, mknodat, (int dirfd, const char *path, mode_t mode, dev_t dev),
          pexcz_vfs_mknodat(dirfd, path, mode, dev))
INTERPOSE(int, mkfifo, (const char *path, mode_t mode),
          pexcz_vfs_mkfifo(path, mode))
INTERPOSE(int, mkfifoat, (int dirfd, const char *path, mode_t mode),
          pexcz_vfs_mkfifoat(dirfd, path, mode))
INTERPOSE(int, symlink, (const char *target, const char *path),
          pexcz_vfs_symlink(target, path))
INTERPOSE(int, symlinkat, (const char *target, int dirfd, const char *path),
          pexcz_vfs_symlinkat(target, dirfd, path))
INTERPOSE(int, unlink, (const char *path), pexcz_vfs_unlink(path))
INTERPOSE(int, unlinkat, (int dirfd, const char *path, int flags),
          pexcz_vfs_unlinkat(dirfd, path, flags))
INTERPOSE(int, rmdir, (const char *path), pexcz_vfs_rmdir(path))
INTERPOSE(int, remove, (const char *path), pexcz_vfs_remove(path))
INTERPOSE(int, chmod, (const char *path, mode_t mode),
          pexcz_vfs_chmod(path, mode))
INTERPOSE(int, lchmod, (const char *path, mode_t mode),
          pexcz_vfs_lchmod(path, mode))
INTERPOSE(int, fchmodat, (int dirfd, const char *path, mode_t mode, int flags),
          pexcz_vfs_fchmodat(dirfd, path, mode, flags))
INTERPOSE(int, chown, (const char *path, uid_t uid, gid_t gid),
          pexcz_vfs_chown(path, uid, gid))
INTERPOSE(int, lchown, (const char *path, uid_t uid, gid_t gid),
          pexcz_vfs_lchown(path, uid, gid))
INTERPOSE(int, fchownat,
          (int dirfd, const char *path, uid_t uid, gid_t gid, int flags),
          pexcz_vfs_fchownat(dirfd, path, uid, gid, flags))
INTERPOSE(int, truncate, (const char *path, off_t size),
          pexcz_vfs_truncate(path, size))
INTERPOSE(int, truncate64, (const char *path, off_t size),
          pexcz_vfs_truncate(path, size))
INTERPOSE(int, utime, (const char *path, const struct utimbuf *times),
          pexcz_vfs_utime(path, times))
INTERPOSE(int, utimes, (const char *path, const struct timeval *times),
          pexcz_vfs_utimes(path, times))
INTERPOSE(int, lutimes, (const char *path, const struct timeval *times),
          pexcz_vfs_lutimes(path, times))
INTERPOSE(int, futimesat,
          (int dirfd, const char *path, const struct timeval *times),
          pexcz_vfs_futimesat(dirfd, path, times))
INTERPOSE(int, utimensat,
          (int dirfd, const char *path, const struct timespec *times,
           int flags),
          pexcz_vfs_utimensat(dirfd, path, times, flags))
INTERPOSE(int, fchmod, (int fd, mode_t mode), pexcz_vfs_fchmod(fd, mode))
INTERPOSE(int, fchown, (int fd, uid_t uid, gid_t gid),
          pexcz_vfs_fchown(fd, uid, gid))
INTERPOSE(int, futimens, (int fd, const struct timespec *times),
          pexcz_vfs_futimens(fd, times))
INTERPOSE(int, futimes, (int fd, const struct timeval *times),
          pexcz_vfs_futimes(fd, times))
INTERPOSE(int, rename, (const char *from, const char *to),
          pexcz_vfs_rename(from, to))
INTERPOSE(int, renameat,
          (int from_dirfd, const char *from, int to_dirfd, const char *to),
          pexcz_vfs_renameat(from_dirfd, from, to_dirfd, to))
INTERPOSE(int, renameat2,
          (int from_dirfd, const char *from, int to_dirfd, const char *to,
           unsigned flags),
          pexcz_vfs_renameat2(from_dirfd, from, to_dirfd, to, flags))
INTERPOSE(int, linkat,
          (int from_dirfd, const char *from, int to_dirfd, const char *to,
           int flags),
          pexcz_vfs_linkat(from_dirfd, from, to_dirfd, to, flags))
INTERPOSE(int, link, (const char *from, const char *to),
          pexcz_vfs_link(from, to))

INTERPOSE(int, mknod, (const char *path, mode_t mode, dev_t dev),
          pexcz_vfs_mknodat(AT_FDCWD, path, mode, dev))
/* What programs linked before glibc 2.33 call instead. */
INTERPOSE(int, __xmknod,
          (int version, const char *path, mode_t mode, dev_t *dev),
          ((void)version, pexcz_vfs_mknodat(AT_FDCWD, path, mode, *dev)))
INTERPOSE(int, __xmknodat,
          (int version, int dirfd, const char *path, mode_t mode, dev_t *dev),
          ((void)version, pexcz_vfs_mknodat(dirfd, path, mode, *dev)))
