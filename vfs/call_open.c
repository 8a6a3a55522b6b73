/* SPDX-License-Identifier: Apache-2.0 */
#include "handle.h"
#include "mount.h"
#include "place.h"
#include "vfs_calls.h"
#include "vfs_stat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int
pexcz_vfs_refuse(int error)
{
    errno = error;
    return -1;
}

/* The error that a read-only mount has for open() of this place, or 0. */
static int
open_error(const struct pexcz_place *place, int flags)
{
    bool as_path = (flags & O_PATH) != 0; /* most other flags are ignored */
    bool temporary = !as_path && (flags & O_TMPFILE) == O_TMPFILE;
    bool create = !as_path && !temporary && (flags & O_CREAT) != 0;
    bool change
        = !as_path
          && ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0);
    bool dir = place->node.entry.kind == PEXCZ_KIND_DIR;

    /* What a slash says is a directory cannot be created; that comes before it
     * is looked whether it is there. */
    if ((flags & (O_CREAT | O_PATH)) == O_CREAT && place->name_slash) {
        return EISDIR;
    }
    if (place->error != 0) {
        return create && place->creatable && place->error == ENOENT
                   ? EROFS
                   : place->error;
    }
    if (create && (flags & O_EXCL) != 0) {
        return EEXIST;
    }
    if (!dir && (flags & O_DIRECTORY) != 0) {
        return ENOTDIR;
    }
    if (place->node.entry.kind == PEXCZ_KIND_SYMLINK && !as_path) {
        return ELOOP;
    }
    if (dir && !temporary && (change || create)) {
        return EISDIR;
    }
    if (change) {
        return EROFS;
    }
    return as_path ? 0 : pexcz_node_access(&place->node, R_OK);
}

/* "self/maps" or "self/smaps", with this process's number or its name, of a
 * path below /proc; NULL for any other. */
static const char *
maps_of_process(const char *path)
{
    static const char proc[] = "/proc/";
    const char *name;
    const char *file;
    char *end;

    if (path == NULL || strncmp(path, proc, sizeof(proc) - 1) != 0) {
        return NULL;
    }
    name = path + sizeof(proc) - 1;
    file = strchr(name, '/');
    if (file == NULL
        || (strcmp(file, "/maps") != 0 && strcmp(file, "/smaps") != 0)) {
        return NULL;
    }
    return strncmp(name, "self/", 5) == 0
                   || strncmp(name, "thread-self/", 12) == 0
                   || (strtol(name, &end, 10) == getpid() && end == file)
               ? name
               : NULL;
}

/* -1 when it is not about them, or the kernel's text will do. */
static int
open_maps(const char *path, int flags)
{
    const struct pexcz_vfs_libraries *libraries = pexcz_vfs_libraries();
    const char *name = maps_of_process(path);
    int saved = errno;
    int fd = -1;

    if (name != NULL && libraries != NULL
        && (flags & ~(O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_LARGEFILE)) == 0) {
        fd = libraries->maps(name, flags);
        errno = saved;
    }
    return fd;
}

int
pexcz_vfs_openat(int dirfd, const char *path, int flags, mode_t mode)
{
    struct pexcz_place place;
    bool exclusive
        = (flags & (O_CREAT | O_EXCL | O_PATH)) == (O_CREAT | O_EXCL);
    bool follow = (flags & O_NOFOLLOW) == 0 && !exclusive;
    int error;

    if (!pexcz_resolve(dirfd, &path, follow ? PEXCZ_FOLLOW : PEXCZ_NOFOLLOW,
                       &place)) {
        int maps = open_maps(path, flags);

        return maps >= 0 ? maps
                         : pexcz_next()->openat(dirfd, path, flags, mode);
    }
    error = open_error(&place, flags);
    if (error != 0) {
        return pexcz_vfs_refuse(error);
    }
    if (place.node.entry.kind == PEXCZ_KIND_SELF) {
        return pexcz_next()->open(pexcz_vfs_self(), flags & ~O_NOFOLLOW, 0);
    }
    return pexcz_handle_open(&place.node, flags);
}

int
pexcz_vfs_open(const char *path, int flags, mode_t mode)
{
    return pexcz_vfs_openat(AT_FDCWD, path, flags, mode);
}

/* The flags of a stdio mode, as fopen(3) has them. */
static int
stdio_flags(const char *mode)
{
    int flags = O_CREAT | O_APPEND | O_WRONLY;

    if (mode[0] == 'r') {
        flags = O_RDONLY;
    }
    else if (mode[0] == 'w') {
        flags = O_CREAT | O_TRUNC | O_WRONLY;
    }
    for (const char *m = mode; *m != '\0' && *m != ','; m++) {
        if (*m == '+') {
            flags = (flags & ~O_ACCMODE) | O_RDWR;
        }
        else if (*m == 'x') {
            flags |= O_EXCL;
        }
        else if (*m == 'e') {
            flags |= O_CLOEXEC;
        }
    }
    return flags;
}

FILE *
pexcz_vfs_fopen(const char *path, const char *mode)
{
    struct pexcz_place place;
    const char *real = path;
    FILE *stream;
    int fd;
    int saved;

    if (!pexcz_resolve(AT_FDCWD, &real, PEXCZ_FOLLOW, &place)) {
        fd = open_maps(real, stdio_flags(mode));
        if (fd < 0) {
            return pexcz_next()->fopen(real, mode);
        }
    }
    else if (strchr("rwa", mode[0]) == NULL || mode[0] == '\0') {
        errno = EINVAL;
        return NULL;
    }
    else {
        fd = pexcz_vfs_openat(AT_FDCWD, path, stdio_flags(mode), 0666);
    }
    if (fd < 0) {
        return NULL;
    }
    stream = fdopen(fd, mode);
    if (stream == NULL) {
        saved = errno;
        (void)close(fd);
        errno = saved;
    }
    return stream;
}

FILE *
pexcz_vfs_freopen(const char *path, const char *mode, FILE *stream)
{
    struct pexcz_place place;
    const char *real = path;
    char descriptor[40];
    int fd;
    int saved;

    if (!pexcz_resolve(AT_FDCWD, &real, PEXCZ_FOLLOW, &place)) {
        return pexcz_rare()->freopen(real, mode, stream);
    }
    fd = pexcz_vfs_openat(AT_FDCWD, path, stdio_flags(mode), 0666);
    if (fd < 0) {
        /* As freopen(3) has it: the stream is closed all the same. */
        saved = errno;
        (void)fclose(stream);
        errno = saved;
        return NULL;
    }
    (void)snprintf(descriptor, sizeof(descriptor), "/proc/self/fd/%d", fd);
    stream = pexcz_rare()->freopen(descriptor, mode, stream);
    saved = errno;
    (void)close(fd);
    errno = saved;
    return stream;
}
