/* SPDX-License-Identifier: Apache-2.0 */
#include "handle.h"
#include "mount.h"
#include "place.h"
#include "program.h"
#include "trace.h"
#include "vfs_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>

#define BUSY_TRIES 200u

/* Neither the path nor the working directory concerns us.  (Whatever says so
 * here costs a process start nothing.) */
static bool
is_foreign(const char *path, char *const *argv)
{
    struct pexcz_place place;
    struct pexcz_node cwd;
    const char *rest = path;

    if (pexcz_trace_on && pexcz_vfs_access(path, X_OK) == 0
        && !pexcz_program_is_self(path)) {
        pexcz_trace_program(path, argv);
    }
    return !pexcz_cwd_get(&cwd)
           && !pexcz_resolve(AT_FDCWD, &rest, PEXCZ_FOLLOW, &place)
           && rest == path;
}

/*
 * Whether to try again: a memfd is "busy" while another thread's child, made
 * when it was being written, has not reached its exec.  Waits a millisecond.
 */
static bool
busy_for_now(int error, unsigned *tries)
{
    struct timespec pause = {.tv_nsec = 1000000};

    return error == ETXTBSY && ++*tries <= BUSY_TRIES
           && nanosleep(&pause, NULL) == 0;
}

int
pexcz_vfs_execve(const char *path, char *const argv[], char *const envp[])
{
    struct pexcz_program program;
    unsigned tries = 0;
    int error;

    if (is_foreign(path, argv)) {
        return pexcz_next()->execve(path, argv, envp);
    }
    error = pexcz_program_prepare(&program, path, argv, envp, getpid());
    if (error != 0) {
        return pexcz_vfs_refuse(error);
    }
    do {
        (void)pexcz_next()->execve(program.file, program.argv, program.envp);
    } while (busy_for_now(errno, &tries));
    pexcz_program_done(&program);
    return -1;
}

/* What a descriptor of ours is of can be run by its path. */
int
pexcz_vfs_fexecve(int fd, char *const argv[], char *const envp[])
{
    char path[PATH_MAX];
    struct pexcz_place place;
    struct pexcz_node node;

    if (!pexcz_handle_of_fd(fd, &node)) {
        return pexcz_rare()->fexecve(fd, argv, envp);
    }
    pexcz_place_of(&node, &place);
    if (place.error != 0
        || pexcz_place_full_path(&place, path, sizeof(path)) == 0) {
        return pexcz_vfs_refuse(ENOENT);
    }
    return pexcz_vfs_execve(path, argv, envp);
}

int
pexcz_vfs_execveat(int dirfd, const char *path, char *const argv[],
                   char *const envp[], int flags)
{
    char full[PATH_MAX];
    struct pexcz_place place;
    struct pexcz_node node;
    bool nofollow = (flags & AT_SYMLINK_NOFOLLOW) != 0;

    if ((flags & AT_EMPTY_PATH) != 0 && path != NULL && path[0] == '\0'
        && pexcz_handle_of_fd(dirfd, &node)) {
        return pexcz_vfs_fexecve(dirfd, argv, envp);
    }
    if (!pexcz_resolve(dirfd, &path, nofollow ? PEXCZ_NOFOLLOW : PEXCZ_FOLLOW,
                       &place)) {
        return (int)pexcz_next()->syscall(SYS_execveat, dirfd, path, argv,
                                          envp, flags);
    }
    if (place.error != 0) {
        return pexcz_vfs_refuse(place.error);
    }
    if (place.node.entry.kind == PEXCZ_KIND_SYMLINK) {
        return pexcz_vfs_refuse(ELOOP);
    }
    return pexcz_place_full_path(&place, full, sizeof(full)) == 0
               ? pexcz_vfs_refuse(ENAMETOOLONG)
               : pexcz_vfs_execve(full, argv, envp);
}

static int spawn(pid_t *pid, const char *path,
                 const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const argv[],
                 char *const envp[]);

int
pexcz_vfs_posix_spawn(pid_t *pid, const char *path,
                      const posix_spawn_file_actions_t *actions,
                      const posix_spawnattr_t *attributes, char *const argv[],
                      char *const envp[])
{
    struct pexcz_node cwd;
    enum pexcz_spawn_cwd where = pexcz_spawn_cwd(actions, &cwd);
    int error;

    if (where == PEXCZ_SPAWN_CWD_KEPT) {
        return spawn(pid, path, actions, attributes, argv, envp);
    }
    pexcz_cwd_pretend(where == PEXCZ_SPAWN_CWD_TREE ? &cwd : NULL);
    error = spawn(pid, path, actions, attributes, argv, envp);
    pexcz_cwd_pretend_end();
    return error;
}

