/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vfs/: every call on every path gives the errno that the kernel gives for
 * the same files on a read-only tmpfs; but to remove or move away what is not
 * there is ENOENT, not EROFS.  Needs a mount namespace.
 */
#include "vfs_calls.h"
#include "vfs_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

static char real_root[] = "/tmp/test_vfs_errno_XXXXXX";

static int
close_fd(int fd)
{
    return fd < 0 ? -1 : close(fd);
}

#define OPEN_OP(name, flags)                                                  \
    static int op_##name(const char *p)                                       \
    {                                                                         \
        return close_fd(pexcz_vfs_open(p, flags, 0600));                      \
    }
#define OP(name, call)                                                        \
    static int op_##name(const char *p)                                       \
    {                                                                         \
        return (int)(call);                                                   \
    }

OPEN_OP(read, O_RDONLY)
OPEN_OP(write, O_WRONLY)
OPEN_OP(read_write, O_RDWR)
OPEN_OP(truncating, O_RDONLY | O_TRUNC)
OPEN_OP(create, O_WRONLY | O_CREAT)
OPEN_OP(create_read, O_RDONLY | O_CREAT)
OPEN_OP(exclusive, O_WRONLY | O_CREAT | O_EXCL)
OPEN_OP(directory, O_RDONLY | O_DIRECTORY)
OPEN_OP(nofollow, O_RDONLY | O_NOFOLLOW)
OPEN_OP(temporary, O_RDWR | O_TMPFILE)
OPEN_OP(as_path, O_PATH)
OPEN_OP(link_as_path, O_PATH | O_NOFOLLOW)
OPEN_OP(folder_as_path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CREAT | O_RDWR)

static struct stat st;
static char buf[8192];
static const struct timespec times[2];

OP(stat, pexcz_vfs_stat(p, &st))
OP(lstat, pexcz_vfs_lstat(p, &st))
OP(exists, pexcz_vfs_access(p, F_OK))
OP(readable, pexcz_vfs_access(p, R_OK))
OP(writable, pexcz_vfs_access(p, W_OK))
OP(executable, pexcz_vfs_access(p, X_OK))
OP(readlink, pexcz_vfs_readlink(p, buf, sizeof(buf)))
OP(mkdir, pexcz_vfs_mkdir(p, 0700))
OP(mkfifo, pexcz_vfs_mkfifo(p, 0700))
OP(symlink, pexcz_vfs_symlink("x", p))
OP(unlink, pexcz_vfs_unlink(p))
OP(rmdir, pexcz_vfs_rmdir(p))
OP(remove, pexcz_vfs_remove(p))
OP(chmod, pexcz_vfs_chmod(p, 0600))
OP(chown, pexcz_vfs_chown(p, 0, 0))
OP(lchown, pexcz_vfs_lchown(p, 0, 0))
OP(truncate, pexcz_vfs_truncate(p, 1))
OP(utimens, pexcz_vfs_utimensat(AT_FDCWD, p, times, 0))
OP(lutimens, pexcz_vfs_utimensat(AT_FDCWD, p, times, AT_SYMLINK_NOFOLLOW))
OP(listxattr, pexcz_vfs_listxattr(p, buf, sizeof(buf)) < 0 ? -1 : 0)
OP(move_out, pexcz_vfs_rename(p, "/dev/shm/pexcz-test-vfs"))
OP(move_in, pexcz_vfs_rename("/dev/null", p))
OP(link_out, pexcz_vfs_link(p, "/dev/shm/pexcz-test-vfs"))
OP(link_in, pexcz_vfs_link("/dev/null", p))
OP(link_nothing_in, pexcz_vfs_link("/dev/pexcz-test-none", p))

