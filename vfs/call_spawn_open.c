/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix_spawn_file_actions_addopen() of a packed file.  libc would open it in
 * the child; it is opened here and duplicated there, and closed when the
 * actions are destroyed.
 */
#include "place.h"
#include "vfs_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>

struct opened {
    struct opened *next;
    const posix_spawn_file_actions_t *actions;
    int fd;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct opened *all;

/* Takes ownership of fd. */
static int
remember(const posix_spawn_file_actions_t *actions, int fd)
{
    struct opened *o = malloc(sizeof(*o));

    if (o == NULL) {
        (void)close(fd);
        return ENOMEM;
    }
    o->actions = actions;
    o->fd = fd;
    (void)pthread_mutex_lock(&lock);
    o->next = all;
    all = o;
    (void)pthread_mutex_unlock(&lock);
    return 0;
}

static void
forget(const posix_spawn_file_actions_t *actions)
{
    struct opened **where = &all;

    (void)pthread_mutex_lock(&lock);
    while (*where != NULL) {
        struct opened *o = *where;

        if (o->actions == actions) {
            *where = o->next;
            (void)close(o->fd);
            free(o);
        }
        else {
            where = &o->next;
        }
    }
    (void)pthread_mutex_unlock(&lock);
}

int
pexcz_vfs_posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *actions,
                                           int fd, const char *path, int flags,
                                           mode_t mode)
{
    struct pexcz_place place;
    const char *real = path;
    int here;
    int error;

    if (!pexcz_resolve(AT_FDCWD, &real, PEXCZ_FOLLOW, &place)) {
        return pexcz_next()->posix_spawn_file_actions_addopen(
            actions, fd, real, flags, mode);
    }
    here = pexcz_vfs_openat(AT_FDCWD, path, flags | O_CLOEXEC, mode);
    if (here == fd) {
        /* Not all versions of dup2() in the child clear O_CLOEXEC then. */
        here = fcntl(fd, F_DUPFD_CLOEXEC, fd + 1);
        (void)close(fd);
    }
    if (here < 0) {
        /* The child is to fail: it cannot open the path, either. */
        return pexcz_next()->posix_spawn_file_actions_addopen(
            actions, fd, path, flags, mode);
    }
    error = remember(actions, here);
    return error != 0 ? error
                      : posix_spawn_file_actions_adddup2(actions, here, fd);
}

int
pexcz_vfs_posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *actions)
{
    forget(actions);
    return pexcz_next()->posix_spawn_file_actions_destroy(actions);
}
