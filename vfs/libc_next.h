/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The next definitions of the names that the executable interposes: libc's,
 * or those of a preloaded library that would have been reached without us.
 *
 * Resolved by dlsym(RTLD_NEXT) in a constructor, or by the first call when a
 * constructor of another object runs earlier; the names of pexcz_rare(), which
 * a start and a vfork() child do without, by the first call of any of them.
 * These are facts of a process: keep them out of any saved image.
 */
#ifndef PEXCZ_LIBC_NEXT_H
#define PEXCZ_LIBC_NEXT_H

#include <dirent.h>
#include <fcntl.h>
#include <fts.h>
#include <ftw.h>
#include <glob.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utime.h>

typedef int pexcz_dirent_filter(const struct dirent *);
typedef int pexcz_dirent_compare(const struct dirent **,
                                 const struct dirent **);
typedef int pexcz_fts_compare(const FTSENT **, const FTSENT **);

/* X(return type, name, parameters): names that every supported libc has. */
#define PEXCZ_LIBC_NEXT(X)                                                    \
    X(int, open, (const char *, int, ...))                                    \
    X(int, openat, (int, const char *, int, ...))                             \
    X(FILE *, fopen, (const char *, const char *))                            \
    X(ssize_t, read, (int, void *, size_t))                                   \
    X(ssize_t, pread, (int, void *, size_t, off_t))                           \
    X(ssize_t, readv, (int, const struct iovec *, int))                       \
    X(ssize_t, preadv, (int, const struct iovec *, int, off_t))               \
    X(int, access, (const char *, int))                                       \
    X(int, faccessat, (int, const char *, int, int))                          \
    X(ssize_t, readlink, (const char *, char *, size_t))                      \
    X(ssize_t, readlinkat, (int, const char *, char *, size_t))               \
    X(char *, realpath, (const char *, char *))                               \
    X(DIR *, opendir, (const char *))                                         \
    X(DIR *, fdopendir, (int))                                                \
    X(struct dirent *, readdir, (DIR *))                                      \
    X(int, closedir, (DIR *))                                                 \
    X(int, dirfd, (DIR *))                                                    \
    X(int, mkdir, (const char *, mode_t))                                     \
    X(int, symlink, (const char *, const char *))                             \
    X(int, unlink, (const char *))                                            \
    X(int, unlinkat, (int, const char *, int))                                \
    X(int, rmdir, (const char *))                                             \
    X(int, rename, (const char *, const char *))                              \
    X(int, chdir, (const char *))                                             \
    X(int, fchdir, (int))                                                     \
    X(char *, getcwd, (char *, size_t))                                       \
    X(void *, dlopen, (const char *, int))                                    \
    X(int, execve, (const char *, char *const *, char *const *))              \
    X(int, execvpe, (const char *, char *const *, char *const *))             \
    X(int, posix_spawnp,                                                      \
      (pid_t *, const char *, const posix_spawn_file_actions_t *,             \
       const posix_spawnattr_t *, char *const *, char *const *))              \
    X(int, posix_spawn,                                                       \
      (pid_t *, const char *, const posix_spawn_file_actions_t *,             \
       const posix_spawnattr_t *, char *const *, char *const *))              \
    X(long, syscall, (long, ...))

