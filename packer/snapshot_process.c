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

#define PROGRAM "//pexcz/snapshot"    /* runtime/snapshot.h */
#define REHEARSAL "//pexcz/rehearsal" /* runtime/snapshot_rehearsal.h */
#define FIRST_FD 3
#define MAX_FILES 3
#define FIXED_ARGUMENTS 5
#define FIXED_VARIABLES 3 /* Watch.given of snapshot_watch.py */

/* A program to start. */
struct start {
    int executable;
    const char **argv; /* NULL behind the last */
    const char *home;
    bool in_session; /* with variables that every user has, too */
    bool fails;      /* its exit code does not matter */
    const struct pexcz_snapshot_wish *wish;
    int files[MAX_FILES]; /* from descriptor 3 on */
    size_t file_count;
};

static int
add_files(posix_spawn_file_actions_t *actions, const struct start *start,
          const int *fds, int log)
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
    for (size_t i = 0; rc == 0 && i < start->file_count; i++) {
        rc = posix_spawn_file_actions_adddup2(actions, fds[i],
                                              FIRST_FD + (int)i);
    }
    return rc;
}

/* The files of the start and, behind them, its executable under numbers that
 * the process's own do not take. */
static void
move_files(const struct start *start, int fds[MAX_FILES + 1])
{
    for (size_t i = 0; i <= MAX_FILES; i++) {
        int fd = i < MAX_FILES ? start->files[i] : start->executable;

        fds[i] = i < start->file_count || i == MAX_FILES
                     ? fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD + MAX_FILES)
                     : -1;
    }
}

static void
close_files(const int fds[MAX_FILES + 1])
{
    for (size_t i = 0; i <= MAX_FILES; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
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

/* The first of two is the one that counts. */
static const char *const session[] = {
    "LANG=C.UTF-8",
    "PATH=/usr/local/bin:/usr/bin:/bin",
    "TERM=xterm",
};
#define SESSION_VARIABLES (sizeof(session) / sizeof(session[0]))

static int
spawn(const struct start *start, int log, pid_t *ret, struct pexcz_error *err)
{
    /* posix_spawn takes char *const[] and changes nothing. */
    char variable[sizeof("HOME=") + PEXCZ_SNAPSHOT_HOME_SIZE];
    size_t env_count = start->wish->env_count;
    const char **envp = pexcz_alloc_array(
        env_count + FIXED_VARIABLES + SESSION_VARIABLES + 1, sizeof(*envp));
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int fds[MAX_FILES + 1];
    char path[64];
    int rc;

    if (envp == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    (void)snprintf(variable, sizeof(variable), "HOME=%s", start->home);
    envp[0] = "LC_CTYPE=C.UTF-8";
    envp[1] = "TZ=UTC0";
    envp[2] = variable;
    for (size_t i = 0; i < env_count; i++) {
        envp[FIXED_VARIABLES + i] = start->wish->env[i];
    }
    for (size_t i = 0; start->in_session && i < SESSION_VARIABLES; i++) {
        envp[FIXED_VARIABLES + env_count + i] = session[i];
    }
    move_files(start, fds);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[MAX_FILES]);
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawnattr_init(&attr);
    set_signals(&attr);
    rc = add_files(&actions, start, fds, log);
    if (rc == 0) {
        rc = posix_spawn(ret, path, &actions, &attr,
                         (char *const *)(uintptr_t)start->argv,
                         (char *const *)(uintptr_t)envp);
    }
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&actions);
    close_files(fds);
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

/* Starts it and waits for its end. */
static int
run(const struct start *start, struct pexcz_error *err)
{
    const char *what = start->in_session ? "the rehearsal" : "the imports";
    int log = memfd_create("pexcz-log", MFD_CLOEXEC);
    char line[512];
    int status = 0;
    pid_t pid;
    int rc;

    if (log < 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "cannot make a memory file");
    }
    rc = spawn(start, log, &pid, err);
    if (rc == PEXCZ_OK && !wait_in_time(pid, &status)) {
        rc = pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                        "%s took more than %d seconds", what,
                        PEXCZ_SNAPSHOT_TIMEOUT);
    }
    else if (rc == PEXCZ_OK && WIFSIGNALED(status)) {
        rc = pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0, "signal %d (%s) ended %s",
                        WTERMSIG(status), strsignal(WTERMSIG(status)), what);
    }
    else if (rc == PEXCZ_OK && status != 0 && !start->fails) {
        last_line(log, line, sizeof(line));
        rc = line[0] != '\0'
                 ? pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0, "%s", line)
                 : pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                              "%s ended with code %d", what,
                              WEXITSTATUS(status));
    }
    (void)close(log);
    return rc;
}

