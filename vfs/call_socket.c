/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets of the file system: there are none, and none can be made. */
#include "place.h"
#include "vfs_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/un.h>

/* The path in an address, NUL-terminated in buf; NULL: it has none. */
static const char *
path_of(const struct sockaddr *address, socklen_t size,
        char buf[sizeof(struct sockaddr_un)])
{
    size_t head = offsetof(struct sockaddr_un, sun_path);

    if (address == NULL || size <= head || size > sizeof(struct sockaddr_un)
        || address->sa_family != AF_UNIX) {
        return NULL;
    }
    memcpy(buf, (const char *)address + head, size - head);
    buf[size - head] = '\0';
    return buf[0] != '\0' ? buf : NULL;
}

typedef int call_fn(int fd, const struct sockaddr *address, socklen_t size);

/* libc's, with `path` where links of the tree led out of it to that. */
static int
call_next(call_fn *next, int fd, const struct sockaddr *address,
          socklen_t size, const char *given, const char *path)
{
    struct sockaddr_un other = {.sun_family = AF_UNIX};
    size_t length;

    if (path == given) {
        return next(fd, address, size);
    }
    length = strlen(path);
    if (length >= sizeof(other.sun_path)) {
        return pexcz_vfs_refuse(ENAMETOOLONG);
    }
    memcpy(other.sun_path, path, length + 1);
    return next(fd, (const struct sockaddr *)&other, sizeof(other));
}

int
pexcz_vfs_bind(int fd, const struct sockaddr *address, socklen_t size)
{
    char buf[sizeof(struct sockaddr_un)];
    const char *given = path_of(address, size, buf);
    const char *path = given;
    struct pexcz_place place;

    if (!pexcz_resolve(AT_FDCWD, &path, PEXCZ_PARENT, &place)) {
        return call_next(pexcz_rare()->bind, fd, address, size, given, path);
    }
    if (place.error == 0) {
        return pexcz_vfs_refuse(EADDRINUSE);
    }
    return pexcz_vfs_refuse(place.error == ENOENT && place.creatable
                                    && !place.slash
                                ? EROFS
                                : place.error);
}

int
pexcz_vfs_connect(int fd, const struct sockaddr *address, socklen_t size)
{
    char buf[sizeof(struct sockaddr_un)];
    const char *given = path_of(address, size, buf);
    const char *path = given;
    struct pexcz_place place;

    if (!pexcz_resolve(AT_FDCWD, &path, PEXCZ_FOLLOW, &place)) {
        return call_next(pexcz_rare()->connect, fd, address, size, given,
                         path);
    }
    /* The right to write counts before it is looked whether it is a socket. */
    return pexcz_vfs_refuse(place.error != 0 ? place.error : EROFS);
}
