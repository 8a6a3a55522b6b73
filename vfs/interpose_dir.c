/* SPDX-License-Identifier: Apache-2.0 */
#include "interpose.h"

INTERPOSE(DIR *, opendir, (const char *path), pexcz_vfs_opendir(path))
INTERPOSE(DIR *, fdopendir, (int fd), pexcz_vfs_fdopendir(fd))
INTERPOSE(struct dirent *, readdir, (DIR * dir), pexcz_vfs_readdir(dir))
INTERPOSE(struct dirent *, readdir64, (DIR * dir), pexcz_vfs_readdir(dir))
INTERPOSE(int, readdir_r,
          (DIR * dir, struct dirent *entry, struct dirent **result),
          pexcz_vfs_readdir_r(dir, entry, result))
INTERPOSE(int, readdir64_r,
          (DIR * dir, struct dirent *entry, struct dirent **result),
          pexcz_vfs_readdir_r(dir, entry, result))
INTERPOSE(int, closedir, (DIR * dir), pexcz_vfs_closedir(dir))
INTERPOSE_VOID(rewinddir, (DIR * dir), pexcz_vfs_rewinddir(dir))
INTERPOSE(long, telldir, (DIR * dir), pexcz_vfs_telldir(dir))
INTERPOSE_VOID(seekdir, (DIR * dir, long position),
               pexcz_vfs_seekdir(dir, position))
INTERPOSE(int, dirfd, (DIR * dir), pexcz_vfs_dirfd(dir))

#define SCANDIR_FAMILY(suffix)                                                \
    INTERPOSE(int, scandir##suffix,                                           \
              (const char *path, struct dirent ***list,                       \
               pexcz_dirent_filter *filter, pexcz_dirent_compare *compare),   \
              pexcz_vfs_scandir(path, list, filter, compare))                 \
    INTERPOSE(int, scandirat##suffix,                                         \
              (int dirfd, const char *path, struct dirent ***list,            \
               pexcz_dirent_filter *filter, pexcz_dirent_compare *compare),   \
              pexcz_vfs_scandirat(dirfd, path, list, filter, compare))

SCANDIR_FAMILY()
SCANDIR_FAMILY(64)
INTERPOSE(ssize_t, getdents64, (int fd, void *buf, size_t size),
          pexcz_vfs_getdents64(fd, buf, size))