/* What exec() of a child says; a program that runs is to end with 0. */
static int
exec_in_child(int dirfd, const char *p)
{
    char *argv[] = {NULL, NULL};
    char name[] = "prog";
    pid_t pid = fork();
    int status = -1;

    if (pid == 0) {
        argv[0] = name;
        (void)close(STDOUT_FILENO);
        (void)open("/dev/null", O_WRONLY);
        (void)(dirfd < 0 ? pexcz_vfs_execve(p, argv, environ)
                         : pexcz_vfs_execveat(dirfd, p, argv, environ, 0));
        _exit(errno);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status));
    errno = WEXITSTATUS(status);
    return errno != 0 ? -1 : 0;
}

OP(exec, exec_in_child(-1, p))

/* A path too long for an address is refused before it is looked at. */
static socklen_t
socket_address(struct sockaddr_un *address, const char *p)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    (void)strncpy(address->sun_path, p, sizeof(address->sun_path) - 1);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path)
                       + strlen(address->sun_path) + 1);
}

#define SOCKET_OP(name)                                                       \
    static int op_##name(const char *p)                                       \
    {                                                                         \
        struct sockaddr_un address;                                           \
        socklen_t size = socket_address(&address, p);                         \
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);                             \
        int rc = pexcz_vfs_##name(fd, (struct sockaddr *)&address, size);     \
        int saved = errno;                                                    \
                                                                              \
        (void)close(fd);                                                      \
        errno = saved;                                                        \
        return rc;                                                            \
    }

SOCKET_OP(bind)
SOCKET_OP(connect)

#define TEMP_OP(name, tail, call)                                             \
    static int op_##name(const char *p)                                       \
    {                                                                         \
        char template[PATH_MAX];                                              \
                                                                              \
        (void)snprintf(template, sizeof(template), "%s" tail, p);             \
        return (call);                                                        \
    }

TEMP_OP(mkstemp, "/tXXXXXX", close_fd(pexcz_vfs_mkostemps(template, 0, 0)))
TEMP_OP(mkstemps, "/XXXXXX.c",
        close_fd(pexcz_vfs_mkostemps(template, 2, O_CLOEXEC)))
TEMP_OP(mkstemp_wrong, "/t", close_fd(pexcz_vfs_mkostemps(template, 0, 0)))
TEMP_OP(mkdtemp, "/XXXXXX", pexcz_vfs_mkdtemp(template) == NULL ? -1 : 0)

static long
call(long number, long b, long c, long d, long e)
{
    long a[6] = {b, c, d, e, 0, 0};

    return pexcz_vfs_syscall(number, a);
}

OP(call_open, close_fd((int)call(SYS_open, (long)p, O_RDONLY, 0, 0)))
OP(call_openat, close_fd((int)call(SYS_openat, AT_FDCWD, (long)p, O_RDWR, 0)))
OP(call_stat, call(SYS_stat, (long)p, (long)&st, 0, 0))
OP(call_newfstatat, call(SYS_newfstatat, AT_FDCWD, (long)p, (long)&st, 0))
OP(call_faccessat2, call(439, AT_FDCWD, (long)p, R_OK, 0))
OP(call_mkdir, call(SYS_mkdir, (long)p, 0700, 0, 0))
OP(call_unlinkat, call(SYS_unlinkat, AT_FDCWD, (long)p, 0, 0))
OP(call_utimensat, call(SYS_utimensat, AT_FDCWD, (long)p, (long)times, 0))
OP(ftok, pexcz_vfs_ftok(p, 3) == -1 ? -1 : 0)
OP(statfs, pexcz_vfs_statfs(p, (struct statfs *)(void *)buf))
OP(statvfs, pexcz_vfs_statvfs(p, (struct statvfs *)(void *)buf))
OP(pathconf, pexcz_vfs_pathconf(p, _PC_NAME_MAX) < 0 ? -1 : 0)
OP(statx, pexcz_vfs_statx(AT_FDCWD, p, 0, STATX_BASIC_STATS,
                          (struct statx *)(void *)buf))
