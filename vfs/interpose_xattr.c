/* SPDX-License-Identifier: Apache-2.0 */
#include "interpose.h"

INTERPOSE(int, setxattr,
          (const char *path, const char *name, const void *value, size_t size,
           int flags),
          pexcz_vfs_setxattr(path, name, value, size, flags))
INTERPOSE(int, lsetxattr,
          (const char *path, const char *name, const void *value, size_t size,
           int flags),
          pexcz_vfs_lsetxattr(path, name, value, size, flags))
INTERPOSE(int, fsetxattr,
          (int fd, const char *name, const void *value, size_t size,
           int flags),
          pexcz_vfs_fsetxattr(fd, name, value, size, flags))
INTERPOSE(ssize_t, getxattr,
          (const char *path, const char *name, void *value, size_t size),
          pexcz_vfs_getxattr(path, name, value, size))
INTERPOSE(ssize_t, lgetxattr,
          (const char *path, const char *name, void *value, size_t size),
          pexcz_vfs_lgetxattr(path, name, value, size))
INTERPOSE(ssize_t, fgetxattr,
          (int fd, const char *name, void *value, size_t size),
          pexcz_vfs_fgetxattr(fd, name, value, size))
INTERPOSE(ssize_t, listxattr, (const char *path, char *list, size_t size),
          pexcz_vfs_listxattr(path, list, size))
INTERPOSE(ssize_t, llistxattr, (const char *path, char *list, size_t size),
          pexcz_vfs_llistxattr(path, list, size))
INTERPOSE(ssize_t, flistxattr, (int fd, char *list, size_t size),
          pexcz_vfs_flistxattr(fd, list, size))
INTERPOSE(int, removexattr, (const char *path, const char *name),
          pexcz_vfs_removexattr(path, name))
INTERPOSE(int, lremovexattr, (const char *path, const char *name),
          pexcz_vfs_lremovexattr(path, name))
INTERPOSE(int, fremovexattr, (int fd, const char *name),
          pexcz_vfs_fremovexattr(fd, name))
