/* SPDX-License-Identifier: Apache-2.0 */
/* vfs/: contents, descriptors, directories, working directory, programs. */
#include "vfs_calls.h"
#include "vfs_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define ROOT PEXCZ_PREFIX

static char text[VFS_BIG_SIZE + 16];

/* What read() gives until the end, as a string. */
static const char *
read_all(int fd)
{
    size_t size = 0;
    ssize_t n;

    while ((n = read(fd, text + size, sizeof(text) - 1 - size)) > 0) {
        size += (size_t)n;
    }
    text[size] = '\0';
    return n < 0 ? NULL : text;
}

static const char *
content_of(const char *path)
{
    int fd = pexcz_vfs_open(path, O_RDONLY | O_CLOEXEC, 0);
    const char *s = fd < 0 ? NULL : read_all(fd);

    if (fd >= 0) {
        (void)close(fd);
    }
    return s;
}

static void
test_open(void)
{
    int fd = pexcz_vfs_open(ROOT "/big", O_RDONLY, 0);
    int other = dup(fd);
    struct stat by_path;
    struct stat by_fd;
    void *p;
    FILE *f;
    char line[16];

    CHECK(fd >= 0);
    CHECK(strncmp(read_all(fd), vfs_big, VFS_BIG_SIZE) == 0);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    CHECK_EQ(fcntl(fd, F_GETFD), 0);
    CHECK(write(fd, "x", 1) < 0 && errno == EBADF);
    p = mmap(NULL, VFS_BIG_SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED && memcmp(p, vfs_big, VFS_BIG_SIZE) == 0);
    (void)munmap(p, VFS_BIG_SIZE);
    CHECK_EQ(pexcz_vfs_stat(ROOT "/big", &by_path), 0);
    CHECK_EQ(pexcz_vfs_fstat(other, &by_fd), 0);
    CHECK(memcmp(&by_path, &by_fd, sizeof(by_fd)) == 0);
    CHECK_EQ(by_fd.st_size, VFS_BIG_SIZE);
    CHECK_EQ(by_fd.st_mtim.tv_sec, 1600000000);
    CHECK_EQ(by_fd.st_mtim.tv_nsec, 123456789);
    CHECK_EQ(by_fd.st_mode, S_IFREG | 0644);
    CHECK(pexcz_vfs_fchmod(fd, 0) < 0 && errno == EROFS);
    CHECK(pexcz_vfs_futimens(fd, NULL) < 0 && errno == EROFS);
    (void)close(fd);
    (void)close(other);

    fd = pexcz_vfs_open(ROOT "/empty", O_RDONLY | O_CLOEXEC, 0);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_STR(read_all(fd), "");
    CHECK_EQ(pexcz_vfs_fstat(fd, &by_fd), 0);
    CHECK_EQ(by_fd.st_mode, S_IFREG | 0600);
    (void)close(fd);

    f = pexcz_vfs_fopen(ROOT "/dir/file", "re");
    CHECK(f != NULL && fgets(line, sizeof(line), f) != NULL);
    CHECK_STR(line, "hello\n");
    f = pexcz_vfs_freopen(ROOT "/dir/sub/deep", "r", f);
    CHECK(f != NULL && fgets(line, sizeof(line), f) != NULL);
    CHECK_STR(line, "deep");
    (void)fclose(f);
}

/* A file of the user's that has no name is not taken for ours. */
static void
test_foreign_descriptor(void)
{
    char name[] = "/tmp/test_vfs_XXXXXX";
    int fd = mkstemp(name);
    struct stat st;

    CHECK_EQ(unlink(name), 0);
    CHECK_EQ(write(fd, "abc", 3), 3);
    CHECK_EQ(pexcz_vfs_fstat(fd, &st), 0);
    CHECK_EQ(st.st_size, 3);
    CHECK_EQ(pexcz_vfs_fchmod(fd, 0600), 0);
    (void)close(fd);
}

