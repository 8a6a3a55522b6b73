/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File actions of posix_spawn() that take a path of the tree.  libc would open
 * the file, or go to the directory, in the child.  The file is opened here and
 * duplicated there; the directory is remembered for posix_spawn().  Both are
 * forgotten when the actions are destroyed.
 */
#include "cwd.h"
#include "handle.h"
#include "place.h"
#include "vfs_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>

struct note {
    struct note *next;
    const posix_spawn_file_actions_t *actions;
    int fd; /* that was opened, -1: none */
    enum pexcz_spawn_cwd cwd;
    struct pexcz_node directory; /* when that is PEXCZ_SPAWN_CWD_TREE */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct note *all; /* the newest first */
static atomic_bool used;

static void
lock_all(void)
{
    (void)pthread_mutex_lock(&lock);
}

static void
unlock_all(void)
{
    (void)pthread_mutex_unlock(&lock);
}

/* Takes ownership of note->fd. */
static int
remember(const struct note *note)
{
    struct note *n = malloc(sizeof(*n));

    if (n == NULL) {
        if (note->fd >= 0) {
            (void)close(note->fd);
        }
        return ENOMEM;
    }
    *n = *note;
    lock_all();
    if (!atomic_load_explicit(&used, memory_order_relaxed)) {
        /* A child's copy is not left locked by a thread that it lacks. */
        (void)pthread_atfork(lock_all, unlock_all, unlock_all);
    }
    n->next = all;
    all = n;
    atomic_store_explicit(&used, true, memory_order_release);
    unlock_all();
    return 0;
}

static void
forget(const posix_spawn_file_actions_t *actions)
{
    struct note **where = &all;

    if (!atomic_load_explicit(&used, memory_order_acquire)) {
        return;
    }
    lock_all();
    while (*where != NULL) {
        struct note *n = *where;

        if (n->actions == actions) {
            *where = n->next;
            if (n->fd >= 0) {
                (void)close(n->fd);
            }
            free(n);
        }
        else {
            where = &n->next;
        }
    }
    unlock_all();
}

enum pexcz_spawn_cwd
pexcz_spawn_cwd(const posix_spawn_file_actions_t *actions,
                struct pexcz_node *ret)
{
    enum pexcz_spawn_cwd cwd = PEXCZ_SPAWN_CWD_KEPT;

    if (actions == NULL
        || !atomic_load_explicit(&used, memory_order_acquire)) {
        return cwd;
    }
    lock_all();
    for (const struct note *n = all; n != NULL; n = n->next) {
        if (n->actions == actions && n->cwd != PEXCZ_SPAWN_CWD_KEPT) {
            cwd = n->cwd;
            *ret = n->directory;
            break;
        }
    }
    unlock_all();
    return cwd;
}

/* Opens or resolves `path` as the child will, in its directory by then. */
static bool
resolve_for_child(const posix_spawn_file_actions_t *actions, const char **path,
                  int flags, mode_t mode, struct pexcz_place *place,
                  int *ret_fd)
{
    const char *given = *path;
    struct pexcz_node node;
    enum pexcz_spawn_cwd cwd = pexcz_spawn_cwd(actions, &node);
    bool inside;

    if (cwd != PEXCZ_SPAWN_CWD_KEPT) {
        pexcz_cwd_pretend(cwd == PEXCZ_SPAWN_CWD_TREE ? &node : NULL);
    }
    inside = pexcz_resolve(AT_FDCWD, path, PEXCZ_FOLLOW, place);
    if (inside && ret_fd != NULL) {
        *ret_fd = pexcz_vfs_openat(AT_FDCWD, given, flags | O_CLOEXEC, mode);
    }
    if (cwd != PEXCZ_SPAWN_CWD_KEPT) {
        pexcz_cwd_pretend_end();
    }
    return inside;
}

int
pexcz_vfs_posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *actions,
                                           int fd, const char *path, int flags,
                                           mode_t mode)
{
    struct note note = {.actions = actions, .fd = -1};
    struct pexcz_place place;
    int error;

    if (!resolve_for_child(actions, &path, flags, mode, &place, &note.fd)) {
        return pexcz_rare()->posix_spawn_file_actions_addopen(
            actions, fd, path, flags, mode);
    }
    if (note.fd == fd) {
        /* Not all versions of dup2() in the child clear O_CLOEXEC then. */
        note.fd = fcntl(fd, F_DUPFD_CLOEXEC, fd + 1);
        (void)close(fd);
    }
    if (note.fd < 0) {
        /* The child is to fail: the kernel has nothing there, either. */
        return pexcz_rare()->posix_spawn_file_actions_addopen(
            actions, fd, PEXCZ_PREFIX, flags, mode);
    }
    error = remember(&note);
    return error != 0 ? error
                      : posix_spawn_file_actions_adddup2(actions, note.fd, fd);
}

static int
add_chdir(posix_spawn_file_actions_t *actions, const char *path)
{
    return pexcz_rare()->posix_spawn_file_actions_addchdir_np != NULL
               ? pexcz_rare()->posix_spawn_file_actions_addchdir_np(actions,
                                                                    path)
               : ENOSYS;
}

int
pexcz_vfs_posix_spawn_file_actions_addchdir(
    posix_spawn_file_actions_t *actions, const char *path)
{
    struct note note
        = {.actions = actions, .fd = -1, .cwd = PEXCZ_SPAWN_CWD_OTHER};
    struct pexcz_place place;
    int error;

    if (resolve_for_child(actions, &path, 0, 0, &place, NULL)) {
        if (place.error != 0 || place.node.entry.kind != PEXCZ_KIND_DIR) {
            return add_chdir(actions, PEXCZ_PREFIX); /* the child is to fail */
        }
        note.cwd = PEXCZ_SPAWN_CWD_TREE;
        note.directory = place.node;
        path = "/";
    }
    error = add_chdir(actions, path);
    return error != 0 ? error : remember(&note);
}

int
pexcz_vfs_posix_spawn_file_actions_addfchdir(
    posix_spawn_file_actions_t *actions, int fd)
{
    struct note note
        = {.actions = actions, .fd = -1, .cwd = PEXCZ_SPAWN_CWD_OTHER};
    int error = ENOSYS;

    if (pexcz_handle_of_dirfd(fd, &note.directory)
        && note.directory.entry.kind == PEXCZ_KIND_DIR) {
        note.cwd = PEXCZ_SPAWN_CWD_TREE;
        error = add_chdir(actions, "/");
    }
    else if (pexcz_rare()->posix_spawn_file_actions_addfchdir_np != NULL) {
        error
            = pexcz_rare()->posix_spawn_file_actions_addfchdir_np(actions, fd);
    }
    return error != 0 ? error : remember(&note);
}

int
pexcz_vfs_posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *actions)
{
    forget(actions);
    return pexcz_rare()->posix_spawn_file_actions_destroy(actions);
}
