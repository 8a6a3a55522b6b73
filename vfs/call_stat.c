/* SPDX-License-Identifier: Apache-2.0 */
#include "handle.h"
#include "place.h"
#include "vfs_calls.h"
#include "vfs_stat.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>

static enum pexcz_follow
follow_of(int flags)
{
    return (flags & AT_SYMLINK_NOFOLLOW) != 0 ? PEXCZ_NOFOLLOW : PEXCZ_FOLLOW;
}

static int
stat_place(const struct pexcz_place *place, struct stat *st)
{
    return place->error != 0 ? pexcz_vfs_refuse(place->error)
                             : pexcz_node_stat(&place->node, st);
}

int
pexcz_vfs_stat(const char *path, struct stat *st)
{
    struct pexcz_place place;
    struct pexcz_node node;
    int rc;

    if (pexcz_resolve(AT_FDCWD, &path, PEXCZ_FOLLOW, &place)) {
        return stat_place(&place, st);
    }
    /* "/dev/fd/N" may be one of ours. */
    rc = pexcz_next_stat(path, st);
    return rc == 0 && pexcz_handle_of_stat(st, &node)
               ? pexcz_node_stat(&node, st)
               : rc;
}

int
pexcz_vfs_lstat(const char *path, struct stat *st)
{
    struct pexcz_place place;

    return pexcz_resolve(AT_FDCWD, &path, PEXCZ_NOFOLLOW, &place)
               ? stat_place(&place, st)
               : pexcz_next_lstat(path, st);
}

int
pexcz_vfs_fstat(int fd, struct stat *st)
{
    struct pexcz_node node;
    int rc = pexcz_next_fstat(fd, st);

    return rc == 0 && pexcz_handle_of_stat(st, &node)
               ? pexcz_node_stat(&node, st)
               : rc;
}

int
pexcz_vfs_fstatat(int dirfd, const char *path, struct stat *st, int flags)
{
    struct pexcz_place place;
    struct pexcz_node node;
    int rc;

    if (pexcz_resolve(dirfd, &path, follow_of(flags), &place)) {
        return stat_place(&place, st);
    }
    rc = pexcz_next_fstatat(dirfd, path, st, flags);
    return rc == 0 && pexcz_handle_of_stat(st, &node)
               ? pexcz_node_stat(&node, st)
               : rc;
}

static struct statx_timestamp
statx_time(struct timespec t)
{
    return (struct statx_timestamp){.tv_sec = t.tv_sec,
                                    .tv_nsec = (uint32_t)t.tv_nsec};
}

static int
statx_node(const struct pexcz_node *node, struct statx *ret)
{
    struct stat st;

    if (pexcz_node_stat(node, &st) < 0) {
        return -1;
    }
    memset(ret, 0, sizeof(*ret));
    ret->stx_mask = STATX_BASIC_STATS;
    ret->stx_blksize = (uint32_t)st.st_blksize;
    ret->stx_nlink = (uint32_t)st.st_nlink;
    ret->stx_uid = st.st_uid;
    ret->stx_gid = st.st_gid;
    ret->stx_mode = (uint16_t)st.st_mode;
    ret->stx_ino = st.st_ino;
    ret->stx_size = (uint64_t)st.st_size;
    ret->stx_blocks = (uint64_t)st.st_blocks;
    ret->stx_atime = statx_time(st.st_atim);
    ret->stx_mtime = statx_time(st.st_mtim);
    ret->stx_ctime = statx_time(st.st_ctim);
    ret->stx_dev_major = major(st.st_dev);
    ret->stx_dev_minor = minor(st.st_dev);
    return 0;
}

int
pexcz_vfs_statx(int dirfd, const char *path, int flags, unsigned mask,
                struct statx *ret)
{
    struct pexcz_place place;
    struct pexcz_node node;
    bool fd_only
        = (flags & AT_EMPTY_PATH) != 0 && (path == NULL || path[0] == '\0');

    if (pexcz_resolve(dirfd, &path, follow_of(flags), &place)) {
        return place.error != 0 ? pexcz_vfs_refuse(place.error)
                                : statx_node(&place.node, ret);
    }
    if (fd_only && pexcz_handle_of_fd(dirfd, &node)) {
        return statx_node(&node, ret);
    }
    return pexcz_next_statx(dirfd, path, flags, mask, ret);
}

static int
access_place(const struct pexcz_place *place, int mode)
{
    int error = place->error;

    if (error == 0) {
        error = pexcz_node_access(&place->node, mode);
    }
    return error != 0 ? pexcz_vfs_refuse(error) : 0;
}

int
pexcz_vfs_access(const char *path, int mode)
{
    struct pexcz_place place;

    return pexcz_resolve(AT_FDCWD, &path, PEXCZ_FOLLOW, &place)
               ? access_place(&place, mode)
               : pexcz_next()->access(path, mode);
}

int
pexcz_vfs_euidaccess(const char *path, int mode)
{
    struct pexcz_place place;

    return pexcz_resolve(AT_FDCWD, &path, PEXCZ_FOLLOW, &place)
               ? access_place(&place, mode)
               : pexcz_rare()->euidaccess(path, mode);
}

int
pexcz_vfs_faccessat(int dirfd, const char *path, int mode, int flags)
{
    struct pexcz_place place;

    if ((flags & AT_EMPTY_PATH) != 0 && path != NULL && path[0] == '\0'
        && pexcz_handle_of_fd(dirfd, &place.node)) {
        place.error = 0;
        return access_place(&place, mode);
    }
    return pexcz_resolve(dirfd, &path, follow_of(flags), &place)
               ? access_place(&place, mode)
               : pexcz_next()->faccessat(dirfd, path, mode, flags);
}
