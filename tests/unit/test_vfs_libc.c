/* SPDX-License-Identifier: Apache-2.0 */
/* vfs/interpose_*.c: libc's own names, as any program calls them. */
#include "vfs_tree.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define ROOT PEXCZ_PREFIX

/* What programs linked against an old libc call. */
int __xstat64(int version, const char *path, struct stat *st);
int __fxstat(int version, int fd, struct stat *st);

static void
test_files(void)
{
    struct stat st;
    char buf[16] = "";
    int fd = open64(ROOT "/dir/file", O_RDONLY);
    FILE *f = fopen(ROOT "/dir/sub/deep", "r");

    CHECK(fd >= 0);
    CHECK_EQ(read(fd, buf, sizeof(buf)), 6);
    CHECK_STR(buf, "hello\n");
    CHECK_EQ(__fxstat(1, fd, &st), 0);
    CHECK_EQ(st.st_size, 6);
    CHECK_EQ(st.st_mode, S_IFREG | 0644);
    CHECK_EQ(__xstat64(1, ROOT "/dir/file", &st), 0);
    CHECK_EQ(st.st_size, 6);
    (void)close(fd);
    CHECK(f != NULL && fgets(buf, sizeof(buf), f) != NULL);
    CHECK_STR(buf, "deep");
    (void)fclose(f);
    CHECK_EQ(access(ROOT "/dir/prog", X_OK), 0);
    CHECK(open(ROOT "/new", O_WRONLY | O_CREAT, 0600) < 0 && errno == EROFS);
    CHECK(unlink(ROOT "/big") < 0 && errno == EROFS);
    CHECK(mknod(ROOT "/fifo", S_IFIFO | 0600, 0) < 0 && errno == EROFS);
}

static void
test_created_mode(void)
{
    char path[] = "/tmp/test_vfs_libc_XXXXXX";
    char name[sizeof(path) + 2];
    struct stat st;
    int fd;

    CHECK(mkdtemp(path) != NULL);
    (void)snprintf(name, sizeof(name), "%s/f", path);
    fd = open(name, O_WRONLY | O_CREAT, 0640);
    CHECK_EQ(fstat(fd, &st), 0);
    CHECK_EQ(st.st_mode, S_IFREG | 0640);
    (void)close(fd);
    CHECK_EQ(truncate(name, 5), 0);
    CHECK_EQ(stat(name, &st), 0);
    CHECK_EQ(st.st_size, 5);
    CHECK_EQ(unlink(name), 0);
    CHECK_EQ(rmdir(path), 0);
}

static void
test_directory(void)
{
    DIR *dir = opendir(ROOT "/dir");
    const struct dirent *e;
    int count = 0;
    char cwd[PATH_MAX];

    CHECK(dir != NULL);
    while ((e = readdir(dir)) != NULL) {
        count++;
    }
    CHECK_EQ(count, 5);
    CHECK_EQ(closedir(dir), 0);
    CHECK_EQ(chdir(ROOT "/dir"), 0);
    CHECK_STR(getcwd(cwd, sizeof(cwd)), ROOT "/dir");
    CHECK_EQ(chdir("/"), 0);
}

/* The exit code of a program run by `run` in a child. */
#define RUN(run)                                                              \
    do {                                                                      \
        pid_t pid = fork();                                                   \
        int status = -1;                                                      \
                                                                              \
        if (pid == 0) {                                                       \
            (void)(run);                                                      \
            _exit(9);                                                         \
        }                                                                     \
        CHECK(waitpid(pid, &status, 0) == pid);                               \
        CHECK_EQ(WEXITSTATUS(status), 0);                                     \
    } while (0)

static void
test_exec(void)
{
    char *argv[] = {NULL, NULL};
    char *environment[] = {NULL};
    char prog[] = "prog";

    argv[0] = prog;
    CHECK_EQ(setenv("PATH", ROOT "/dir:/bin:/usr/bin", 1), 0);
    CHECK(freopen("/dev/null", "w", stdout) != NULL);
    RUN(execl(ROOT "/dir/prog", "prog", "a", "b", (char *)NULL));
    RUN(execlp("prog", "prog", (char *)NULL));
    RUN(execlp("true", "true", (char *)NULL));
    RUN(execle("/bin/sh", "sh", "-c", "test \"$X\" = 1", (char *)NULL,
               (char *[]){(char[]){"X=1"}, NULL}));
    RUN(execv(ROOT "/dir/prog", argv));
    RUN(execve(ROOT "/dir/prog", argv, environment));
    RUN(execvp("prog", argv));
    CHECK_EQ(system("exit 0"), 0);
}

/* Names that another libc's headers or a wheel may call instead. */
static void
test_rare_names(void)
{
    char name[] = ROOT "/dir/XXXXXX";
    char *roots[] = {(char[]){ROOT "/dir/sub"}, NULL};
    struct stat st;
    FTS *fts = fts_open(roots, FTS_PHYSICAL, NULL);
    int count = 0;

    while (fts_read(fts) != NULL) {
        count++;
    }
    CHECK_EQ(count, 3);
    CHECK_EQ(fts_close(fts), 0);
    CHECK(mkstemp(name) < 0 && errno == EROFS);
    CHECK(mkdtemp(name) == NULL && errno == EROFS);
    CHECK_EQ(syscall(SYS_stat, ROOT "/dir/file", &st), 0);
    CHECK_EQ(st.st_size, 6);
    CHECK_EQ(syscall(SYS_getpid), getpid());
    CHECK(syscall(SYS_read, -1, name, 1) < 0 && errno == EBADF);
    CHECK_EQ(__xstat64(1, ROOT "/dir/file", &st), 0);
}

static void
test_dlopen(void)
{
    void *handle = dlopen("libm.so.6", RTLD_NOW);

    CHECK(handle != NULL);
    CHECK(dlsym(handle, "cos") != NULL);
    CHECK(dlopen(ROOT "/dir/file", RTLD_NOW) == NULL);
    CHECK_STR(dlerror(), ROOT "/dir/file: cannot open shared object file: "
                              "No such file or directory");
    CHECK(dlopen(NULL, RTLD_NOW) != NULL);
}

int
main(void)
{
    struct stat st;

    CHECK(stat(ROOT "/dir", &st) < 0 && errno == ENOENT);
    vfs_mount_tree();
    test_files();
    test_created_mode();
    test_directory();
    test_dlopen();
    test_rare_names();
    test_exec();
    vfs_unmount_tree();
    CHECK_DONE();
}
