/* SPDX-License-Identifier: Apache-2.0 */
/* vfs/: fts(3) and getdents64(), against the same tree on disk. */
#include "vfs_calls.h"
#include "vfs_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

static char real_root[] = "/tmp/test_vfs_walk_XXXXXX";
static char got[65536];
static char want[65536];

/* The path of a child that is not at hand yet is not defined. */
static void
note(char *log, const char *root, const FTSENT *e, const char *mark)
{
    size_t used = strlen(log);

    (void)snprintf(log + used, sizeof(got) - used, "%s%d %d %s %s %s\n", mark,
                   e->fts_info, e->fts_level,
                   mark[0] == '\0' ? e->fts_path + strlen(root) : "-",
                   e->fts_level == 0 ? "" : e->fts_name,
                   e->fts_info == FTS_F && e->fts_statp->st_size == 6 ? "6"
                                                                      : "");
}

static int
by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Everything that a tour gives; it skips, follows and looks ahead, too. */
static void
tour(char *log, const char *root, const char *const *below, int options)
{
    char paths[4][128];
    char *argv[5] = {NULL};
    FTSENT *e;
    FTS *fts;

    log[0] = '\0';
    for (size_t i = 0; below[i] != NULL; i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "%s%s", root, below[i]);
        argv[i] = paths[i];
    }
    fts = pexcz_vfs_fts_open(argv, options, by_name);
    if (fts == NULL) {
        (void)snprintf(log, sizeof(got), "errno %d", errno);
        return;
    }
    while ((e = pexcz_vfs_fts_read(fts)) != NULL) {
        note(log, root, e, "");
        if (e->fts_info == FTS_D && strcmp(e->fts_name, "sub") == 0) {
            CHECK_EQ(pexcz_vfs_fts_set(fts, e, FTS_SKIP), 0);
        }
        if (e->fts_info == FTS_SL && strcmp(e->fts_name, "link") == 0) {
            CHECK_EQ(pexcz_vfs_fts_set(fts, e, FTS_FOLLOW), 0);
        }
        if (e->fts_info == FTS_D && strcmp(e->fts_name, "dir") == 0) {
            for (e = pexcz_vfs_fts_children(fts, 0); e != NULL;
                 e = e->fts_link) {
                note(log, root, e, "child ");
            }
        }
    }
    CHECK_EQ(errno, 0);
    CHECK_EQ(pexcz_vfs_fts_close(fts), 0);
}

static void
test_fts(void)
{
    static const char *const whole[] = {"", NULL};
    static const char *const some[] = {"/dirlink", "/none", "/dir/file", NULL};
    static const int options[] = {
        FTS_PHYSICAL,
        FTS_LOGICAL,
        FTS_PHYSICAL | FTS_COMFOLLOW,
        FTS_PHYSICAL | FTS_SEEDOT | FTS_NOCHDIR,
        FTS_PHYSICAL | FTS_XDEV,
    };

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        tour(got, PEXCZ_PREFIX, some, options[i]);
        tour(want, real_root, some, options[i] | FTS_NOCHDIR);
        CHECK_STR(got, want);
        tour(got, PEXCZ_PREFIX, whole, options[i]);
        tour(want, real_root, whole, options[i] | FTS_NOCHDIR);
        CHECK_STR(got, want);
        CHECK(strlen(got) > 100);
    }
    tour(got, PEXCZ_PREFIX, whole, 0x7000);
    tour(want, real_root, whole, 0x7000);
    CHECK_STR(got, want);
}

/* The names that getdents64() gives through a buffer of `room` bytes. */
static size_t
count_entries(const char *path, size_t room, size_t *ret_calls)
{
    char buf[1024];
    int fd = pexcz_vfs_open(path, O_RDONLY | O_DIRECTORY, 0);
    size_t count = 0;
    ssize_t n;

    CHECK(fd >= 0);
    *ret_calls = 0;
    while ((n = pexcz_vfs_getdents64(fd, buf, room)) > 0) {
        for (ssize_t i = 0; i < n;) {
            struct dirent *d = (struct dirent *)(void *)(buf + i);

            CHECK(strlen(d->d_name) != 0);
            i += d->d_reclen;
            count++;
        }
        ++*ret_calls;
    }
    CHECK_EQ(n, 0);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK(pexcz_vfs_getdents64(fd, buf, room) > 0);
    (void)close(fd);
    return count;
}

static void
test_getdents(void)
{
    long a[6] = {-1, 0, 0, 0, 0, 0};
    char buf[8];
    size_t calls;
    int fd = pexcz_vfs_open(PEXCZ_PREFIX "/dir", O_RDONLY | O_DIRECTORY, 0);
    int file = pexcz_vfs_open(PEXCZ_PREFIX "/dir/file", O_RDONLY, 0);

    CHECK_EQ(count_entries(PEXCZ_PREFIX "/dir", 1024, &calls), 5);
    CHECK_EQ(calls, 1);
    CHECK_EQ(count_entries(PEXCZ_PREFIX "/dir", 32, &calls), 5);
    CHECK_EQ(calls, 5);
    CHECK(pexcz_vfs_getdents64(fd, buf, sizeof(buf)) < 0 && errno == EINVAL);
    CHECK(pexcz_vfs_getdents64(file, buf, sizeof(buf)) < 0
          && errno == ENOTDIR);
    CHECK(pexcz_vfs_syscall(SYS_getdents64, a) < 0 && errno == EBADF);
    (void)close(fd);
    (void)close(file);
}

int
main(void)
{
    static const struct vfs_file big = {"big", "x", PEXCZ_KIND_FILE, 0644};
    static const struct vfs_file self = {"self", "x", PEXCZ_KIND_FILE, 0755};
    char command[64];

    CHECK(mkdtemp(real_root) != NULL);
    for (size_t i = 0; i < VFS_FILE_COUNT; i++) {
        vfs_copy_out(real_root, &vfs_files[i]);
    }
    vfs_copy_out(real_root, &big);
    vfs_copy_out(real_root, &self);
    vfs_mount_tree();
    test_fts();
    test_getdents();
    vfs_unmount_tree();
    (void)snprintf(command, sizeof(command), "rm -r %s", real_root);
    CHECK_EQ(system(command), 0);
    CHECK_DONE();
}
