/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_process.h"

#include "snapshot_home.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "//pexcz/snapshot" /* runtime/snapshot.h */
#define RESULT_FD 3
#define FIXED_ARGUMENTS 4
#define FIXED_VARIABLES 3 /* Watch.given of snapshot_watch.py */

static int
add_files(posix_spawn_file_actions_t *actions, int fd, int log)
{
    int rc = posix_spawn_file_actions_addopen(actions, 0, "/dev/null",
                                              O_RDONLY, 0);

    if (rc == 0) {
        rc = posix_spawn_file_actions_addopen(actions, 1, "/dev/null",
                                              O_WRONLY, 0);
    }
    if (rc == 0) {
        rc = posix_spawn_file_actions_adddup2(actions, log, 2);
    }
    return rc == 0 ? posix_spawn_file_actions_adddup2(actions, fd, RESULT_FD)
                   : rc;
}

/* Default signals, none blocked, whatever the packer's caller has set. */
static void
set_signals(posix_spawnattr_t *attr)
{
    sigset_t all;
    sigset_t none;

    (void)sigfillset(&all);
    (void)sigemptyset(&none);
    (void)posix_spawnattr_setsigmask(attr, &none);
    (void)posix_spawnattr_setsigdefault(attr, &all);
    (void)posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK
                                             | POSIX_SPAWN_SETSIGDEF);
}

static int
spawn(const struct pexcz_snapshot_process *p, int fd, int log, pid_t *ret,
      struct pexcz_error *err)
{
    static const char *const how[2][2][2] = {
        {{"-,python", "-"}, {"-+,python", "-+"}},
        {{"3,python", "3"}, {"3+,python", "3+"}},
    };
    /* posix_spawn takes char *const[] and changes nothing. */
    char variable[sizeof("HOME=") + PEXCZ_SNAPSHOT_HOME_SIZE] = "HOME=";
    const char **argv
        = pexcz_alloc_array(p->arg_count + FIXED_ARGUMENTS + 1, sizeof(*argv));
    const char **envp = pexcz_alloc_array(
        p->wish->env_count + FIXED_VARIABLES + 1, sizeof(*envp));
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    char path[64];
    int rc;

    if (argv == NULL || envp == NULL) {
        free(argv);
        free(envp);
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    if (p->home != NULL) {
        (void)snprintf(variable, sizeof(variable), "HOME=%s", p->home);
    }
    else {
        pexcz_snapshot_home_make(p->second, variable + sizeof("HOME=") - 1);
    }
    envp[0] = "LC_CTYPE=C.UTF-8";
    envp[1] = "TZ=UTC0";
    envp[2] = variable;
    for (size_t i = 0; i < p->wish->env_count; i++) {
        envp[FIXED_VARIABLES + i] = p->wish->env[i];
    }
    argv[0] = PROGRAM;
    argv[1] = how[p->dump][p->second][p->libraries];
    argv[2] = p->gate;
    argv[3] = p->script;
    for (size_t i = 0; i < p->arg_count; i++) {
        argv[FIXED_ARGUMENTS + i] = p->args[i];
    }
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", p->executable);
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawnattr_init(&attr);
    set_signals(&attr);
    rc = add_files(&actions, fd, log);
    if (rc == 0) {
        rc = posix_spawn(ret, path, &actions, &attr,
                         (char *const *)(uintptr_t)argv,
                         (char *const *)(uintptr_t)envp);
    }
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&actions);
    free(argv);
    free(envp);
    return rc == 0 ? PEXCZ_OK
                   : pexcz_fail(err, PEXCZ_E_IO, rc,
                                "the packed executable cannot be run");
}

/* Kills it when the time is over; false then.  Without pidfds (Linux 5.2 and
 * older) there is no limit. */
static bool
wait_in_time(pid_t pid, int *ret_status)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
    bool in_time = true;

    if (pidfd >= 0) {
        int n;

        do {
            n = poll(&poll_fd, 1, PEXCZ_SNAPSHOT_TIMEOUT * 1000);
        } while (n < 0 && errno == EINTR);
        if (n == 0) {
            in_time = false;
            (void)kill(pid, SIGKILL);
        }
        (void)close(pidfd);
    }
    while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR) {
    }
    return in_time;
}

/* The last line of `log` that is not empty; "" if there is none. */
static void
last_line(int log, char *dst, size_t cap)
{
    off_t size = lseek(log, 0, SEEK_END);
    off_t from = size > (off_t)cap ? size - (off_t)cap : 0;
    ssize_t n = pread(log, dst, cap - 1, from);
    char *start;

    n = n < 0 ? 0 : n;
    while (n > 0 && (dst[n - 1] == '\n' || dst[n - 1] == ' ')) {
        n--;
    }
    dst[n] = '\0';
    start = strrchr(dst, '\n');
    if (start != NULL) {
        memmove(dst, start + 1, strlen(start + 1) + 1);
    }
}

int
pexcz_snapshot_process_run(const struct pexcz_snapshot_process *process,
                           int fd, struct pexcz_error *err)
{
    int log = memfd_create("pexcz-log", MFD_CLOEXEC);
    char line[512];
    int status = 0;
    pid_t pid;
    int rc;

    if (log < 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "cannot make a memory file");
    }
    rc = spawn(process, fd, log, &pid, err);
    if (rc == PEXCZ_OK && !wait_in_time(pid, &status)) {
        rc = pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                        "the imports took more than %d seconds",
                        PEXCZ_SNAPSHOT_TIMEOUT);
    }
    else if (rc == PEXCZ_OK && WIFSIGNALED(status)) {
        rc = pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                        "the imports were ended by signal %d (%s)",
                        WTERMSIG(status), strsignal(WTERMSIG(status)));
    }
    else if (rc == PEXCZ_OK && status != 0) {
        last_line(log, line, sizeof(line));
        rc = pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0, "%s",
                        line[0] != '\0' ? line : "the imports failed");
    }
    (void)close(log);
    return rc;
}