/* The same, seldom called. */
#define PEXCZ_LIBC_RARE(X)                                                    \
    X(FILE *, freopen, (const char *, const char *, FILE *))                  \
    X(int, euidaccess, (const char *, int))                                   \
    X(int, readdir_r, (DIR *, struct dirent *, struct dirent **))             \
    X(void, rewinddir, (DIR *))                                               \
    X(long, telldir, (DIR *))                                                 \
    X(void, seekdir, (DIR *, long))                                           \
    X(int, scandir,                                                           \
      (const char *, struct dirent ***, pexcz_dirent_filter *,                \
       pexcz_dirent_compare *))                                               \
    X(int, scandirat,                                                         \
      (int, const char *, struct dirent ***, pexcz_dirent_filter *,           \
       pexcz_dirent_compare *))                                               \
    X(int, mkdirat, (int, const char *, mode_t))                              \
    X(int, mkfifo, (const char *, mode_t))                                    \
    X(int, mkfifoat, (int, const char *, mode_t))                             \
    X(int, symlinkat, (const char *, int, const char *))                      \
    X(int, remove, (const char *))                                            \
    X(int, chmod, (const char *, mode_t))                                     \
    X(int, lchmod, (const char *, mode_t))                                    \
    X(int, fchmodat, (int, const char *, mode_t, int))                        \
    X(int, chown, (const char *, uid_t, gid_t))                               \
    X(int, lchown, (const char *, uid_t, gid_t))                              \
    X(int, fchownat, (int, const char *, uid_t, gid_t, int))                  \
    X(int, truncate, (const char *, off_t))                                   \
    X(int, utime, (const char *, const struct utimbuf *))                     \
    X(int, utimes, (const char *, const struct timeval *))                    \
    X(int, lutimes, (const char *, const struct timeval *))                   \
    X(int, futimesat, (int, const char *, const struct timeval *))            \
    X(int, utimensat, (int, const char *, const struct timespec *, int))      \
    X(int, fchmod, (int, mode_t))                                             \
    X(int, fchown, (int, uid_t, gid_t))                                       \
    X(int, futimens, (int, const struct timespec *))                          \
    X(int, futimes, (int, const struct timeval *))                            \
    X(int, renameat, (int, const char *, int, const char *))                  \
    X(int, linkat, (int, const char *, int, const char *, int))               \
    X(int, link, (const char *, const char *))                                \
    X(char *, get_current_dir_name, (void))                                   \
    X(char *, getwd, (char *))                                                \
    X(int, setxattr, (const char *, const char *, const void *, size_t, int)) \
    X(int, lsetxattr,                                                         \
      (const char *, const char *, const void *, size_t, int))                \
    X(int, fsetxattr, (int, const char *, const void *, size_t, int))         \
    X(ssize_t, getxattr, (const char *, const char *, void *, size_t))        \
    X(ssize_t, lgetxattr, (const char *, const char *, void *, size_t))       \
    X(ssize_t, fgetxattr, (int, const char *, void *, size_t))                \
    X(ssize_t, listxattr, (const char *, char *, size_t))                     \
    X(ssize_t, llistxattr, (const char *, char *, size_t))                    \
    X(ssize_t, flistxattr, (int, char *, size_t))                             \
    X(int, removexattr, (const char *, const char *))                         \
    X(int, lremovexattr, (const char *, const char *))                        \
    X(int, fremovexattr, (int, const char *))                                 \
    X(int, statvfs, (const char *, struct statvfs *))                         \
    X(int, fstatvfs, (int, struct statvfs *))                                 \
    X(int, statfs, (const char *, struct statfs *))                           \
    X(int, fstatfs, (int, struct statfs *))                                   \
    X(long, pathconf, (const char *, int))                                    \
    X(int, inotify_add_watch, (int, const char *, uint32_t))                  \
    X(int, glob, (const char *, int, int (*)(const char *, int), glob_t *))   \
    X(int, ftw,                                                               \
      (const char *, int (*)(const char *, const struct stat *, int), int))   \
    X(int, nftw,                                                              \
      (const char *,                                                          \
       int (*)(const char *, const struct stat *, int, struct FTW *), int,    \
       int))                                                                  \
    X(void *, dlmopen, (long, const char *, int))                             \
    X(int, system, (const char *))                                            \
    X(FILE *, popen, (const char *, const char *))                            \
    X(int, posix_spawn_file_actions_addopen,                                  \
      (posix_spawn_file_actions_t *, int, const char *, int, mode_t))         \
    X(int, posix_spawn_file_actions_destroy, (posix_spawn_file_actions_t *))  \
    X(int, bind, (int, const struct sockaddr *, socklen_t))                   \
    X(int, connect, (int, const struct sockaddr *, socklen_t))                \
    X(char *, bindtextdomain, (const char *, const char *))                   \
    X(int, fexecve, (int, char *const *, char *const *))                      \
    X(long, fpathconf, (int, int))                                            \
    X(int, fanotify_mark, (int, unsigned, uint64_t, int, const char *))       \
    X(int, name_to_handle_at,                                                 \
      (int, const char *, struct file_handle *, int *, int))                  \
    X(int, mkostemps, (char *, int, int))                                     \
    X(char *, mkdtemp, (char *))                                              \
    X(char *, mktemp, (char *))                                               \
    X(FTS *, fts_open, (char *const *, int, pexcz_fts_compare *))             \
    X(FTSENT *, fts_read, (FTS *))                                            \
    X(FTSENT *, fts_children, (FTS *, int))                                   \
    X(int, fts_set, (FTS *, FTSENT *, int))                                   \
    X(int, fts_close, (FTS *))