OP(setxattr, pexcz_vfs_setxattr(p, "user.a", "b", 1, 0))
OP(lsetxattr, pexcz_vfs_lsetxattr(p, "trusted.a", "b", 1, 0))
OP(removexattr, pexcz_vfs_removexattr(p, "user.a"))
OP(getxattr, pexcz_vfs_getxattr(p, "user.a", buf, 8) < 0 ? -1 : 0)
OP(lutimes, pexcz_vfs_lutimes(p, NULL))
OP(utime, pexcz_vfs_utime(p, NULL))
OP(mknod, pexcz_vfs_mknodat(AT_FDCWD, p, S_IFREG | 0600, 0))

static int
op_scandir(const char *p)
{
    struct dirent **list;
    int n = pexcz_vfs_scandir(p, &list, NULL, NULL);

    for (int i = 0; i < n; i++) {
        free(list[i]);
    }
    if (n >= 0) {
        free(list);
    }
    return n < 0 ? -1 : 0;
}

static int
op_opendir(const char *p)
{
    DIR *dir = pexcz_vfs_opendir(p);

    return dir == NULL ? -1 : pexcz_vfs_closedir(dir);
}

static int
op_chdir(const char *p)
{
    int rc = pexcz_vfs_chdir(p);
    int saved = errno;

    CHECK_EQ(pexcz_vfs_chdir("/"), 0);
    errno = saved;
    return rc;
}

static int
op_realpath(const char *p)
{
    return pexcz_vfs_realpath(p, buf) == NULL ? -1 : 0;
}

static int
op_fopen(const char *p)
{
    FILE *f = pexcz_vfs_fopen(p, "r+");

    return f == NULL ? -1 : fclose(f);
}

static const struct {
    const char *name;
    int (*run)(const char *path);
} ops[] = {
#define ROW(name) {#name, op_##name},
    ROW(read) ROW(write) ROW(read_write) ROW(truncating) ROW(create) ROW(
        create_read) ROW(exclusive) ROW(directory) ROW(nofollow) ROW(temporary)
        ROW(stat) ROW(lstat) ROW(exists) ROW(readable) ROW(writable) ROW(
            executable) ROW(readlink) ROW(mkdir) ROW(mkfifo) ROW(symlink)
            ROW(unlink) ROW(rmdir) ROW(remove) ROW(chmod) ROW(chown) ROW(
                lchown) ROW(truncate) ROW(utimens) ROW(lutimens) ROW(listxattr)
                ROW(move_out) ROW(move_in) ROW(link_out) ROW(link_in)
                    ROW(link_nothing_in) ROW(opendir) ROW(chdir) ROW(realpath)
                        ROW(fopen) ROW(as_path) ROW(link_as_path) ROW(
                            folder_as_path) ROW(bind) ROW(connect) ROW(mkstemp)
                            ROW(mkstemps) ROW(mkstemp_wrong) ROW(mkdtemp) ROW(
                                call_open) ROW(call_openat) ROW(call_stat)
                                ROW(call_newfstatat) ROW(call_faccessat2)
                                    ROW(call_mkdir) ROW(call_unlinkat) ROW(
                                        call_utimensat) ROW(ftok) ROW(statfs)
                                        ROW(statvfs) ROW(pathconf) ROW(statx)
                                            ROW(setxattr) ROW(lsetxattr)
                                                ROW(removexattr) ROW(getxattr)
                                                    ROW(lutimes) ROW(utime)
                                                        ROW(mknod) ROW(exec)
                                                            ROW(scandir)
#undef ROW
};

static const char *const paths[] = {
    "",
    "/",
    "/dir",
    "/dir/",
    "/dir//",
    "/dir/.",
    "/dir/..",
    "/dir/file",
    "/dir/file/",
    "/dir/file/x",
    "/dir/file/..",
    "/dir/prog",
    "/dir/../empty",
    "/./dir//file",
    "/none",
    "/none/",
    "/none/x",
    "/none/..",
    "/link",
    "/link/",
    "/link/x",
    "/dirlink",
    "/dirlink/",
    "/dirlink/file",
    "/dirlink/none",
    "/loop",
    "/loop/",
    "/loop/x",
    "/dangling",
    "/dangling/",
    "/outside",
    "/hollow",
    "/hollow/x",
    "/big",
    "/dir/sub/../../dir/sub/deep",
    "/0123456789012345678901234567890123456789012345678901234567890123456789"
    "01234567890123456789012345678901234567890123456789012345678901234567890"
    "12345678901234567890123456789012345678901234567890123456789012345678901"
    "23456789012345678901234567890123456789012345678901234567890",
};