static int
spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
      const posix_spawnattr_t *attributes, char *const argv[],
      char *const envp[])
{
    struct pexcz_program program;
    unsigned tries = 0;
    int error;

    if (is_foreign(path, argv)) {
        return pexcz_next()->posix_spawn(pid, path, actions, attributes, argv,
                                         envp);
    }
    error = pexcz_program_prepare(&program, path, argv, envp, getpid());
    if (error != 0) {
        return error;
    }
    do {
        error
            = pexcz_next()->posix_spawn(pid, program.file, actions, attributes,
                                        program.argv, program.envp);
    } while (busy_for_now(error, &tries));
    pexcz_program_done(&program);
    return error;
}

/* One try of a PATH search: 0 or an errno. */
typedef int try_fn(const char *path, void *context);

/* PATH as execvp() searches it, with entries that lie in the tree. */
static int
search(const char *file, try_fn *try_path, void *context)
{
    const char *path = getenv("PATH");
    size_t file_size = strlen(file);
    char full[PATH_MAX];
    int denied = 0;

    if (strchr(file, '/') != NULL) {
        return try_path(file, context);
    }
    if (*file == '\0') {
        return ENOENT;
    }
    path = path != NULL ? path : "/bin:/usr/bin";
    for (;; path++) {
        size_t size = strcspn(path, ":");
        int error = ENAMETOOLONG;

        if (size + 1 + file_size < sizeof(full)) {
            memcpy(full, path, size);
            full[size] = '/';
            memcpy(full + size + (size != 0 ? 1 : 0), file, file_size + 1);
            error = try_path(full, context);
        }
        if (error == EACCES) {
            denied = error;
        }
        else if (error != ENOENT && error != ENOTDIR && error != ESTALE
                 && error != ENODEV && error != ETIMEDOUT
                 && error != ENAMETOOLONG) {
            return error;
        }
        path += size;
        if (*path == '\0') {
            return denied != 0 ? denied : ENOENT;
        }
    }
}

/* Whether libc may search by itself: nothing of ours can be met. */
static bool
search_is_foreign(const char *file)
{
    const char *path = getenv("PATH");
    struct pexcz_node cwd;

    return pexcz_vfs_tree() == NULL
           || (!pexcz_trace_on && !pexcz_cwd_get(&cwd)
               && strstr(file, "pexcz") == NULL
               && (path == NULL || strstr(path, "pexcz") == NULL));
}

struct exec_context {
    char *const *argv;
    char *const *envp;
};

static int
try_exec(const char *path, void *context)
{
    const struct exec_context *c = context;
    size_t count = pexcz_args_count(c->argv);
    struct pexcz_args args;

    (void)pexcz_vfs_execve(path, c->argv, c->envp);
    if (errno != ENOEXEC) {
        return errno;
    }
    /* A text without "#!" is the shell's. */
    if (!pexcz_args_init(&args, count + 2)) {
        return ENOMEM;
    }
    pexcz_args_add(&args, "/bin/sh");
    pexcz_args_add(&args, path);
    for (size_t i = 1; i < count; i++) {
        pexcz_args_add(&args, c->argv[i]);
    }
    (void)pexcz_vfs_execve("/bin/sh", args.items, c->envp);
    pexcz_args_done(&args);
    return errno;
}

int
pexcz_vfs_execvpe(const char *file, char *const argv[], char *const envp[])
{
    struct exec_context context = {.argv = argv, .envp = envp};

    return search_is_foreign(file)
               ? pexcz_next()->execvpe(file, argv, envp)
               : pexcz_vfs_refuse(search(file, try_exec, &context));
}

struct spawn_context {
    pid_t *pid;
    const posix_spawn_file_actions_t *actions;
    const posix_spawnattr_t *attributes;
    char *const *argv;
    char *const *envp;
};

static int
try_spawn(const char *path, void *context)
{
    const struct spawn_context *c = context;

    return pexcz_vfs_posix_spawn(c->pid, path, c->actions, c->attributes,
                                 c->argv, c->envp);
}

int
pexcz_vfs_posix_spawnp(pid_t *pid, const char *file,
                       const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, char *const argv[],
                       char *const envp[])
{
    struct spawn_context context = {.pid = pid,
                                    .actions = actions,
                                    .attributes = attributes,
                                    .argv = argv,
                                    .envp = envp};
    struct pexcz_node cwd;

    return search_is_foreign(file)
                   && pexcz_spawn_cwd(actions, &cwd) == PEXCZ_SPAWN_CWD_KEPT
               ? pexcz_next()->posix_spawnp(pid, file, actions, attributes,
                                            argv, envp)
               : search(file, try_spawn, &context);
}

int
pexcz_vfs_system(const char *command)
{
    struct pexcz_node cwd;

    return command != NULL && pexcz_cwd_get(&cwd)
               ? pexcz_vfs_refuse(EACCES)
               : pexcz_rare()->system(command);
}

FILE *
pexcz_vfs_popen(const char *command, const char *type)
{
    struct pexcz_node cwd;

    if (pexcz_cwd_get(&cwd)) {
        errno = EACCES;
        return NULL;
    }
    return pexcz_rare()->popen(command, type);
}
