/* SPDX-License-Identifier: Apache-2.0 */
#include "arg_vector.h"
#include "interpose.h"

#include <errno.h>
#include <stdarg.h>

INTERPOSE(int, execve,
          (const char *path, char *const argv[], char *const envp[]),
          pexcz_vfs_execve(path, argv, envp))
INTERPOSE(int, execv, (const char *path, char *const argv[]),
          pexcz_vfs_execve(path, argv, environ))
INTERPOSE(int, execvpe,
          (const char *file, char *const argv[], char *const envp[]),
          pexcz_vfs_execvpe(file, argv, envp))
INTERPOSE(int, execvp, (const char *file, char *const argv[]),
          pexcz_vfs_execvpe(file, argv, environ))

INTERPOSE(int, fexecve, (int fd, char *const argv[], char *const envp[]),
          pexcz_vfs_fexecve(fd, argv, envp))
INTERPOSE(int, execveat,
          (int dirfd, const char *path, char *const argv[], char *const envp[],
           int flags),
          pexcz_vfs_execveat(dirfd, path, argv, envp, flags))

/* The arguments from `first` to the NULL; `ap` is left behind the NULL. */
static bool
collect(struct pexcz_args *args, const char *first, va_list *ap)
{
    size_t count = 0;
    va_list ahead;

    va_copy(ahead, *ap);
    for (const char *p = first; p != NULL; p = va_arg(ahead, const char *)) {
        count++;
    }
    va_end(ahead);
    if (!pexcz_args_init(args, count)) {
        errno = ENOMEM;
        return false;
    }
    for (const char *p = first; p != NULL; p = va_arg(*ap, const char *)) {
        pexcz_args_add(args, p);
    }
    return true;
}

enum environment {
    ENVIRONMENT_OWN,
    ENVIRONMENT_ARGUMENT, /* behind the NULL, execle() */
};

#define INTERPOSE_LIST(symbol, run, environment)                              \
    int interpose_##symbol(const char *, const char *, ...) __asm__(#symbol); \
    PEXCZ_EXPORT int interpose_##symbol(const char *file, const char *first,  \
                                        ...)                                  \
    {                                                                         \
        struct pexcz_args args;                                               \
        char *const *envp = environ;                                          \
        va_list ap;                                                           \
        bool ok;                                                              \
                                                                              \
        va_start(ap, first);                                                  \
        ok = collect(&args, first, &ap);                                      \
        if (ok && (environment) == ENVIRONMENT_ARGUMENT) {                    \
            envp = va_arg(ap, char *const *);                                 \
        }                                                                     \
        va_end(ap);                                                           \
        if (ok) {                                                             \
            (void)run(file, args.items, envp);                                \
            pexcz_args_done(&args);                                           \
        }                                                                     \
        return -1;                                                            \
    }

INTERPOSE_LIST(execl, pexcz_vfs_execve, ENVIRONMENT_OWN)
INTERPOSE_LIST(execlp, pexcz_vfs_execvpe, ENVIRONMENT_OWN)
INTERPOSE_LIST(execle, pexcz_vfs_execve, ENVIRONMENT_ARGUMENT)

INTERPOSE(int, posix_spawn,
          (pid_t * pid, const char *path,
           const posix_spawn_file_actions_t *actions,
           const posix_spawnattr_t *attributes, char *const argv[],
           char *const envp[]),
          pexcz_vfs_posix_spawn(pid, path, actions, attributes, argv, envp))
INTERPOSE(int, posix_spawnp,
          (pid_t * pid, const char *file,
           const posix_spawn_file_actions_t *actions,
           const posix_spawnattr_t *attributes, char *const argv[],
           char *const envp[]),
          pexcz_vfs_posix_spawnp(pid, file, actions, attributes, argv, envp))
INTERPOSE(int, posix_spawn_file_actions_addopen,
          (posix_spawn_file_actions_t * actions, int fd, const char *path,
           int flags, mode_t mode),
          pexcz_vfs_posix_spawn_file_actions_addopen(actions, fd, path, flags,
                                                     mode))
INTERPOSE(int, posix_spawn_file_actions_addchdir_np,
          (posix_spawn_file_actions_t * actions, const char *path),
          pexcz_vfs_posix_spawn_file_actions_addchdir(actions, path))
INTERPOSE(int, posix_spawn_file_actions_addfchdir_np,
          (posix_spawn_file_actions_t * actions, int fd),
          pexcz_vfs_posix_spawn_file_actions_addfchdir(actions, fd))
INTERPOSE(int, posix_spawn_file_actions_destroy,
          (posix_spawn_file_actions_t * actions),
          pexcz_vfs_posix_spawn_file_actions_destroy(actions))

INTERPOSE(int, system, (const char *command), pexcz_vfs_system(command))
INTERPOSE(FILE *, popen, (const char *command, const char *type),
          pexcz_vfs_popen(command, type))