int
pexcz_snapshot_process_run(const struct pexcz_snapshot_process *p, int fd,
                           struct pexcz_error *err)
{
    static const char *const how[2][2][2] = {
        {{"-,python", "-"}, {"-+,python", "-+"}},
        {{"3,python", "3"}, {"3+,python", "3+"}},
    };
    char home[PEXCZ_SNAPSHOT_HOME_SIZE + 1];
    struct start start = {
        .executable = p->executable,
        .argv = pexcz_alloc_array(p->arg_count + FIXED_ARGUMENTS + 1,
                                  sizeof(*start.argv)),
        .home = p->home != NULL ? p->home : home,
        .wish = p->wish,
        .files = {fd, p->places_file},
        .file_count = p->places != NULL ? 2 : 1,
    };
    int rc;

    if (start.argv == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    pexcz_snapshot_home_make(p->second, home);
    start.argv[0] = PROGRAM;
    start.argv[1] = how[p->dump][p->second][p->libraries];
    start.argv[2] = p->places != NULL ? p->places : "";
    start.argv[3] = p->gate;
    start.argv[4] = p->script;
    for (size_t i = 0; i < p->arg_count; i++) {
        start.argv[FIXED_ARGUMENTS + i] = p->args[i];
    }
    rc = run(&start, err);
    free(start.argv);
    return rc;
}

/* The next word of a line as a shell splits it, as shlex.split() in Python;
 * it is written to *text.  NULL: there is none. */
static char *
next_word(const char **line, char **text)
{
    const char *p = *line + strspn(*line, " \t\r\n");
    char *start = *text;
    char *to = start;
    char quote = '\0';

    if (*p == '\0') {
        return NULL;
    }
    for (; *p != '\0' && (quote != '\0' || strchr(" \t\r\n", *p) == NULL);
         p++) {
        if (quote == '\0' && (*p == '"' || *p == '\'')) {
            quote = *p;
        }
        else if (*p == quote) {
            quote = '\0';
        }
        else if (*p == '\\' && p[1] != '\0'
                 && (quote == '\0'
                     || (quote == '"' && strchr("\"\\", p[1]) != NULL))) {
            *to++ = *++p;
        }
        else {
            *to++ = *p;
        }
    }
    *to++ = '\0';
    *line = p;
    *text = to;
    return start;
}

int
pexcz_snapshot_process_rehearse(int executable,
                                const struct pexcz_snapshot_wish *wish,
                                const char *name, const char *script,
                                const char *line, const int files[3],
                                struct pexcz_error *err)
{
    size_t length = line != NULL ? strlen(line) : 0;
    char home[PEXCZ_SNAPSHOT_HOME_SIZE + 1];
    char *words = malloc(2 * length + 1);
    char *rest = words;
    struct start start = {
        .executable = executable,
        .argv = pexcz_alloc_array(length + 5, sizeof(*start.argv)),
        .home = home,
        .in_session = true,
        .fails = line != NULL,
        .wish = wish,
        .files = {files[0], files[1], files[2]},
        .file_count = 3,
    };
    size_t n = 0;
    int rc;

    if (start.argv == NULL || words == NULL) {
        free(start.argv);
        free(words);
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    pexcz_snapshot_home_make(false, home);
    start.argv[n++] = REHEARSAL;
    start.argv[n++] = line != NULL ? "application" : "script";
    start.argv[n++] = script;
    start.argv[n++] = name;
    while (line != NULL && (start.argv[n] = next_word(&line, &rest)) != NULL) {
        n++;
    }
    rc = run(&start, err);
    free(start.argv);
    free(words);
    return rc;
}