/* Names that an old or a new libc lacks: NULL then. */
#define PEXCZ_LIBC_NEXT_OPTIONAL(X)                                           \
    X(int, stat, (const char *, struct stat *))                               \
    X(int, lstat, (const char *, struct stat *))                              \
    X(int, fstat, (int, struct stat *))                                       \
    X(int, fstatat, (int, const char *, struct stat *, int))                  \
    X(int, __xstat, (int, const char *, struct stat *))                       \
    X(int, __lxstat, (int, const char *, struct stat *))                      \
    X(int, __fxstat, (int, int, struct stat *))                               \
    X(int, __fxstatat, (int, int, const char *, struct stat *, int))          \
    X(int, statx, (int, const char *, int, unsigned, struct statx *))         \
    X(ssize_t, preadv2, (int, const struct iovec *, int, off_t, int))

#define PEXCZ_LIBC_RARE_OPTIONAL(X)                                           \
    X(int, execveat, (int, const char *, char *const *, char *const *, int))  \
    X(int, posix_spawn_file_actions_addchdir_np,                              \
      (posix_spawn_file_actions_t *, const char *))                           \
    X(int, posix_spawn_file_actions_addfchdir_np,                             \
      (posix_spawn_file_actions_t *, int))                                    \
    X(int, mknodat, (int, const char *, mode_t, dev_t))                       \
    X(int, __xmknodat, (int, int, const char *, mode_t, dev_t *))             \
    X(int, renameat2, (int, const char *, int, const char *, unsigned))

#define PEXCZ_LIBC_MEMBER(ret, name, params) ret(*name) params;
struct pexcz_libc {
    PEXCZ_LIBC_NEXT(PEXCZ_LIBC_MEMBER)
    PEXCZ_LIBC_NEXT_OPTIONAL(PEXCZ_LIBC_MEMBER)
};

struct pexcz_libc_rare {
    PEXCZ_LIBC_RARE(PEXCZ_LIBC_MEMBER)
    PEXCZ_LIBC_RARE_OPTIONAL(PEXCZ_LIBC_MEMBER)
};
#undef PEXCZ_LIBC_MEMBER

/* Use pexcz_next() and pexcz_rare(). */
extern struct pexcz_libc pexcz_libc_table;
extern atomic_bool pexcz_libc_ready;
void pexcz_libc_resolve(void);

static inline const struct pexcz_libc *
pexcz_next(void)
{
    if (!atomic_load_explicit(&pexcz_libc_ready, memory_order_acquire)) {
        pexcz_libc_resolve();
    }
    return &pexcz_libc_table;
}

const struct pexcz_libc_rare *pexcz_rare(void);

/* glibc has the stat family and mknodat() as functions only since 2.33. */
int pexcz_next_stat(const char *path, struct stat *st);
int pexcz_next_lstat(const char *path, struct stat *st);
int pexcz_next_fstat(int fd, struct stat *st);
int pexcz_next_fstatat(int dirfd, const char *path, struct stat *st,
                       int flags);
int pexcz_next_mknodat(int dirfd, const char *path, mode_t mode, dev_t dev);

/* -1 and ENOSYS where libc and kernel lack it. */
int pexcz_next_statx(int dirfd, const char *path, int flags, unsigned mask,
                     struct statx *ret);
ssize_t pexcz_next_preadv2(int fd, const struct iovec *parts, int count,
                           off_t offset, int flags);
int pexcz_next_renameat2(int from_dirfd, const char *from, int to_dirfd,
                         const char *to, unsigned flags);

#endif
