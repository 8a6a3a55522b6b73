/* SPDX-License-Identifier: Apache-2.0 */
#include "vfs_diff.h"

#include "vfs_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/xattr.h>

static char *
buffer(void)
{
    static _Thread_local char buf[80000];

    return buf;
}
#define BUFFER_SIZE 80000u

static void
say_stat(struct side *s, const struct stat *st)
{
    struct stat root;
    bool is_root;

    (void)pexcz_vfs_stat(s->root, &root);
    is_root = root.st_dev == st->st_dev && root.st_ino == st->st_ino;
    if (root.st_dev != st->st_dev) { /* outside of the tree */
        say(s, " outside %o", st->st_mode);
        return;
    }
    say(s, " %o u%u g%u", st->st_mode, st->st_uid, st->st_gid);
    if (!is_root) {
        say(s, " m%ld.%ld", st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
    }
    /* The length of an absolute link counts the root. */
    if (S_ISREG(st->st_mode)) {
        say(s, " n%lu s%ld", (unsigned long)st->st_nlink, (long)st->st_size);
    }
}

static unsigned
sum(const char *p, size_t n)
{
    unsigned h = 5381;

    for (size_t i = 0; i < n; i++) {
        h = h * 33 + (unsigned char)p[i];
    }
    return h;
}

static void
say_descriptor(struct side *s, int fd)
{
    struct stat st;
    ssize_t n;

    say(s, " fl%o fd%d", fcntl(fd, F_GETFL) & (O_ACCMODE | O_PATH),
        fcntl(fd, F_GETFD));
    if (pexcz_vfs_fstat(fd, &st) < 0) {
        say(s, " fstat %d", errno);
        return;
    }
    say_stat(s, &st);
    n = pexcz_vfs_read(fd, buffer(), BUFFER_SIZE);
    say(s, " read %zd/%d %u", n, n < 0 ? errno : 0,
        n > 0 ? sum(buffer(), (size_t)n) : 0);
    if (n >= 0) {
        say(s, " at %ld", (long)lseek(fd, 0, SEEK_CUR));
        (void)lseek(fd, 0, SEEK_SET);
    }
}

static void
do_open(struct side *s, const struct call *c)
{
    static const int extra[]
        = {O_CREAT,     O_EXCL,     O_TRUNC,    O_APPEND,
           O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_CLOEXEC};
    int flags = (int)(c->r[0] % 4 == 0 ? c->r[0] / 4 % 3 : O_RDONLY);
    size_t slot = c->r[2] % FD_COUNT;
    int fd;

    for (size_t i = 0; i < sizeof(extra) / sizeof(extra[0]); i++) {
        flags |= (c->r[1] >> (2 * i) & 3) == 0 ? extra[i] : 0;
    }
    if (c->r[0] % 16 == 3) {
        flags |= O_PATH;
    }
    /* What the kernel says of both together depends on its version. */
    if ((flags & O_CREAT) != 0) {
        flags &= ~O_DIRECTORY;
    }
    fd = pexcz_vfs_openat(c->fd, c->path, flags, 0600);
    say_result(s, "open", fd < 0 ? -1 : 0);
    if (fd < 0) {
        return;
    }
    say_descriptor(s, fd);
    if (s->fds[slot] >= 0) {
        (void)close(s->fds[slot]);
    }
    s->fds[slot] = fd;
}

static void
do_stat(struct side *s, const struct call *c)
{
    static const int flags[]
        = {0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, AT_NO_AUTOMOUNT};
    struct stat st;
    int rc = pexcz_vfs_fstatat(c->fd, c->path, &st, flags[c->r[0] % 4]);

    say_result(s, "fstatat", rc);
    if (rc == 0) {
        say_stat(s, &st);
    }
}

static void
do_statx(struct side *s, const struct call *c)
{
    static const int flags[]
        = {0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, AT_STATX_DONT_SYNC};
    struct statx st;
    int rc = pexcz_vfs_statx(c->fd, c->path, flags[c->r[0] % 4],
                             STATX_BASIC_STATS, &st);

    say_result(s, "statx", rc);
    if (rc == 0) {
        say(s, " %o", st.stx_mode);
        if (S_ISREG(st.stx_mode)) {
            say(s, " %llu", (unsigned long long)st.stx_size);
        }
    }
}

static void
do_access(struct side *s, const struct call *c)
{
    static const int flags[] = {0, AT_EACCESS, AT_SYMLINK_NOFOLLOW};

    say_result(s, "faccessat",
               pexcz_vfs_faccessat(c->fd, c->path, (int)(c->r[0] % 8),
                                   flags[c->r[1] % 3]));
}

static void
do_readlink(struct side *s, const struct call *c)
{
    size_t size = c->r[0] % 5 == 0 ? c->r[1] % 20 : BUFFER_SIZE;
    ssize_t n = pexcz_vfs_readlinkat(c->fd, c->path, buffer(), size);

    say_result(s, "readlinkat", n < 0 ? -1 : 0);
    if (n >= 0 && size == BUFFER_SIZE) {
        buffer()[n] = '\0';
        say(s, " %s", buffer());
    }
    else if (n >= 0 && buffer()[0] != '/') {
        say(s, " %zd", n);
    }
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void
do_scandir(struct side *s, const struct call *c)
{
    struct dirent **list;
    int n;

    n = pexcz_vfs_scandirat(c->fd, c->path, &list, NULL, by_name);
    say_result(s, "scandirat", n < 0 ? -1 : n);
    for (int i = 0; i < n; i++) {
        say(s, " %s/%d", list[i]->d_name, list[i]->d_type);
        free(list[i]);
    }
    if (n >= 0) {
        free(list);
    }
}

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All names of a stream, read on from a place that was marked. */
static void
do_stream(struct side *s, const struct call *c)
{
    DIR *dir;
    char *names[TREE_MAX_ENTRIES + 2];
    const struct dirent *d;
    size_t count = 0;
    long mark = -1;

    dir = c->fd == AT_FDCWD ? pexcz_vfs_opendir(c->path) : NULL;
    if (c->fd != AT_FDCWD) {
        int fd = pexcz_vfs_openat(c->fd, c->path, O_RDONLY | O_NONBLOCK, 0);

        dir = fd >= 0 ? pexcz_vfs_fdopendir(fd) : NULL;
        if (dir == NULL && fd >= 0) {
            say_result(s, "fdopendir", -1);
            (void)close(fd);
            return;
        }
    }
    say_result(s, "opendir", dir == NULL ? -1 : 0);
    if (dir == NULL) {
        return;
    }
    while ((d = pexcz_vfs_readdir(dir)) != NULL) {
        if (mark < 0 && c->r[0] % 2 == 0) {
            mark = pexcz_vfs_telldir(dir);
        }
        names[count++] = strdup(d->d_name);
    }
    if (mark >= 0) {
        size_t again = 0;

        pexcz_vfs_seekdir(dir, mark);
        while (pexcz_vfs_readdir(dir) != NULL) {
            again++;
        }
        say(s, " again %zu", again);
    }
    say(s, " dirfd %d", pexcz_vfs_dirfd(dir) >= 0);
    (void)pexcz_vfs_closedir(dir);
    qsort(names, count, sizeof(names[0]), compare_texts);
    for (size_t i = 0; i < count; i++) {
        say(s, " %s", names[i]);
        free(names[i]);
    }
}

static const struct timespec now_or_not[][2] = {
    {{0, UTIME_NOW}, {0, UTIME_NOW}},
    {{0, UTIME_OMIT}, {0, UTIME_OMIT}},
    {{5, 5}, {6, 6}},
};

static void
do_change(struct side *s, const struct call *c)
{
    int nofollow = c->r[1] % 2 == 0 ? AT_SYMLINK_NOFOLLOW : 0;
    long rc = 0;

    switch (c->r[0] % 10) {
    case 0:
        rc = pexcz_vfs_mkdirat(c->fd, c->path, 0700);
        break;
    case 1:
        rc = pexcz_vfs_mknodat(c->fd, c->path, S_IFIFO | 0600, 0);
        break;
    case 2:
        rc = pexcz_vfs_symlinkat("x", c->fd, c->path);
        break;
    case 3:
        rc = pexcz_vfs_fchmodat(c->fd, c->path, 0600, 0);
        break;
    case 4:
        rc = pexcz_vfs_fchownat(c->fd, c->path, (uid_t)-1, (gid_t)-1,
                                nofollow);
        break;
    case 5:
        rc = pexcz_vfs_utimensat(c->fd, c->path, now_or_not[c->r[2] % 3],
                                 nofollow);
        break;
    case 6:
        rc = pexcz_vfs_mkfifoat(c->fd, c->path, 0600);
        break;
    case 7:
        rc = pexcz_vfs_futimesat(c->fd, c->path, NULL);
        break;
    case 8:
        rc = pexcz_vfs_linkat(c->fd, c->path, c->fd, c->other,
                              c->r[1] % 2 == 0 ? AT_SYMLINK_FOLLOW : 0);
        break;
    default:
        rc = pexcz_vfs_linkat(AT_FDCWD, "/dev/null", c->fd, c->path, 0);
        break;
    }
    say(s, "%u ", c->r[0] % 10);
    say_result(s, "change", rc);
}

/* One known difference: what is not there cannot be removed (docs/vfs.md). */
static void
do_remove(struct side *s, const struct call *c)
{
    char path[5000];
    size_t size = strlen(c->path);
    struct stat st;
    long rc;

    memcpy(path, c->path, size + 1);
    while (size > 1 && path[size - 1] == '/') {
        path[--size] = '\0';
    }
    if (pexcz_vfs_fstatat(c->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        return;
    }
    switch (c->r[0] % 4) {
    case 0:
        rc = pexcz_vfs_unlinkat(c->fd, c->path, 0);
        break;
    case 1:
        rc = pexcz_vfs_unlinkat(c->fd, c->path, AT_REMOVEDIR);
        break;
    case 2:
        rc = pexcz_vfs_renameat(c->fd, c->path, c->fd, c->other);
        break;
    default:
        rc = pexcz_vfs_renameat(c->fd, c->path, AT_FDCWD, "/dev/shm/none");
        break;
    }
    say(s, "%u ", c->r[0] % 4);
    say_result(s, "remove", rc);
}

/* Calls without a directory descriptor. */
static void
do_absolute(struct side *s, const struct call *c)
{
    struct statvfs fs;
    char *real;
    FILE *f;
    long rc = 0;

    if (c->fd != AT_FDCWD) {
        return;
    }
    switch (c->r[0] % 9) {
    case 0:
        rc = pexcz_vfs_truncate(c->path, c->r[1] % 3);
        break;
    case 1:
        rc = pexcz_vfs_statvfs(c->path, &fs);
        break;
    case 2:
        rc = pexcz_vfs_setxattr(c->path, "user.x", "1", 1, 0);
        break;
    case 3:
        rc = pexcz_vfs_lgetxattr(c->path, "user.x", buffer(), 9);
        break;
    case 4:
        rc = pexcz_vfs_llistxattr(c->path, buffer(), 0) < 0 ? -1 : 0;
        break;
    case 5:
        if (strlen(c->path) >= PATH_MAX) {
            break; /* some versions of libc walk it bit by bit */
        }
        real = pexcz_vfs_realpath(c->path, NULL);
        rc = real == NULL ? -1 : 0;
        say(s, "%s ", real != NULL ? real : "none");
        free(real);
        break;
    case 6:
        f = pexcz_vfs_fopen(c->path, c->r[1] % 2 == 0 ? "r" : "rbe");
        rc = f == NULL ? -1 : (long)fread(buffer(), 1, BUFFER_SIZE, f);
        if (f != NULL) {
            (void)fclose(f);
        }
        break;
    case 7:
        rc = pexcz_vfs_access(c->path, (int)(c->r[1] % 8));
        break;
    default:
        rc = pexcz_vfs_pathconf(c->path, _PC_NAME_MAX) < 0 ? -1 : 0;
        break;
    }
    say(s, "%u ", c->r[0] % 9);
    say_result(s, "absolute", rc);
}

static void
do_descriptor(struct side *s, const struct call *c)
{
    int fd = s->fds[c->r[0] % FD_COUNT];
    struct stat st;
    void *p;
    long rc = -1;
    int copy;

    if (fd < 0) {
        return;
    }
    switch (c->r[1] % 11) {
    case 0:
        rc = pexcz_vfs_pread(fd, buffer(), c->r[2] % 100, c->r[3] % 1000);
        break;
    case 1:
        rc = lseek(fd, c->r[2] % 1000, SEEK_SET) < 0 ? -1 : 0;
        /* Where a folder's stream stands is its file system's. */
        (void)lseek(fd, 0, SEEK_SET);
        break;
    case 2:
        rc = pexcz_vfs_fchmod(fd, 0600);
        break;
    case 3:
        rc = pexcz_vfs_futimens(fd, NULL);
        break;
    case 4:
        rc = write(fd, "x", 1);
        break;
    case 5:
        rc = pexcz_vfs_flistxattr(fd, NULL, 0) < 0 ? -1 : 0;
        break;
    case 6:
        copy = dup(fd);
        rc = copy < 0 ? -1 : pexcz_vfs_fstat(copy, &st);
        if (rc == 0) {
            say_stat(s, &st);
        }
        (void)close(copy);
        break;
    case 7:
        rc = pexcz_vfs_fstat(fd, &st);
        p = rc == 0 && st.st_size > 0 && S_ISREG(st.st_mode)
                ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)
                : MAP_FAILED;
        if (p != MAP_FAILED) {
            say(s, " mapped %u", sum(p, (size_t)st.st_size));
            (void)munmap(p, (size_t)st.st_size);
        }
        break;
    case 8:
        rc = pexcz_vfs_fsetxattr(fd, "user.x", "1", 1, 0);
        break;
    case 9:
        rc = flock(fd, LOCK_SH | LOCK_NB);
        (void)flock(fd, LOCK_UN);
        break;
    default:
        s->fds[c->r[0] % FD_COUNT] = -1;
        rc = close(fd);
        break;
    }
    say(s, "%u ", c->r[1] % 11);
    say_result(s, "descriptor", rc);
}

/* Into a directory, a call with a relative name there, and out again. */
static void
do_chdir(struct side *s, const struct call *c)
{
    struct stat st;
    char cwd[8192];
    int rc;

    rc = c->fd == AT_FDCWD ? pexcz_vfs_chdir(c->path)
                           : pexcz_vfs_fchdir(c->fd);

    say_result(s, "chdir", rc);
    if (rc == 0) {
        int fd = -1;

        if (leads_out(s, AT_FDCWD, c->tail)) {
            (void)pexcz_vfs_chdir("/");
            return;
        }
        say(s, " %s", pexcz_vfs_getcwd(cwd, sizeof(cwd)));
        rc = pexcz_vfs_stat(c->tail, &st);
        say_result(s, " stat", rc);
        if (rc == 0) {
            say_stat(s, &st);
        }
        fd = pexcz_vfs_open(c->tail, O_RDONLY | O_NONBLOCK, 0);
        say_result(s, " open", fd < 0 ? -1 : 0);
        if (fd >= 0) {
            (void)close(fd);
        }
        say_result(s, " mkdir", pexcz_vfs_mkdir(c->tail, 0700));
    }
    (void)pexcz_vfs_chdir("/");
}

static void
do_glob(struct side *s, const struct call *c)
{
    char pattern[8192];
    glob_t found = {0};
    int rc;

    if (c->fd != AT_FDCWD || strlen(c->path) > 4000) {
        return;
    }
    (void)snprintf(pattern, sizeof(pattern), "%s/%s", c->path,
                   c->r[0] % 2 == 0 ? "*" : "[a-p]*/*");
    rc = pexcz_vfs_glob(pattern, GLOB_MARK, NULL, &found);
    say(s, "glob %d", rc);
    for (size_t i = 0; rc == 0 && i < found.gl_pathc; i++) {
        say(s, " %s", found.gl_pathv[i]);
    }
    if (rc == 0) {
        globfree(&found);
    }
}

const struct operation operations[] = {
    {"open", do_open, false},
    {"open", do_open, false},
    {"stat", do_stat, false},
    {"stat", do_stat, false},
    {"statx", do_statx, false},
    {"access", do_access, false},
    {"readlink", do_readlink, false},
    {"scandir", do_scandir, false},
    {"stream", do_stream, false},
    {"change", do_change, false},
    {"remove", do_remove, false},
    {"absolute", do_absolute, false},
    {"descriptor", do_descriptor, false},
    {"chdir", do_chdir, true},
    {"glob", do_glob, false},
};
const size_t operation_count = sizeof(operations) / sizeof(operations[0]);
