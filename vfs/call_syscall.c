/* SPDX-License-Identifier: Apache-2.0 */
/*
 * syscall() with the number of a call that takes a path or one of our
 * descriptors.  The structures of the kernel are those of libc on 64-bit
 * machines.
 */
#include "place.h"
#include "vfs_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/inotify.h>
#include <sys/syscall.h>

#define INT(i) ((int)a[i])
#define SIZE(i) ((size_t)a[i])
#define MODE(i) ((mode_t)a[i])
#define TEXT(i) ((const char *)a[i])
#define AT(i, type) ((type *)a[i])

static long
open2(const long a[6])
{
    const struct open_how *how = AT(2, const struct open_how);
    const char *path = TEXT(1);
    struct pexcz_place place;

    if (how == NULL || SIZE(3) < sizeof(*how)
        || !pexcz_resolve(INT(0), &path, PEXCZ_FOLLOW, &place)) {
        return pexcz_next()->syscall(SYS_openat2, a[0], path, a[2], a[3]);
    }
    return pexcz_vfs_openat(INT(0), TEXT(1), (int)how->flags,
                            (mode_t)how->mode);
}

/* The size with the NUL, where libc's gives the string. */
static long
current_folder(const long a[6])
{
    const char *path = pexcz_vfs_getcwd(AT(0, char), SIZE(1));

    return path != NULL ? (long)strlen(path) + 1 : -1;
}

static long
set_times(const long a[6])
{
    return a[1] != 0
               ? pexcz_vfs_utimensat(INT(0), TEXT(1),
                                     AT(2, const struct timespec), INT(3))
               : pexcz_vfs_futimens(INT(0), AT(2, const struct timespec));
}

/* Kernel names and ours, with the arguments in the kernel's order. */
#define CALLS(X)                                                              \
    X(openat, openat(INT(0), TEXT(1), INT(2), MODE(3)))                       \
    X(read, read(INT(0), AT(1, void), SIZE(2)))                               \
    X(pread64, pread(INT(0), AT(1, void), SIZE(2), (off_t)a[3]))              \
    X(fstat, fstat(INT(0), AT(1, struct stat)))                               \
    X(newfstatat, fstatat(INT(0), TEXT(1), AT(2, struct stat), INT(3)))       \
    X(statx,                                                                  \
      statx(INT(0), TEXT(1), INT(2), (unsigned)a[3], AT(4, struct statx)))    \
    X(faccessat, faccessat(INT(0), TEXT(1), INT(2), 0))                       \
    X(faccessat2, faccessat(INT(0), TEXT(1), INT(2), INT(3)))                 \
    X(readlinkat, readlinkat(INT(0), TEXT(1), AT(2, char), SIZE(3)))          \
    X(getdents64, getdents64(INT(0), AT(1, void), SIZE(2)))                   \
    X(mkdirat, mkdirat(INT(0), TEXT(1), MODE(2)))                             \
    X(mknodat, mknodat(INT(0), TEXT(1), MODE(2), (dev_t)a[3]))                \
    X(symlinkat, symlinkat(TEXT(0), INT(1), TEXT(2)))                         \
    X(unlinkat, unlinkat(INT(0), TEXT(1), INT(2)))                            \
    X(renameat, renameat(INT(0), TEXT(1), INT(2), TEXT(3)))                   \
    X(renameat2, renameat2(INT(0), TEXT(1), INT(2), TEXT(3), (unsigned)a[4])) \
    X(linkat, linkat(INT(0), TEXT(1), INT(2), TEXT(3), INT(4)))               \
    X(fchmod, fchmod(INT(0), MODE(1)))                                        \
    X(fchmodat, fchmodat(INT(0), TEXT(1), MODE(2), 0))                        \
    X(fchown, fchown(INT(0), (uid_t)a[1], (gid_t)a[2]))                       \
    X(fchownat, fchownat(INT(0), TEXT(1), (uid_t)a[2], (gid_t)a[3], INT(4)))  \
    X(truncate, truncate(TEXT(0), (off_t)a[1]))                               \
    X(statfs, statfs(TEXT(0), AT(1, struct statfs)))                          \
    X(fstatfs, fstatfs(INT(0), AT(1, struct statfs)))                         \
    X(chdir, chdir(TEXT(0)))                                                  \
    X(fchdir, fchdir(INT(0)))                                                 \
    X(inotify_add_watch, inotify_add_watch(INT(0), TEXT(1), (uint32_t)a[2]))  \
    X(execve, execve(TEXT(0), AT(1, char *const), AT(2, char *const)))        \
    X(execveat, execveat(INT(0), TEXT(1), AT(2, char *const),                 \
                         AT(3, char *const), INT(4)))

/* Those that kernels of newer machines do not have. */
#ifdef SYS_open
#define OLD_CALLS(X)                                                          \
    X(open, open(TEXT(0), INT(1), MODE(2)))                                   \
    X(creat, open(TEXT(0), O_CREAT | O_WRONLY | O_TRUNC, MODE(1)))            \
    X(stat, stat(TEXT(0), AT(1, struct stat)))                                \
    X(lstat, lstat(TEXT(0), AT(1, struct stat)))                              \
    X(access, access(TEXT(0), INT(1)))                                        \
    X(readlink, readlink(TEXT(0), AT(1, char), SIZE(2)))                      \
    X(mkdir, mkdir(TEXT(0), MODE(1)))                                         \
    X(mknod, mknodat(AT_FDCWD, TEXT(0), MODE(1), (dev_t)a[2]))                \
    X(symlink, symlink(TEXT(0), TEXT(1)))                                     \
    X(unlink, unlink(TEXT(0)))                                                \
    X(rmdir, rmdir(TEXT(0)))                                                  \
    X(rename, rename(TEXT(0), TEXT(1)))                                       \
    X(link, link(TEXT(0), TEXT(1)))                                           \
    X(chmod, chmod(TEXT(0), MODE(1)))                                         \
    X(chown, chown(TEXT(0), (uid_t)a[1], (gid_t)a[2]))                        \
    X(lchown, lchown(TEXT(0), (uid_t)a[1], (gid_t)a[2]))
#else
#define OLD_CALLS(X)
#endif

long
pexcz_vfs_syscall(long number, const long a[6])
{
    switch (number) {
#define CASE(name, call)                                                      \
    case SYS_##name:                                                          \
        return (long)pexcz_vfs_##call;
        CALLS(CASE)
        OLD_CALLS(CASE)
#undef CASE
    case SYS_openat2:
        return open2(a);
    case SYS_getcwd:
        return current_folder(a);
    case SYS_utimensat:
        return set_times(a);
    default:
        return pexcz_next()->syscall(number, a[0], a[1], a[2], a[3], a[4],
                                     a[5]);
    }
}