static void
test_spellings(void)
{
    char cwd[PATH_MAX];
    char real[PATH_MAX];
    int proc = open("/proc", O_RDONLY | O_DIRECTORY);
    struct stat st;

    CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
    CHECK_STR(content_of("/proc//pexcz/./dir/../dir/file"), "hello\n");
    CHECK_STR(content_of("/proc/self/root/proc/pexcz/dirlink/file"),
              "hello\n");
    CHECK_STR(content_of("/proc/pexcz/../pexcz/link"), "hello\n");
    CHECK_EQ(pexcz_vfs_chdir("/proc"), 0);
    CHECK_STR(content_of("pexcz/dir/file"), "hello\n");
    CHECK_STR(content_of("../proc/pexcz/dir/file"), "hello\n");
    CHECK_EQ(pexcz_vfs_chdir(cwd), 0);
    CHECK_EQ(pexcz_vfs_fstatat(proc, "pexcz/dir/file", &st, 0), 0);
    CHECK_EQ(st.st_size, 6);
    CHECK(pexcz_vfs_stat("/proc/pexczy", &st) < 0 && errno == ENOENT);
    CHECK(pexcz_vfs_stat("/tmp/pexcz/dir/file", &st) < 0);
    /* Out of the tree again. */
    CHECK_EQ(pexcz_vfs_stat(ROOT "/../self/status", &st), 0);
    CHECK_EQ(pexcz_vfs_stat(ROOT "/outside", &st), 0);
    CHECK(S_ISCHR(st.st_mode));
    CHECK_STR(pexcz_vfs_realpath(ROOT "/dirlink/sub/../../link", real),
              ROOT "/dir/file");
    CHECK_STR(pexcz_vfs_realpath(ROOT "/outside", real), "/dev/null");
    CHECK_EQ(pexcz_vfs_readlink(ROOT "/link", real, 3), 3);
    CHECK(memcmp(real, "dir", 3) == 0);
    CHECK(pexcz_vfs_stat("", &st) < 0 && errno == ENOENT);
    (void)close(proc);
}

/* The names that readdir() gives, joined. */
static const char *
list(DIR *dir)
{
    const struct dirent *e;

    text[0] = '\0';
    while (dir != NULL && (e = pexcz_vfs_readdir(dir)) != NULL) {
        (void)strcat(text, e->d_name);
        (void)strcat(text, e->d_type == DT_DIR ? "/ " : " ");
    }
    return text;
}

static void
test_directories(void)
{
    DIR *dir = pexcz_vfs_opendir(ROOT "/dir");
    struct dirent **names = NULL;
    const struct dirent *e;
    struct stat st;
    long position;
    int fd;
    int n;

    CHECK_STR(list(dir), "./ ../ file prog sub/ ");
    pexcz_vfs_rewinddir(dir);
    CHECK_STR(list(dir), "./ ../ file prog sub/ ");
    pexcz_vfs_rewinddir(dir);
    (void)pexcz_vfs_readdir(dir);
    (void)pexcz_vfs_readdir(dir);
    (void)pexcz_vfs_readdir(dir);
    position = pexcz_vfs_telldir(dir);
    CHECK_STR(list(dir), "prog sub/ ");
    pexcz_vfs_seekdir(dir, position);
    e = pexcz_vfs_readdir(dir);
    CHECK_STR(e->d_name, "prog");
    CHECK_EQ(pexcz_vfs_stat(ROOT "/dir/prog", &st), 0);
    CHECK_EQ(e->d_ino, st.st_ino);
    fd = pexcz_vfs_dirfd(dir);
    CHECK_EQ(pexcz_vfs_fstat(fd, &st), 0);
    CHECK(S_ISDIR(st.st_mode));
    CHECK_EQ(pexcz_vfs_closedir(dir), 0);
    CHECK(fcntl(fd, F_GETFD) < 0);

    fd = pexcz_vfs_open(ROOT "/dir", O_RDONLY | O_DIRECTORY, 0);
    n = pexcz_vfs_openat(fd, "../dir/sub/deep", O_RDONLY, 0);
    CHECK_STR(read_all(n), "deep");
    (void)close(n);
    CHECK(pexcz_vfs_openat(fd, "none", O_RDONLY, 0) < 0 && errno == ENOENT);
    CHECK(pexcz_vfs_mkdirat(fd, "new", 0700) < 0 && errno == EROFS);
    CHECK_EQ(pexcz_vfs_faccessat(fd, "prog", X_OK, 0), 0);
    dir = pexcz_vfs_fdopendir(fd);
    CHECK_STR(list(dir), "./ ../ file prog sub/ ");
    CHECK_EQ(pexcz_vfs_closedir(dir), 0);
    CHECK(fcntl(fd, F_GETFD) < 0);

    CHECK_EQ(pexcz_vfs_scandir(ROOT "/dir", &names, NULL, alphasort), 5);
    for (n = 0; n < 5; n++) {
        free(names[n]);
    }
    free(names);
    dir = pexcz_vfs_opendir("/proc/self");
    CHECK(dir != NULL && pexcz_vfs_readdir(dir) != NULL);
    CHECK_EQ(pexcz_vfs_closedir(dir), 0);
}

