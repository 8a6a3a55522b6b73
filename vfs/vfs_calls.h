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
#include "tree.h"

/* call_open.c; `mode` counts where the flags create a file. */
int pexcz_vfs_openat(int dirfd, const char *path, int flags, mode_t mode);
int pexcz_vfs_open(const char *path, int flags, mode_t mode);
FILE *pexcz_vfs_fopen(const char *path, const char *mode);
FILE *pexcz_vfs_freopen(const char *path, const char *mode, FILE *stream);

/* call_read.c */
ssize_t pexcz_vfs_read(int fd, void *buf, size_t size);
ssize_t pexcz_vfs_pread(int fd, void *buf, size_t size, off_t offset);
ssize_t pexcz_vfs_readv(int fd, const struct iovec *parts, int count);
ssize_t pexcz_vfs_preadv(int fd, const struct iovec *parts, int count,
                         off_t offset);
ssize_t pexcz_vfs_preadv2(int fd, const struct iovec *parts, int count,
                          off_t offset, int flags);

/* call_stat.c */
int pexcz_vfs_stat(const char *path, struct stat *st);
int pexcz_vfs_lstat(const char *path, struct stat *st);
int pexcz_vfs_fstat(int fd, struct stat *st);
int pexcz_vfs_fstatat(int dirfd, const char *path, struct stat *st, int flags);
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
ssize_t pexcz_vfs_getdents64(int fd, void *buf, size_t size);

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

/* call_temp.c */
int pexcz_vfs_mkostemps(char *template, int suffix, int flags);
char *pexcz_vfs_mkdtemp(char *template);

/* call_xattr.c */
int pexcz_vfs_setxattr(const char *path, const char *name, const void *value,
                       size_t size, int flags);
int pexcz_vfs_lsetxattr(const char *path, const char *name, const void *value,
                        size_t size, int flags);
int pexcz_vfs_fsetxattr(int fd, const char *name, const void *value,
                        size_t size, int flags);
ssize_t pexcz_vfs_getxattr(const char *path, const char *name, void *value,
                           size_t size);
ssize_t pexcz_vfs_lgetxattr(const char *path, const char *name, void *value,
                            size_t size);
ssize_t pexcz_vfs_fgetxattr(int fd, const char *name, void *value,
                            size_t size);
ssize_t pexcz_vfs_listxattr(const char *path, char *list, size_t size);
ssize_t pexcz_vfs_llistxattr(const char *path, char *list, size_t size);
ssize_t pexcz_vfs_flistxattr(int fd, char *list, size_t size);
int pexcz_vfs_removexattr(const char *path, const char *name);
int pexcz_vfs_lremovexattr(const char *path, const char *name);
int pexcz_vfs_fremovexattr(int fd, const char *name);

/* call_cwd.c */
int pexcz_vfs_chdir(const char *path);
int pexcz_vfs_fchdir(int fd);
char *pexcz_vfs_getcwd(char *buf, size_t size);
char *pexcz_vfs_get_current_dir_name(void);
char *pexcz_vfs_getwd(char *buf);

/* call_mount.c */
int pexcz_vfs_statvfs(const char *path, struct statvfs *ret);
int pexcz_vfs_fstatvfs(int fd, struct statvfs *ret);
int pexcz_vfs_statfs(const char *path, struct statfs *ret);
int pexcz_vfs_fstatfs(int fd, struct statfs *ret);
long pexcz_vfs_pathconf(const char *path, int name);
long pexcz_vfs_fpathconf(int fd, int name);
int pexcz_vfs_inotify_add_watch(int fd, const char *path, uint32_t mask);
int pexcz_vfs_fanotify_mark(int fd, unsigned flags, uint64_t mask, int dirfd,
                            const char *path);
int pexcz_vfs_name_to_handle_at(int dirfd, const char *path,
                                struct file_handle *handle, int *mount,
                                int flags);
key_t pexcz_vfs_ftok(const char *path, int project);

