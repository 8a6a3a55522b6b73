/* SPDX-License-Identifier: Apache-2.0 */
#include "handle.h"
#include "place.h"
#include "vfs_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

static ssize_t
readlink_place(const struct pexcz_place *place, char *buf, size_t size)
{
    const struct pexcz_entry *link = &place->node.entry;
    char target[PATH_MAX];

    if (size == 0) {
        return pexcz_vfs_refuse(EINVAL);
    }
    if (place->error != 0) {
        return pexcz_vfs_refuse(place->error);
    }
    if (link->kind != PEXCZ_KIND_SYMLINK) {
        return pexcz_vfs_refuse(EINVAL);
    }
    if (link->size >= sizeof(target)
        || pexcz_blob_content_into(place->node.blob, link->payload, target,
                                   (size_t)link->size, NULL)
               < 0) {
        return pexcz_vfs_refuse(EIO);
    }
    size = size < link->size ? size : (size_t)link->size;
    memcpy(buf, target, size);
    return (ssize_t)size;
}

/* Of "/proc/self/fd/N": the kernel names the memfd behind a descriptor of
 * ours, programs ask what file it is. */
static ssize_t
name_of_descriptor(int dirfd, const char *path, char *buf, size_t size,
                   ssize_t n)
{
    static const char mark[] = "/memfd:";
    struct pexcz_place place;
    struct pexcz_node node;
    char full[PATH_MAX];
    struct stat st;
    int saved = errno;
    size_t length;

    if (n < (ssize_t)sizeof(mark) || memcmp(buf, mark, sizeof(mark) - 1) != 0
        || pexcz_next_fstatat(dirfd, path, &st, 0) < 0
        || !pexcz_handle_of_stat(&st, &node)) {
        errno = saved;
        return n;
    }
    pexcz_place_of(&node, &place);
    length = pexcz_place_full_path(&place, full, sizeof(full));
    if (place.error != 0 || length == 0) {
        return n;
    }
    length = length < size ? length : size;
    memcpy(buf, full, length);
    return (ssize_t)length;
}

ssize_t
pexcz_vfs_readlink(const char *path, char *buf, size_t size)
{
    struct pexcz_place place;

    if (pexcz_resolve(AT_FDCWD, &path, PEXCZ_NOFOLLOW, &place)) {
        return readlink_place(&place, buf, size);
    }
    return name_of_descriptor(AT_FDCWD, path, buf, size,
                              pexcz_next()->readlink(path, buf, size));
}

ssize_t
pexcz_vfs_readlinkat(int dirfd, const char *path, char *buf, size_t size)
{
    struct pexcz_place place;

    /* A link opened as such, with O_PATH and O_NOFOLLOW. */
    if (path != NULL && path[0] == '\0'
        && pexcz_handle_of_fd(dirfd, &place.node)) {
        place.error = place.node.entry.kind == PEXCZ_KIND_SYMLINK ? 0 : ENOENT;
        return readlink_place(&place, buf, size);
    }
    if (pexcz_resolve(dirfd, &path, PEXCZ_NOFOLLOW, &place)) {
        return readlink_place(&place, buf, size);
    }
    return name_of_descriptor(
        dirfd, path, buf, size,
        pexcz_next()->readlinkat(dirfd, path, buf, size));
}

char *
pexcz_vfs_realpath(const char *path, char *resolved)
{
    struct pexcz_place place;
    char full[PATH_MAX];
    size_t size;

    if (!pexcz_resolve(AT_FDCWD, &path, PEXCZ_FOLLOW, &place)) {
        return pexcz_next()->realpath(path, resolved);
    }
    if (place.error != 0) {
        errno = place.error;
        return NULL;
    }
    size = pexcz_place_full_path(&place, full, sizeof(full));
    if (size == 0) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    if (resolved == NULL) {
        return strdup(full);
    }
    return memcpy(resolved, full, size + 1);
}
