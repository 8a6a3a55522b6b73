/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include "worker_text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Bytes of one source file and of one reply. */
#define MAX_MESSAGE ((size_t)1 << 30)
#define REPLY_HEAD 12u

static void
put_u32(uint8_t *dst, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        dst[i] = (uint8_t)(v >> (8 * i));
    }
}

static uint32_t
get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16
           | (uint32_t)p[3] << 24;
}

/* The worker closed its end: say why, and forget it. */
static int
died(struct pexcz_worker *worker, struct pexcz_error *err)
{
    int status = 0;
    pid_t pid = worker->pid;

    (void)close(worker->fd);
    worker->fd = -1;
    worker->pid = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status)) {
        return pexcz_fail(err, PEXCZ_E_IO, 0,
                          "%s: the Python that compiles was killed by signal "
                          "%d (%s)",
                          worker->python, WTERMSIG(status),
                          strsignal(WTERMSIG(status)));
    }
    return pexcz_fail(err, PEXCZ_E_IO, 0,
                      "%s: the Python that compiles ended with exit code %d",
                      worker->python, WEXITSTATUS(status));
}

static int
garbage(const struct pexcz_worker *worker, struct pexcz_error *err)
{
    return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                      "%s: not a Python that pexcz can compile with (its "
                      "answer makes no sense)",
                      worker->python);
}

static int
send_all(struct pexcz_worker *worker, const void *bytes, size_t size,
         struct pexcz_error *err)
{
    const uint8_t *p = bytes;

    while (size != 0) {
        ssize_t n = send(worker->fd, p, size, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return died(worker, err);
        }
        p += n;
        size -= (size_t)n;
    }
    return PEXCZ_OK;
}

static int
receive_all(struct pexcz_worker *worker, void *bytes, size_t size,
            struct pexcz_error *err)
{
    uint8_t *p = bytes;

    while (size != 0) {
        ssize_t n = recv(worker->fd, p, size, 0);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return died(worker, err);
        }
        p += n;
        size -= (size_t)n;
    }
    return PEXCZ_OK;
}

/* One message into worker->reply. */
static int
receive(struct pexcz_worker *worker, struct pexcz_error *err)
{
    uint8_t head[4];
    uint32_t size;
    int rc = receive_all(worker, head, sizeof(head), err);

    if (rc < 0) {
        return rc;
    }
    size = get_u32(head);
    if (size > MAX_MESSAGE) {
        return garbage(worker, err);
    }
    worker->reply.len = 0;
    rc = pexcz_buf_reserve(&worker->reply, (size_t)size + 1, err);
    if (rc == 0) {
        rc = receive_all(worker, worker->reply.ptr, size, err);
    }
    if (rc == 0) {
        worker->reply.len = size;
        worker->reply.ptr[size] = '\0';
    }
    return rc;
}

static int
spawn(struct pexcz_worker *worker, int child_fd, struct pexcz_error *err)
{
    /* posix_spawn takes char *const[] and changes nothing. */
    char *argv[] = {(char *)(uintptr_t)worker->python,
                    (char *)(uintptr_t) "-I",
                    (char *)(uintptr_t) "-S",
                    (char *)(uintptr_t) "-B",
                    (char *)(uintptr_t) "-c",
                    (char *)(uintptr_t)pexcz_worker_text,
                    NULL};
    /* Nothing from the user's environment can change the result. */
    char *envp[] = {(char *)(uintptr_t) "LC_ALL=C.UTF-8",
                    (char *)(uintptr_t) "PATH=/usr/bin:/bin", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t defaults;
    sigset_t none;
    int rc;

    (void)sigemptyset(&none);
    (void)sigemptyset(&defaults);
    (void)sigaddset(&defaults, SIGPIPE);
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawnattr_init(&attr);
    rc = posix_spawn_file_actions_adddup2(&actions, child_fd, 0);
    if (rc == 0) {
        rc = posix_spawn_file_actions_adddup2(&actions, child_fd, 1);
    }
    if (rc == 0) {
        rc = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null",
                                              O_WRONLY, 0);
    }
    if (rc == 0) {
        (void)posix_spawnattr_setsigmask(&attr, &none);
        (void)posix_spawnattr_setsigdefault(&attr, &defaults);
        (void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK
                                                  | POSIX_SPAWN_SETSIGDEF);
        rc = posix_spawn(&worker->pid, worker->python, &actions, &attr, argv,
                         envp);
    }
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&actions);
    if (rc != 0) {
        worker->pid = 0;
        return pexcz_fail(err, PEXCZ_E_IO, rc, "%s: cannot run",
                          worker->python);
    }
    return PEXCZ_OK;
}

