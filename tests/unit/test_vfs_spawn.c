/* SPDX-License-Identifier: Apache-2.0 */
/* vfs/: programs by descriptor, file actions of posix_spawn(), O_PATH. */
#include "cwd.h"
#include "vfs_calls.h"
#include "vfs_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/wait.h>

#define ROOT PEXCZ_PREFIX

/* What the test exits with when it is started as a child, see main(). */
#define IN_DIR 43

static int
exit_code(pid_t pid)
{
    int status = -1;

    CHECK(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The exit code of a child, or minus the error of the spawn. */
static int
spawn(const posix_spawn_file_actions_t *actions, const char *path)
{
    char name[] = "prog";
    char word[] = "cwd";
    char *argv[] = {name, word, NULL};
    pid_t pid = -1;
    int error
        = pexcz_vfs_posix_spawn(&pid, path, actions, NULL, argv, environ);

    return error != 0 ? -error : exit_code(pid);
}

static int
spawn_in(const char *first, const char *second, const char *path)
{
    posix_spawn_file_actions_t actions;
    int code;

    CHECK_EQ(posix_spawn_file_actions_init(&actions), 0);
    CHECK_EQ(pexcz_vfs_posix_spawn_file_actions_addchdir(&actions, first), 0);
    if (second != NULL) {
        CHECK_EQ(pexcz_vfs_posix_spawn_file_actions_addchdir(&actions, second),
                 0);
    }
    code = spawn(&actions, path);
    CHECK_EQ(pexcz_vfs_posix_spawn_file_actions_destroy(&actions), 0);
    return code;
}

static void
test_spawn_cwd(void)
{
    posix_spawn_file_actions_t actions;
    int fd = pexcz_vfs_open(ROOT "/dir", O_RDONLY | O_DIRECTORY, 0);

    CHECK_EQ(spawn_in(ROOT "/dir", NULL, ROOT "/self"), IN_DIR);
    CHECK_EQ(spawn_in(ROOT, "dir", "../self"), IN_DIR);
    CHECK_EQ(spawn_in(ROOT "/dir", NULL, "/bin/true"), -EACCES);
    CHECK_EQ(spawn_in(ROOT "/dir", "/", "/bin/true"), 0);
    CHECK_EQ(spawn_in("/bin", NULL, "./true"), 0);
    CHECK_EQ(spawn_in(ROOT "/none", NULL, "/bin/true"), -ENOENT);
    CHECK_EQ(posix_spawn_file_actions_init(&actions), 0);
    CHECK_EQ(pexcz_vfs_posix_spawn_file_actions_addfchdir(&actions, fd), 0);
    CHECK_EQ(spawn(&actions, ROOT "/self"), IN_DIR);
    CHECK_EQ(pexcz_vfs_posix_spawn_file_actions_destroy(&actions), 0);
    /* A file by a name that counts from there. */
    CHECK_EQ(posix_spawn_file_actions_init(&actions), 0);
    CHECK_EQ(
        pexcz_vfs_posix_spawn_file_actions_addchdir(&actions, ROOT "/dir"), 0);
    CHECK_EQ(pexcz_vfs_posix_spawn_file_actions_addopen(
                 &actions, STDIN_FILENO, "sub/deep", O_RDONLY, 0),
             0);
    CHECK_EQ(pexcz_vfs_posix_spawn_file_actions_addchdir(&actions, "/"), 0);
    CHECK_EQ(spawn(&actions, "/bin/true"), 0);
    CHECK_EQ(pexcz_vfs_posix_spawn_file_actions_addopen(
                 &actions, STDIN_FILENO, ROOT "/none", O_RDONLY, 0),
             0);
    CHECK_EQ(spawn(&actions, "/bin/true"), -ENOENT);
    CHECK_EQ(pexcz_vfs_posix_spawn_file_actions_destroy(&actions), 0);
    (void)close(fd);
}

#define CHILD(run)                                                            \
    ({                                                                        \
        pid_t child = fork();                                                 \
                                                                              \
        if (child == 0) {                                                     \
            (void)(run);                                                      \
            _exit(100 + errno);                                               \
        }                                                                     \
        exit_code(child);                                                     \
    })

static void
test_exec_of_descriptor(void)
{
    char name[] = "prog";
    char *argv[] = {name, NULL};
    int prog = pexcz_vfs_open(ROOT "/dir/prog", O_RDONLY | O_CLOEXEC, 0);
    int file = pexcz_vfs_open(ROOT "/dir/file", O_RDONLY, 0);
    int dir = pexcz_vfs_open(ROOT "/dir", O_RDONLY | O_DIRECTORY, 0);

    CHECK_EQ(CHILD(pexcz_vfs_fexecve(prog, argv, environ)), 0);
    CHECK_EQ(CHILD(pexcz_vfs_fexecve(file, argv, environ)), 100 + EACCES);
    CHECK_EQ(CHILD(pexcz_vfs_execveat(dir, "prog", argv, environ, 0)), 0);
    CHECK_EQ(CHILD(pexcz_vfs_execveat(prog, "", argv, environ, AT_EMPTY_PATH)),
             0);
    CHECK_EQ(CHILD(pexcz_vfs_execveat(dir, "../link", argv, environ,
                                      AT_SYMLINK_NOFOLLOW)),
             100 + ELOOP);
    (void)close(prog);
    (void)close(file);
    (void)close(dir);
}

static void
test_path_descriptors(void)
{
    char target[32] = "";
    char name[64];
    char buf[8];
    struct stat st;
    int file = pexcz_vfs_open(ROOT "/dir/file", O_PATH, 0);
    int link = pexcz_vfs_open(ROOT "/link", O_PATH | O_NOFOLLOW, 0);
    int dir = pexcz_vfs_open(ROOT "/dir", O_PATH, 0);
    int plain;

    CHECK(read(file, buf, sizeof(buf)) < 0 && errno == EBADF);
    CHECK_EQ(pexcz_vfs_fstat(file, &st), 0);
    CHECK_EQ(st.st_mode, S_IFREG | 0644);
    CHECK_EQ(pexcz_vfs_fstat(link, &st), 0);
    CHECK(S_ISLNK(st.st_mode));
    CHECK_EQ(pexcz_vfs_readlinkat(link, "", target, sizeof(target)), 8);
    CHECK_STR(target, "dir/file");
    CHECK(pexcz_vfs_readlinkat(file, "", target, sizeof(target)) < 0
          && errno == ENOENT);
    CHECK(pexcz_vfs_fchmod(file, 0600) < 0 && errno == EBADF);
    CHECK(pexcz_vfs_flistxattr(file, NULL, 0) < 0 && errno == EBADF);
    plain = pexcz_vfs_openat(dir, "file", O_RDONLY, 0);
    CHECK_EQ(read(plain, buf, sizeof(buf)), 6);
    CHECK(pexcz_vfs_fchmod(plain, 0600) < 0 && errno == EROFS);
    CHECK_EQ(pexcz_vfs_fpathconf(plain, _PC_NAME_MAX), 255);
    (void)snprintf(target, sizeof(target), "/dev/fd/%d", plain);
    CHECK_EQ(pexcz_vfs_stat(target, &st), 0);
    CHECK_EQ(st.st_mode, S_IFREG | 0644);
    (void)snprintf(target, sizeof(target), "/proc/self/fd/%d", plain);
    CHECK_EQ(pexcz_vfs_readlink(target, name, sizeof(name)),
             (long)strlen(ROOT "/dir/file"));
    CHECK(memcmp(name, ROOT "/dir/file", strlen(ROOT "/dir/file")) == 0);
    CHECK_EQ(pexcz_vfs_readlink(target, name, 5), 5);
    (void)close(plain);
    (void)close(dir);
    (void)close(link);
    (void)close(file);
}

static void
test_not_to_be_had(void)
{
    struct file_handle handle = {0};
    int mount;

    CHECK(
        pexcz_vfs_name_to_handle_at(AT_FDCWD, ROOT "/dir", &handle, &mount, 0)
            < 0
        && errno == EOPNOTSUPP);
    CHECK(pexcz_vfs_name_to_handle_at(AT_FDCWD, ROOT "/no", &handle, &mount, 0)
              < 0
          && errno == ENOENT);
    CHECK(pexcz_vfs_fanotify_mark(-1, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD,
                                  ROOT "/dir")
              < 0
          && errno == ENODEV);
    CHECK(pexcz_vfs_fanotify_mark(-1, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD,
                                  ROOT "/no")
              < 0
          && errno == ENOENT);
}

int
main(int argc, char **argv)
{
    const char *cwd = getenv(PEXCZ_CWD_VARIABLE);
    static char self[4096];

    if (argc == 2 && strcmp(argv[1], "cwd") == 0) {
        return cwd != NULL && strcmp(cwd, ROOT "/dir") == 0 ? IN_DIR : 1;
    }
    vfs_mount_tree();
    CHECK(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
    pexcz_vfs_set_self(self);
    (void)fflush(stdout);
    test_path_descriptors();
    test_not_to_be_had();
    test_spawn_cwd();
    test_exec_of_descriptor();
    vfs_unmount_tree();
    CHECK_DONE();
}
