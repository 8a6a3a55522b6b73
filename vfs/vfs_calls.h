/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libc's path-taking calls, over the tree and what lies beside it.
 *
 * pexcz_vfs_NAME() is NAME of libc, section 2 or 3 of the manual: same
 * parameters, results and errno.  Under the prefix it behaves as a read-only
 * mount does; elsewhere it is the next definition of the name.  The names
 * themselves are defined in interpose_*.c, which hold nothing else.
 */
#ifndef PEXCZ_VFS_CALLS_H
#define PEXCZ_VFS_CALLS_H

#include "libc_next.h"

/* call_open.c; `mode` counts where the flags create a file. */
int pexcz_vfs_openat(int dirfd, const char *path, int flags, mode_t mode);
int pexcz_vfs_open(const char *path, int flags, mode_t mode);
FILE *pexcz_vfs_fopen(const char *path, const char *mode);
FILE *pexcz_vfs_freopen(const char *path, const char *mode, FILE *stream);

/* call_stat.c */
int pexcz_vfs_stat(const char *path, struct stat *st);
int pexcz_vfs_lstat(const char *path, struct stat *st);
int pexcz_vfs_fstat(int fd, struct stat *st);
int pexcz_vfs_fstatat(int dirfd, const char *path, struct stat *st,
                      int flags);
int pexcz_vfs_statx(int dirfd, const char *path, int flags, unsigned mask,
                    struct statx *ret);
int pexcz_vfs_access(const char *path, int mode);
int pexcz_vfs_euidaccess(const char *path, int mode);
int pexcz_vfs_faccessat(int dirfd, const char *path, int mode, int flags);

/* call_link.c */
ssize_t pexcz_vfs_readlink(const char *path, char *buf, size_t size);
ssize_t pexcz_vfs_readlinkat(int dirfd, const char *path, char *buf,
                             size_t size);
char *pexcz_vfs_realpath(const char *path, char *resolved);

/* call_dir.c */
DIR *pexcz_vfs_opendir(const char *path);
DIR *pexcz_vfs_fdopendir(int fd);
struct dirent *pexcz_vfs_readdir(DIR *dir);
int pexcz_vfs_readdir_r(DIR *dir, struct dirent *entry,
                        struct dirent **result);
int pexcz_vfs_closedir(DIR *dir);
void pexcz_vfs_rewinddir(DIR *dir);
long pexcz_vfs_telldir(DIR *dir);
void pexcz_vfs_seekdir(DIR *dir, long position);
int pexcz_vfs_dirfd(DIR *dir);

/* call_scandir.c */
int pexcz_vfs_scandirat(int dirfd, const char *path, struct dirent ***list,
                        pexcz_dirent_filter *filter,
                        pexcz_dirent_compare *compare);
int pexcz_vfs_scandir(const char *path, struct dirent ***list,
                      pexcz_dirent_filter *filter,
                      pexcz_dirent_compare *compare);

/* call_change.c */
int pexcz_vfs_mkdir(const char *path, mode_t mode);
int pexcz_vfs_mkdirat(int dirfd, const char *path, mode_t mode);
int pexcz_vfs_mknodat(int dirfd, const char *path, mode_t mode, dev_t dev);
int pexcz_vfs_mkfifo(const char *path, mode_t mode);
int pexcz_vfs_mkfifoat(int dirfd, const char *path, mode_t mode);
int pexcz_vfs_symlink(const char *target, const char *path);
int pexcz_vfs_symlinkat(const char *target, int dirfd, const char *path);
int pexcz_vfs_unlink(const char *path);
int pexcz_vfs_unlinkat(int dirfd, const char *path, int flags);
int pexcz_vfs_rmdir(const char *path);
int pexcz_vfs_remove(const char *path);
int pexcz_vfs_chmod(const char *path, mode_t mode);
int pexcz_vfs_lchmod(const char *path, mode_t mode);
int pexcz_vfs_fchmodat(int dirfd, const char *path, mode_t mode, int flags);
int pexcz_vfs_chown(const char *path, uid_t uid, gid_t gid);
int pexcz_vfs_lchown(const char *path, uid_t uid, gid_t gid);
int pexcz_vfs_fchownat(int dirfd, const char *path, uid_t uid, gid_t gid,
                       int flags);
int pexcz_vfs_truncate(const char *path, off_t size);
int pexcz_vfs_utime(const char *path, const struct utimbuf *times);
int pexcz_vfs_utimes(const char *path, const struct timeval *times);
int pexcz_vfs_lutimes(const char *path, const struct timeval *times);
int pexcz_vfs_futimesat(int dirfd, const char *path,
                        const struct timeval *times);
int pexcz_vfs_utimensat(int dirfd, const char *path,
                        const struct timespec *times, int flags);
int pexcz_vfs_fchmod(int fd, mode_t mode);
int pexcz_vfs_fchown(int fd, uid_t uid, gid_t gid);
int pexcz_vfs_futimens(int fd, const struct timespec *times);
int pexcz_vfs_futimes(int fd, const struct timeval *times);
int pexcz_vfs_rename(const char *from, const char *to);
int pexcz_vfs_renameat(int from_dirfd, const char *from, int to_dirfd,
                       const char *to);
int pexcz_vfs_renameat2(int from_dirfd, const char *from, int to_dirfd,
                        const char *to, unsigned flags);
int pexcz_vfs_linkat(int from_dirfd, const char *from, int to_dirfd,
                     const char *to, int flags);
int pexcz_vfs_link(const char *from, const char *to);

/* errno = error, and -1. */
int pexcz_vfs_refuse(int error);

#endif