/* call_socket.c */
int pexcz_vfs_bind(int fd, const struct sockaddr *address, socklen_t size);
int pexcz_vfs_connect(int fd, const struct sockaddr *address, socklen_t size);

/* call_glob.c */
int pexcz_vfs_glob(const char *pattern, int flags,
                   int (*on_error)(const char *, int), glob_t *ret);

/* call_ftw.c */
int pexcz_vfs_ftw(const char *path,
                  int (*visit)(const char *, const struct stat *, int),
                  int fd_limit);
int pexcz_vfs_nftw(const char *path,
                   int (*visit)(const char *, const struct stat *, int,
                                struct FTW *),
                   int fd_limit, int flags);

/* call_fts.c */
FTS *pexcz_vfs_fts_open(char *const *paths, int options,
                        pexcz_fts_compare *compare);
FTSENT *pexcz_vfs_fts_read(FTS *fts);
FTSENT *pexcz_vfs_fts_children(FTS *fts, int options);
int pexcz_vfs_fts_set(FTS *fts, FTSENT *entry, int instruction);
int pexcz_vfs_fts_close(FTS *fts);

/* call_syscall.c; arguments as the kernel has them, -1 and errno. */
long pexcz_vfs_syscall(long number, const long a[6]);

/* call_text.c */
char *pexcz_vfs_bindtextdomain(const char *domain, const char *directory);

/* call_exec.c */
int pexcz_vfs_execve(const char *path, char *const argv[], char *const envp[]);
int pexcz_vfs_execvpe(const char *file, char *const argv[],
                      char *const envp[]);
int pexcz_vfs_posix_spawn(pid_t *pid, const char *path,
                          const posix_spawn_file_actions_t *actions,
                          const posix_spawnattr_t *attributes,
                          char *const argv[], char *const envp[]);
int pexcz_vfs_posix_spawnp(pid_t *pid, const char *file,
                           const posix_spawn_file_actions_t *actions,
                           const posix_spawnattr_t *attributes,
                           char *const argv[], char *const envp[]);
int pexcz_vfs_fexecve(int fd, char *const argv[], char *const envp[]);
int pexcz_vfs_execveat(int dirfd, const char *path, char *const argv[],
                       char *const envp[], int flags);
int pexcz_vfs_system(const char *command);
FILE *pexcz_vfs_popen(const char *command, const char *type);

/* call_spawn_actions.c */
int
pexcz_vfs_posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *actions,
                                           int fd, const char *path, int flags,
                                           mode_t mode);
int pexcz_vfs_posix_spawn_file_actions_addchdir(
    posix_spawn_file_actions_t *actions, const char *path);
int pexcz_vfs_posix_spawn_file_actions_addfchdir(
    posix_spawn_file_actions_t *actions, int fd);
int pexcz_vfs_posix_spawn_file_actions_destroy(
    posix_spawn_file_actions_t *actions);

/* The working directory that a child with `actions` starts in. */
enum pexcz_spawn_cwd {
    PEXCZ_SPAWN_CWD_KEPT,  /* the parent's */
    PEXCZ_SPAWN_CWD_TREE,  /* *ret */
    PEXCZ_SPAWN_CWD_OTHER, /* one outside of the tree */
};
enum pexcz_spawn_cwd pexcz_spawn_cwd(const posix_spawn_file_actions_t *actions,
                                     struct pexcz_node *ret);

/* call_library.c */
typedef void *pexcz_dlopen_fn(const char *path, int mode);
typedef void *pexcz_dlmopen_fn(long list, const char *path, int mode);

/* Whether dlopen() of `path` by the code at `caller` is ours to answer. */
bool pexcz_vfs_is_library(const char *path, const void *caller);
void *pexcz_vfs_dlopen(const char *path, int mode);
void *pexcz_vfs_dlmopen(long list, const char *path, int mode);
pexcz_dlopen_fn *pexcz_vfs_next_dlopen(void);
pexcz_dlmopen_fn *pexcz_vfs_next_dlmopen(void);

/* errno = error, and -1. */
int pexcz_vfs_refuse(int error);

#endif