static int
parse_hello(const struct pexcz_worker *worker, struct pexcz_python *ret,
            struct pexcz_error *err)
{
    struct pexcz_python py = {0};
    size_t count = 0;
    char *next;
    char *item;

    if (memchr(worker->reply.ptr, 0, worker->reply.len) != NULL
        || sscanf((const char *)worker->reply.ptr,
                  "%31[0-9.]\n%" SCNu32 "\n%511[^\n]", py.version, &py.magic,
                  py.suffix_text)
               != 3
        || sscanf(py.version, "%d.%d.%d", &py.major, &py.minor, &py.micro)
               != 3) {
        return garbage(worker, err);
    }
    *ret = py;
    for (item = strtok_r(ret->suffix_text, " ", &next);
         item != NULL && count < PEXCZ_MAX_SUFFIXES;
         item = strtok_r(NULL, " ", &next)) {
        ret->suffixes[count++] = item;
    }
    return PEXCZ_OK;
}

int
pexcz_worker_open(struct pexcz_worker *worker, const char *python,
                  struct pexcz_python *ret, struct pexcz_error *err)
{
    int pair[2];
    int rc;

    *worker = (struct pexcz_worker){.python = python, .fd = -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "cannot make a socket");
    }
    worker->fd = pair[0];
    rc = spawn(worker, pair[1], err);
    (void)close(pair[1]);
    if (rc == 0) {
        rc = receive(worker, err);
    }
    if (rc == 0) {
        rc = parse_hello(worker, ret, err);
    }
    if (rc < 0) {
        pexcz_worker_close(worker);
    }
    return rc;
}

static int
parse_reply(const struct pexcz_worker *worker, struct pexcz_worker_result *ret,
            struct pexcz_error *err)
{
    struct pexcz_slice reply = pexcz_buf_slice(&worker->reply);
    struct pexcz_slice imports;
    uint32_t status;

    if (reply.len < REPLY_HEAD) {
        return garbage(worker, err);
    }
    status = get_u32(reply.ptr);
    if (status > 1
        || !pexcz_slice_sub(reply, REPLY_HEAD, get_u32(reply.ptr + 8),
                            &imports)) {
        return garbage(worker, err);
    }
    ret->is_error = status == 1;
    ret->warnings = get_u32(reply.ptr + 4);
    ret->imports = imports;
    ret->code = pexcz_slice_make(imports.ptr + imports.len,
                                 reply.len - REPLY_HEAD - imports.len);
    return PEXCZ_OK;
}

int
pexcz_worker_compile(struct pexcz_worker *worker, struct pexcz_slice file_name,
                     struct pexcz_slice source,
                     struct pexcz_worker_result *ret, struct pexcz_error *err)
{
    uint8_t head[8];
    int rc;

    if (source.len > MAX_MESSAGE || file_name.len > UINT16_MAX) {
        return pexcz_fail(err, PEXCZ_E_TOO_BIG, 0,
                          "%zu bytes of source are too many", source.len);
    }
    put_u32(head, (uint32_t)(4 + file_name.len + source.len));
    put_u32(head + 4, (uint32_t)file_name.len);
    rc = send_all(worker, head, sizeof(head), err);
    if (rc == 0) {
        rc = send_all(worker, file_name.ptr, file_name.len, err);
    }
    if (rc == 0) {
        rc = send_all(worker, source.ptr, source.len, err);
    }
    if (rc == 0) {
        rc = receive(worker, err);
    }
    if (rc == 0) {
        rc = parse_reply(worker, ret, err);
    }
    return rc;
}

int
pexcz_worker_stdlib(struct pexcz_worker *worker, struct pexcz_slice imports,
                    struct pexcz_slice *ret, struct pexcz_error *err)
{
    struct pexcz_worker_result result;
    int rc = pexcz_worker_compile(worker, pexcz_slice_make("", 0), imports,
                                  &result, err);

    if (rc == 0) {
        *ret = result.imports;
    }
    return rc;
}

void
pexcz_worker_close(struct pexcz_worker *worker)
{
    if (worker->fd >= 0 && worker->pid != 0) {
        (void)close(worker->fd);
        (void)kill(worker->pid, SIGTERM);
        while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    else if (worker->pid == 0 && worker->python != NULL && worker->fd >= 0) {
        (void)close(worker->fd);
    }
    pexcz_buf_done(&worker->reply);
    *worker = (struct pexcz_worker){.fd = -1};
}