static int visits;

static int
count_visit(const char *path, const struct stat *st, int type,
            struct FTW *where)
{
    (void)st;
    CHECK(type == FTW_F || type == FTW_D || type == FTW_SL);
    CHECK(path[where->base - 1] == '/');
    visits++;
    return 0;
}

static void
test_walks(void)
{
    glob_t g = {0};

    CHECK_EQ(pexcz_vfs_glob(ROOT "/d*/*", 0, NULL, &g), 0);
    CHECK_EQ(g.gl_pathc, 6);
    CHECK_STR(g.gl_pathv[0], ROOT "/dir/file");
    globfree(&g);
    CHECK_EQ(pexcz_vfs_nftw(ROOT "/dir/", count_visit, 10, FTW_PHYS), 0);
    CHECK_EQ(visits, 5);
}

static void
test_cwd(void)
{
    char before[PATH_MAX];
    char now[PATH_MAX];
    char *fresh;
    struct stat st;
    int fd = open(".", O_RDONLY | O_DIRECTORY);
    int status = 0;
    pid_t pid;

    CHECK(getcwd(before, sizeof(before)) != NULL);
    CHECK_EQ(pexcz_vfs_chdir(ROOT "/dir/sub"), 0);
    CHECK_STR(pexcz_vfs_getcwd(now, sizeof(now)), ROOT "/dir/sub");
    CHECK(pexcz_vfs_getcwd(now, 5) == NULL && errno == ERANGE);
    fresh = pexcz_vfs_getcwd(NULL, 0);
    CHECK_STR(fresh, ROOT "/dir/sub");
    free(fresh);
    CHECK_STR(content_of("deep"), "deep");
    CHECK_STR(content_of("../file"), "hello\n");
    CHECK_EQ(pexcz_vfs_stat("../../../self", &st), 0);
    CHECK(pexcz_vfs_stat("none", &st) < 0 && errno == ENOENT);
    CHECK_EQ(pexcz_vfs_chdir(".."), 0);
    CHECK_STR(pexcz_vfs_getcwd(now, sizeof(now)), ROOT "/dir");
    /* A program that cannot see it would run elsewhere. */
    CHECK(pexcz_vfs_system("true") < 0 && errno == EACCES);
    /* A child's directory is its own, even where it shares our memory. */
    pid = vfork();
    if (pid == 0) {
        status = pexcz_vfs_chdir("/dev");
        _exit(status == 0 && pexcz_vfs_access("null", F_OK) == 0 ? 0 : 1);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK_STR(pexcz_vfs_getcwd(now, sizeof(now)), ROOT "/dir");
    CHECK_EQ(pexcz_vfs_fchdir(fd), 0);
    CHECK_STR(pexcz_vfs_getcwd(now, sizeof(now)), before);
    pid = vfork();
    if (pid == 0) {
        status = pexcz_vfs_chdir(ROOT "/dir");
        _exit(status == 0 && pexcz_vfs_access("file", F_OK) == 0 ? 0 : 1);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK_STR(pexcz_vfs_getcwd(now, sizeof(now)), before);
    (void)close(fd);
}

/* What a program that posix_spawn() starts writes to its standard output. */
static const char *
output_of(const char *path, char *const argv[])
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    pid_t pid = -1;
    int status = -1;

    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(posix_spawn_file_actions_init(&actions), 0);
    CHECK_EQ(pexcz_vfs_posix_spawn_file_actions_addopen(
                 &actions, 0, ROOT "/dir/file", O_RDONLY, 0),
             0);
    CHECK_EQ(posix_spawn_file_actions_adddup2(&actions, ends[1], 1), 0);
    CHECK_EQ(pexcz_vfs_posix_spawnp(&pid, path, &actions, NULL, argv, environ),
             0);
    (void)close(ends[1]);
    (void)read_all(ends[0]);
    (void)close(ends[0]);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK_EQ(pexcz_vfs_posix_spawn_file_actions_destroy(&actions), 0);
    return text;
}

static void
test_programs(void)
{
    char prog[] = "prog";
    char one[] = "one";
    char *argv[] = {prog, one, NULL};
    char *cat[] = {prog, NULL};
    char *none[] = {prog, NULL};
    pid_t pid;
    int status = -1;

    CHECK_STR(output_of(ROOT "/dir/prog", argv), "ran one\n");
    CHECK_STR(output_of("/bin/cat", cat), "hello\n");
    CHECK_EQ(setenv("PATH", ROOT "/dir:/bin:/usr/bin", 1), 0);
    CHECK_STR(output_of("prog", argv), "ran one\n");
    CHECK(pexcz_vfs_execve(ROOT "/dir/file", none, environ) < 0
          && errno == EACCES);
    CHECK(pexcz_vfs_execve(ROOT "/dir", none, environ) < 0 && errno == EACCES);
    CHECK(pexcz_vfs_execvpe("absent-program", none, environ) < 0
          && errno == ENOENT);
    pid = vfork();
    if (pid == 0) {
        (void)pexcz_vfs_execve(ROOT "/self", argv, environ);
        _exit(9);
    }
    /* The argument "one" makes the test exit with 42, see main(). */
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_EQ(WEXITSTATUS(status), 42);
}

static const void *prepared_for;

static void *
open_library(const char *inner_path, long list, int mode)
{
    CHECK_STR(inner_path, "dir/file");
    return pexcz_vfs_open_real("libm.so.6", list, mode);
}

static void
prepare_library(const char *name, const void *caller)
{
    CHECK_STR(name, "libm.so.6");
    prepared_for = caller;
}

static char maps_name[32];

static int
open_maps(const char *name, int flags)
{
    (void)snprintf(maps_name, sizeof(maps_name), "%s", name);
    return (flags & O_CLOEXEC) != 0
               ? -1
               : pexcz_vfs_open(ROOT "/dir/file", O_RDONLY, 0);
}

/* Whose text it is: the callback's, or the kernel's. */
static bool
is_given(const char *path, int flags)
{
    struct stat st;
    int fd;

    maps_name[0] = '\0';
    fd = pexcz_vfs_open(path, flags, 0);
    CHECK(fd >= 0 && fstat(fd, &st) == 0);
    (void)close(fd);
    return st.st_size != 0;
}

static void
test_maps(void)
{
    static const struct pexcz_vfs_libraries libraries = {.maps = open_maps};
    char path[64];
    FILE *stream;

    CHECK(!is_given("/proc/self/maps", O_RDONLY));
    pexcz_vfs_set_libraries(&libraries);
    CHECK(is_given("/proc/self/maps", O_RDONLY));
    CHECK_STR(maps_name, "self/maps");
    CHECK(is_given("/proc/thread-self/smaps", O_RDONLY | O_NOCTTY));
    CHECK_STR(maps_name, "thread-self/smaps");
    (void)snprintf(path, sizeof(path), "/proc/%d/maps", getpid());
    CHECK(is_given(path, O_RDONLY));
    CHECK(!is_given("/proc/self/maps", O_RDONLY | O_CLOEXEC));
    CHECK_STR(maps_name, "self/maps");
    CHECK(!is_given("/proc//self/maps", O_RDONLY));
    CHECK(!is_given("/proc/self/status", O_RDONLY));
    CHECK(!is_given("/proc/1/status", O_RDONLY));
    CHECK_STR(maps_name, "");
    CHECK(pexcz_vfs_open("/proc/self/maps", O_RDONLY | O_DIRECTORY, 0) < 0
          && errno == ENOTDIR);
    stream = pexcz_vfs_fopen("/proc/self/maps", "r");
    CHECK(stream != NULL);
    CHECK_STR(maps_name, "self/maps");
    CHECK_EQ(fgetc(stream), 'h');
    (void)fclose(stream);
    pexcz_vfs_set_libraries(NULL);
}

static void
test_libraries(void)
{
    static const struct pexcz_vfs_libraries libraries = {
        .open = open_library,
        .prepare = prepare_library,
    };
    int caller;

    CHECK(!pexcz_vfs_is_library(NULL, NULL));
    CHECK(!pexcz_vfs_is_library("libm.so.6", NULL));
    CHECK(pexcz_vfs_is_library(ROOT "/dir/file", NULL));
    CHECK(pexcz_vfs_dlopen(ROOT "/dir/file", 2) == NULL);
    pexcz_vfs_set_libraries(&libraries);
    CHECK(pexcz_vfs_dlopen(ROOT "/link", 2) != NULL);
    CHECK(pexcz_vfs_dlopen(ROOT "/none", 2) == NULL);
    CHECK(!pexcz_vfs_is_library("libm.so.6", &caller));
    CHECK(prepared_for == &caller);
    pexcz_vfs_set_libraries(NULL);
}

static void
test_mount(void)
{
    struct statvfs fs;
    struct stat root;
    struct stat proc;
    char value[8];
    int fd = inotify_init1(IN_CLOEXEC);

    CHECK_EQ(pexcz_vfs_statvfs(ROOT "/dir", &fs), 0);
    CHECK((fs.f_flag & ST_RDONLY) != 0);
    CHECK(fs.f_blocks > 0 && fs.f_bfree == 0);
    CHECK(pexcz_vfs_getxattr(ROOT "/big", "user.x", value, sizeof(value)) < 0
          && errno == ENODATA);
    CHECK_EQ(pexcz_vfs_pathconf(ROOT, _PC_NAME_MAX), 255);
    CHECK(pexcz_vfs_inotify_add_watch(fd, ROOT "/dir", IN_CREATE) > 0);
    CHECK(pexcz_vfs_inotify_add_watch(fd, ROOT "/none", IN_CREATE) < 0
          && errno == ENOENT);
    (void)close(fd);
    CHECK_EQ(pexcz_vfs_stat(ROOT, &root), 0);
    CHECK_EQ(pexcz_vfs_stat("/proc", &proc), 0);
    CHECK(root.st_dev != proc.st_dev);
}

static void *
read_often(void *failures)
{
    char buf[8];

    for (int i = 0; i < 200; i++) {
        int fd = pexcz_vfs_open(ROOT "/dir/file", O_RDONLY, 0);

        if (fd < 0 || read(fd, buf, sizeof(buf)) != 6
            || memcmp(buf, "hello\n", 6) != 0) {
            (*(int *)failures)++;
        }
        (void)close(fd);
    }
    return NULL;
}

static void
test_threads(void)
{
    pthread_t threads[4];
    int failures[4] = {0};

    for (int i = 0; i < 4; i++) {
        CHECK_EQ(pthread_create(&threads[i], NULL, read_often, &failures[i]),
                 0);
    }
    for (int i = 0; i < 10; i++) {
        pid_t pid = fork();
        int status = -1;

        if (pid == 0) {
            int bad = 0;

            (void)read_often(&bad);
            _exit(bad != 0);
        }
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    }
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
        CHECK_EQ(failures[i], 0);
    }
}

int
main(int argc, char **argv)
{
    struct stat st;
    char self[PATH_MAX] = "";

    if (argc == 2 && strcmp(argv[1], "one") == 0) {
        return 42;
    }
    CHECK(pexcz_vfs_stat(ROOT "/dir", &st) < 0 && errno == ENOENT);
    vfs_mount_tree();
    CHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
    pexcz_vfs_set_self(self);
    test_open();
    test_foreign_descriptor();
    test_spellings();
    test_directories();
    test_walks();
    test_cwd();
    test_programs();
    test_libraries();
    test_maps();
    test_mount();
    test_threads();
    vfs_unmount_tree();
    CHECK(pexcz_vfs_stat(ROOT "/dir", &st) < 0 && errno == ENOENT);
    CHECK_DONE();
}
