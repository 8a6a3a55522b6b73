/* SPDX-License-Identifier: Apache-2.0 */
#include "cwd.h"

#include "mount.h"
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/* Node code of the directory, 0 for the kernel's. */
static atomic_uint process_cwd;

/* The process to which process_cwd belongs: a forked child takes it over, a
 * vfork child is known by another number. */
static atomic_int process_id;

/* Counts when `process` is who runs; 0: nothing is kept here. */
static _Thread_local struct {
    pid_t process;
    uint32_t code;
} vfork_cwd;

static _Thread_local struct {
    bool active;
    uint32_t code;
} pretended;

static void
after_fork(void)
{
    atomic_store(&process_id, getpid());
}

__attribute__((constructor)) static void
remember_process(void)
{
    after_fork();
    (void)pthread_atfork(NULL, NULL, after_fork);
}

bool
pexcz_cwd_get(struct pexcz_node *ret)
{
    uint32_t code = atomic_load_explicit(&process_cwd, memory_order_relaxed);

    if (pretended.active) {
        code = pretended.code;
    }
    else if (vfork_cwd.process != 0) {
        if (vfork_cwd.process == getpid()) {
            code = vfork_cwd.code;
        }
        else {
            vfork_cwd.process = 0; /* we are the parent: the child is gone */
        }
    }
    return code != 0 && pexcz_node_of_code(code, ret);
}

void
pexcz_cwd_set(const struct pexcz_node *node)
{
    uint32_t code = node != NULL ? pexcz_node_code(node) : 0;
    pid_t pid = 0;

    /* The usual case, a real directory after a real one, costs nothing. */
    if (code == 0 && vfork_cwd.process == 0
        && atomic_load_explicit(&process_cwd, memory_order_relaxed) == 0) {
        return;
    }
    pid = getpid();
    if (pid == atomic_load(&process_id)) {
        atomic_store(&process_cwd, code);
    }
    else {
        vfork_cwd.code = code;
        vfork_cwd.process = pid;
    }
}

void
pexcz_cwd_pretend(const struct pexcz_node *node)
{
    pretended.active = true;
    pretended.code = node != NULL ? pexcz_node_code(node) : 0;
}

void
pexcz_cwd_pretend_end(void)
{
    pretended.active = false;
}

void
pexcz_cwd_inherit(void)
{
    const char *path = getenv(PEXCZ_CWD_VARIABLE);
    struct pexcz_place place;

    if (path == NULL) {
        return;
    }
    if (pexcz_resolve(AT_FDCWD, &path, PEXCZ_FOLLOW, &place)
        && place.error == 0 && place.node.entry.kind == PEXCZ_KIND_DIR) {
        pexcz_cwd_set(&place.node);
    }
    (void)unsetenv(PEXCZ_CWD_VARIABLE);
}
