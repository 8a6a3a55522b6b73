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
#include <sys/mount.h>
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
        ROW(stat) ROW(lstat) ROW(exists) ROW(readable) ROW(writable)
            ROW(executable) ROW(readlink) ROW(mkdir) ROW(mkfifo) ROW(symlink)
                ROW(unlink) ROW(rmdir) ROW(remove) ROW(chmod) ROW(chown)
                    ROW(lchown) ROW(truncate) ROW(utimens) ROW(lutimens)
                        ROW(listxattr) ROW(move_out) ROW(move_in) ROW(link_out)
                            ROW(link_in) ROW(link_nothing_in) ROW(opendir)
                                ROW(chdir) ROW(realpath) ROW(fopen)
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

static void
copy_out(const struct vfs_file *f)
{
    char path[256];
    char *slash;
    FILE *stream;

    (void)snprintf(path, sizeof(path), "%s/%s", real_root, f->path);
    for (slash = path + strlen(real_root) + 1;
         (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        (void)mkdir(path, 0755);
        *slash = '/';
    }
    if (f->kind == PEXCZ_KIND_DIR) {
        CHECK_EQ(mkdir(path, f->mode), 0);
    }
    else if (f->kind == PEXCZ_KIND_SYMLINK) {
        CHECK_EQ(symlink(f->content, path), 0);
    }
    else {
        stream = fopen(path, "w");
        CHECK(stream != NULL && fputs(f->content, stream) >= 0);
        CHECK_EQ(fclose(stream), 0);
        CHECK_EQ(chmod(path, f->mode), 0);
    }
}

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
        copy_out(&vfs_files[i]);
    }
    copy_out(&big);
    CHECK_EQ(mount("none", real_root, "tmpfs", MS_REMOUNT | MS_RDONLY, ""), 0);
    return true;
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
           || run == op_move_out;
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
compare_all(void)
{
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        for (size_t j = 0; j < sizeof(paths) / sizeof(paths[0]); j++) {
            int got = outcome(ops[i].run, PEXCZ_PREFIX, paths[j]);
            int want = outcome(ops[i].run, real_root, paths[j]);

            if (removes(ops[i].run) && (want == EROFS || want == EXDEV)
                && absence(real_root, paths[j]) != 0) {
                want = absence(real_root, paths[j]);
            }
            check_count++;
            if (got != want) {
                check_failures++;
                (void)fprintf(stderr, "%s(\"%s\"): %s, on disk: %s\n",
                              ops[i].name, paths[j], strerror(got),
                              strerror(want));
            }
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