/*
 * A read-only tmpfs with the same files; false where that is forbidden.  The
 * link "outside" leads to /dev/null, which is read-only here too: else root's
 * chmod and utimensat would change it for the whole machine.
 */
static bool
make_real_tree(void)
{
    static const struct vfs_file big = {"big", "x", PEXCZ_KIND_FILE, 0644};

    CHECK(mkdtemp(real_root) != NULL);
    if ((unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
        || mount("none", "/", "none", MS_REC | MS_PRIVATE, "") < 0
        || mount("none", real_root, "tmpfs", 0, "") < 0
        || mount("/dev/null", "/dev/null", "none", MS_BIND, "") < 0
        || mount("none", "/dev/null", "none",
                 MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC, "")
               < 0) {
        return false;
    }
    for (size_t i = 0; i < VFS_FILE_COUNT; i++) {
        vfs_copy_out(real_root, &vfs_files[i]);
    }
    vfs_copy_out(real_root, &big);
    CHECK_EQ(mount("none", real_root, "tmpfs", MS_REMOUNT | MS_RDONLY, ""), 0);
    return true;
}

/* The calls with a directory descriptor, which is the root's of either. */
static int from_dir;

#define AT_OP(name, call)                                                     \
    static int at_##name(const char *p)                                       \
    {                                                                         \
        return (int)(call);                                                   \
    }

AT_OP(open, close_fd(pexcz_vfs_openat(from_dir, p, O_RDONLY, 0)))
AT_OP(create, close_fd(pexcz_vfs_openat(from_dir, p, O_CREAT | O_RDWR, 0600)))
AT_OP(stat, pexcz_vfs_fstatat(from_dir, p, &st, 0))
AT_OP(lstat, pexcz_vfs_fstatat(from_dir, p, &st, AT_SYMLINK_NOFOLLOW))
AT_OP(statx, pexcz_vfs_statx(from_dir, p, 0, STATX_BASIC_STATS,
                             (struct statx *)(void *)buf))
AT_OP(access, pexcz_vfs_faccessat(from_dir, p, X_OK, 0))
AT_OP(access_empty, pexcz_vfs_faccessat(from_dir, p, W_OK, AT_EMPTY_PATH))
AT_OP(readlink, pexcz_vfs_readlinkat(from_dir, p, buf, sizeof(buf)))
AT_OP(mkdir, pexcz_vfs_mkdirat(from_dir, p, 0700))
AT_OP(mknod, pexcz_vfs_mknodat(from_dir, p, S_IFREG | 0600, 0))
AT_OP(mkfifo, pexcz_vfs_mkfifoat(from_dir, p, 0600))
AT_OP(symlink, pexcz_vfs_symlinkat("x", from_dir, p))
AT_OP(unlink, pexcz_vfs_unlinkat(from_dir, p, 0))
AT_OP(rmdir, pexcz_vfs_unlinkat(from_dir, p, AT_REMOVEDIR))
AT_OP(rename, pexcz_vfs_renameat(from_dir, p, from_dir, "other"))
AT_OP(rename2, pexcz_vfs_renameat2(from_dir, p, from_dir, "other", 1))
AT_OP(link, pexcz_vfs_linkat(from_dir, p, from_dir, "other", 0))
AT_OP(chmod, pexcz_vfs_fchmodat(from_dir, p, 0600, 0))
AT_OP(chown, pexcz_vfs_fchownat(from_dir, p, 0, 0, 0))
AT_OP(futimes, pexcz_vfs_futimesat(from_dir, p, NULL))
AT_OP(utimens, pexcz_vfs_utimensat(from_dir, p, times, 0))

AT_OP(exec, exec_in_child(from_dir, p))

static int
at_scandir(const char *p)
{
    struct dirent **list;
    int n = pexcz_vfs_scandirat(from_dir, p, &list, NULL, NULL);

    for (int i = 0; i < n; i++) {
        free(list[i]);
    }
    if (n >= 0) {
        free(list);
    }
    return n < 0 ? -1 : 0;
}

static const struct {
    const char *name;
    int (*run)(const char *path);
} at_ops[] = {
#define ROW(name) {#name "at", at_##name},
    ROW(open) ROW(create) ROW(stat) ROW(lstat) ROW(statx) ROW(access)
        ROW(access_empty) ROW(readlink) ROW(mkdir) ROW(mknod) ROW(mkfifo)
            ROW(symlink) ROW(unlink) ROW(rmdir) ROW(rename) ROW(rename2)
                ROW(link) ROW(chmod) ROW(chown) ROW(futimes) ROW(utimens)
                    ROW(scandir) ROW(exec)
#undef ROW
};

static int
at_outcome(int (*run)(const char *), const char *root, const char *path)
{
    int rc;

    /* Not closed on exec: the kernel names a script by it. */
    from_dir = pexcz_vfs_open(root, O_RDONLY | O_DIRECTORY, 0);
    CHECK(from_dir >= 0);
    errno = 0;
    rc = run(path + strspn(path, "/"));
    rc = rc < 0 ? errno : 0;
    (void)close(from_dir);
    return rc;
}

static int
outcome(int (*run)(const char *), const char *root, const char *path)
{
    char full[PATH_MAX];
    int rc;

    (void)snprintf(full, sizeof(full), "%s%s", root, path);
    errno = 0;
    rc = run(full);
    return rc < 0 ? errno : 0;
}

static bool
removes(int (*run)(const char *))
{
    return run == op_unlink || run == op_rmdir || run == op_remove
           || run == op_move_out || run == op_call_unlinkat || run == at_unlink
           || run == at_rmdir || run == at_rename || run == at_rename2;
}

/* Why there is nothing at `path` to be removed; 0 when there is. */
static int
absence(const char *root, const char *path)
{
    char full[PATH_MAX];
    struct stat found;
    int n = snprintf(full, sizeof(full), "%s%s", root, path);

    while (n > 0 && full[n - 1] == '/') {
        full[--n] = '\0';
    }
    return lstat(full, &found) < 0 ? errno : 0;
}

static void
compare(const char *name, int (*run)(const char *), const char *path, int got,
        int want)
{
    if (removes(run) && (want == EROFS || want == EXDEV)
        && absence(real_root, path) != 0) {
        want = absence(real_root, path);
    }
    check_count++;
    if (got != want) {
        check_failures++;
        (void)fprintf(stderr, "%s(\"%s\"): %s, on disk: %s\n", name, path,
                      strerror(got), strerror(want));
    }
}

static void
compare_all(void)
{
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        for (size_t j = 0; j < sizeof(paths) / sizeof(paths[0]); j++) {
            compare(ops[i].name, ops[i].run, paths[j],
                    outcome(ops[i].run, PEXCZ_PREFIX, paths[j]),
                    outcome(ops[i].run, real_root, paths[j]));
        }
    }
    for (size_t i = 0; i < sizeof(at_ops) / sizeof(at_ops[0]); i++) {
        for (size_t j = 0; j < sizeof(paths) / sizeof(paths[0]); j++) {
            compare(at_ops[i].name, at_ops[i].run, paths[j],
                    at_outcome(at_ops[i].run, PEXCZ_PREFIX, paths[j]),
                    at_outcome(at_ops[i].run, real_root, paths[j]));
        }
    }
}

int
main(void)
{
    bool ready = make_real_tree();

    if (!ready) {
        (void)rmdir(real_root);
        (void)printf("no mount namespace\n");
        return 77;
    }
    vfs_mount_tree();
    compare_all();
    vfs_unmount_tree();
    (void)umount2(real_root, MNT_DETACH);
    (void)rmdir(real_root);
    CHECK_DONE();
}
