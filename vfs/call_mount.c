/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of the mount as a whole, and watches on it. */
#include "handle.h"
#include "mount.h"
#include "place.h"
#include "vfs_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>

#define BLOCK_SIZE 4096u

/* f_type: a number of our own, "pxcz". */
#define MOUNT_TYPE 0x7078637a

static uint64_t
block_count(void)
{
    const struct pexcz_tree *tree = pexcz_vfs_tree();
    uint64_t size = 0;

    for (uint32_t i = 0; i < tree->layer_count; i++) {
        size += pexcz_blob_size(tree->layers[i]);
    }
    return size / BLOCK_SIZE;
}

static uint64_t
entry_count(void)
{
    const struct pexcz_tree *tree = pexcz_vfs_tree();
    uint64_t count = 0;

    for (uint32_t i = 0; i < tree->layer_count; i++) {
        count += tree->layers[i]->entries.count;
    }
    return count;
}

static void
fill_statvfs(struct statvfs *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->f_bsize = BLOCK_SIZE;
    ret->f_frsize = BLOCK_SIZE;
    ret->f_namemax = PEXCZ_MAX_NAME;
    ret->f_blocks = block_count();
    ret->f_files = entry_count();
    ret->f_flag = ST_RDONLY | ST_NOSUID | ST_NODEV;
}

static void
fill_statfs(struct statfs *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->f_type = MOUNT_TYPE;
    ret->f_bsize = BLOCK_SIZE;
    ret->f_frsize = BLOCK_SIZE;
    ret->f_namelen = PEXCZ_MAX_NAME;
    ret->f_blocks = block_count();
    ret->f_files = entry_count();
    ret->f_flags = ST_RDONLY | ST_NOSUID | ST_NODEV;
}

#define STATFS_CALLS(name)                                                    \
    int pexcz_vfs_##name(const char *path, struct name *ret)                  \
    {                                                                         \
        struct pexcz_place place;                                             \
                                                                              \
        if (!pexcz_resolve(AT_FDCWD, &path, PEXCZ_FOLLOW, &place)) {          \
            return pexcz_rare()->name(path, ret);                             \
        }                                                                     \
        if (place.error != 0) {                                               \
            return pexcz_vfs_refuse(place.error);                             \
        }                                                                     \
        fill_##name(ret);                                                     \
        return 0;                                                             \
    }                                                                         \
                                                                              \
    int pexcz_vfs_f##name(int fd, struct name *ret)                           \
    {                                                                         \
        struct pexcz_node node;                                               \
                                                                              \
        if (!pexcz_handle_of_fd(fd, &node)) {                                 \
            return pexcz_rare()->f##name(fd, ret);                            \
        }                                                                     \
        fill_##name(ret);                                                     \
        return 0;                                                             \
    }

STATFS_CALLS(statvfs)
STATFS_CALLS(statfs)

long
pexcz_vfs_pathconf(const char *path, int name)
{
    struct pexcz_place place;

    if (!pexcz_resolve(AT_FDCWD, &path, PEXCZ_FOLLOW, &place)) {
        return pexcz_rare()->pathconf(path, name);
    }
    /* The limits are those of the directory that holds the mount. */
    return place.error != 0 ? pexcz_vfs_refuse(place.error)
                            : pexcz_rare()->pathconf("/proc", name);
}

long
pexcz_vfs_fpathconf(int fd, int name)
{
    struct pexcz_node node;

    return pexcz_handle_of_fd(fd, &node)
               ? pexcz_rare()->pathconf("/proc", name)
               : pexcz_rare()->fpathconf(fd, name);
}

/* The tree never changes: a watch on the executable, less what running it
 * would report, is valid and silent. */
int
pexcz_vfs_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    struct pexcz_place place;
    enum pexcz_follow follow
        = (mask & IN_DONT_FOLLOW) != 0 ? PEXCZ_NOFOLLOW : PEXCZ_FOLLOW;
    uint32_t drop
        = IN_ONLYDIR | IN_DONT_FOLLOW | IN_ACCESS | IN_OPEN | IN_CLOSE;

    if (!pexcz_resolve(AT_FDCWD, &path, follow, &place)) {
        return pexcz_rare()->inotify_add_watch(fd, path, mask);
    }
    if (place.error != 0) {
        return pexcz_vfs_refuse(place.error);
    }
    if ((mask & IN_ONLYDIR) != 0 && place.node.entry.kind != PEXCZ_KIND_DIR) {
        return pexcz_vfs_refuse(ENOTDIR);
    }
    /* An empty mask is an error; this bit cannot happen to a file. */
    return pexcz_rare()->inotify_add_watch(fd, pexcz_vfs_self(),
                                           (mask & ~drop) | IN_MOVED_TO);
}

/* As file systems say that have no number of their own. */
int
pexcz_vfs_fanotify_mark(int fd, unsigned flags, uint64_t mask, int dirfd,
                        const char *path)
{
    struct pexcz_place place;
    struct pexcz_node node;

    if (path == NULL && pexcz_handle_of_fd(dirfd, &node)) {
        return pexcz_vfs_refuse(ENODEV);
    }
    if (!pexcz_resolve(dirfd, &path,
                       (flags & FAN_MARK_DONT_FOLLOW) != 0 ? PEXCZ_NOFOLLOW
                                                           : PEXCZ_FOLLOW,
                       &place)) {
        return pexcz_rare()->fanotify_mark(fd, flags, mask, dirfd, path);
    }
    return pexcz_vfs_refuse(place.error != 0 ? place.error : ENODEV);
}

/* As file systems say whose files have no handles, /proc for one. */
int
pexcz_vfs_name_to_handle_at(int dirfd, const char *path,
                            struct file_handle *handle, int *mount, int flags)
{
    struct pexcz_place place;
    struct pexcz_node node;

    if ((flags & AT_EMPTY_PATH) != 0 && path != NULL && path[0] == '\0'
        && pexcz_handle_of_fd(dirfd, &node)) {
        return pexcz_vfs_refuse(EOPNOTSUPP);
    }
    if (!pexcz_resolve(dirfd, &path,
                       (flags & AT_SYMLINK_FOLLOW) != 0 ? PEXCZ_FOLLOW
                                                        : PEXCZ_NOFOLLOW,
                       &place)) {
        return pexcz_rare()->name_to_handle_at(dirfd, path, handle, mount,
                                               flags);
    }
    return pexcz_vfs_refuse(place.error != 0 ? place.error : EOPNOTSUPP);
}

/* The parts of inode, device and project that every libc puts together. */
key_t
pexcz_vfs_ftok(const char *path, int project)
{
    struct stat st;

    if (pexcz_vfs_stat(path, &st) < 0) {
        return (key_t)-1;
    }
    return (key_t)((st.st_ino & 0xffff) | (st.st_dev & 0xff) << 16
                   | ((uint32_t)project & 0xff) << 24);
}
