/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that would change the tree.  Each fails with what the kernel says for
 * a read-only mount, in the kernel's order of checks, a missing parent before
 * EROFS; but what is to be removed or moved and is not there is ENOENT, as in
 * a folder that can be written: programs remove what may be there.
 */
#include "handle.h"
#include "place.h"
#include "vfs_calls.h"

#include <errno.h>
#include <fcntl.h>

/*
 * The *_error functions: 0 when the path is none of ours (*path may be
 * replaced, see pexcz_resolve()), else the errno.
 */

static enum pexcz_follow
follow_of(int flags)
{
    return (flags & AT_SYMLINK_NOFOLLOW) != 0 ? PEXCZ_NOFOLLOW : PEXCZ_FOLLOW;
}

/* Attributes of what is there. */
static int
change_error(int dirfd, const char **path, enum pexcz_follow follow,
             struct pexcz_place *place)
{
    if (!pexcz_resolve(dirfd, path, follow, place)) {
        return 0;
    }
    return place->error != 0 ? place->error : EROFS;
}

/* As above; nothing is looked at when neither time is to be set. */
static int
times_error(int dirfd, const char **path, const struct timespec *times,
            int flags, struct pexcz_place *place)
{
    if (!pexcz_resolve(dirfd, path, follow_of(flags), place)) {
        return 0;
    }
    if (times != NULL && times[0].tv_nsec == UTIME_OMIT
        && times[1].tv_nsec == UTIME_OMIT) {
        return -1;
    }
    return place->error != 0 ? place->error : EROFS;
}

enum creation {
    CREATE_DIR,
    CREATE_OTHER,
};

static int
create_error(int dirfd, const char **path, enum creation what,
             struct pexcz_place *place)
{
    if (!pexcz_resolve(dirfd, path, PEXCZ_PARENT, place)) {
        return 0;
    }
    if (place->error == 0) {
        return EEXIST;
    }
    if (place->error != ENOENT || !place->creatable
        || (place->slash && what == CREATE_OTHER)) {
        return place->error;
    }
    return EROFS;
}

enum removal {
    REMOVE_FILE,
    REMOVE_DIR,
    MOVE_FROM,
    MOVE_TO,
};

/* What the kernel says of a name that is none: "." and "..", and of the root
 * of a mount; 0 for any other. */
static int
special_error(const struct pexcz_place *place, enum removal what)
{
    if (what == REMOVE_FILE) {
        return place->last != PEXCZ_LAST_NAME || place->size == 0 ? EISDIR : 0;
    }
    if (what == REMOVE_DIR && place->last == PEXCZ_LAST_DOT) {
        return EINVAL;
    }
    if (what == REMOVE_DIR && place->last == PEXCZ_LAST_DOTDOT) {
        return ENOTEMPTY;
    }
    return place->last != PEXCZ_LAST_NAME || place->size == 0 ? EBUSY : 0;
}

static int
remove_error(int dirfd, const char **path, enum removal what,
             struct pexcz_place *place)
{
    int error;

    if (!pexcz_resolve(dirfd, path, PEXCZ_PARENT, place)) {
        return 0;
    }
    if (place->error != 0) {
        return place->creatable && what == MOVE_TO ? EROFS : place->error;
    }
    error = special_error(place, what);
    return error != 0 ? error : EROFS;
}

static int
truncate_error(int dirfd, const char **path, enum pexcz_follow follow,
               struct pexcz_place *place)
{
    int error = change_error(dirfd, path, follow, place);

    return error == EROFS && place->node.entry.kind == PEXCZ_KIND_DIR ? EISDIR
                                                                      : error;
}

/* pexcz_vfs_NAME(): error_of(dirfd, path, how) or the next definition. */
#define REFUSED(name, params, error_of, dirfd, how, next)                     \
    int pexcz_vfs_##name params                                               \
    {                                                                         \
        struct pexcz_place place;                                             \
        int error = error_of(dirfd, &path, how, &place);                      \
                                                                              \
        return error != 0 ? pexcz_vfs_refuse(error) : next;                   \
    }
#define NEXT pexcz_next()->
#define RARE pexcz_rare()->

REFUSED(mkdir, (const char *path, mode_t mode), create_error, AT_FDCWD,
        CREATE_DIR, NEXT mkdir(path, mode))
REFUSED(mkdirat, (int dirfd, const char *path, mode_t mode), create_error,
        dirfd, CREATE_DIR, RARE mkdirat(dirfd, path, mode))
REFUSED(mknodat, (int dirfd, const char *path, mode_t mode, dev_t dev),
        create_error, dirfd, CREATE_OTHER,
        pexcz_next_mknodat(dirfd, path, mode, dev))
REFUSED(mkfifo, (const char *path, mode_t mode), create_error, AT_FDCWD,
        CREATE_OTHER, RARE mkfifo(path, mode))
REFUSED(mkfifoat, (int dirfd, const char *path, mode_t mode), create_error,
        dirfd, CREATE_OTHER, RARE mkfifoat(dirfd, path, mode))
REFUSED(symlink, (const char *target, const char *path), create_error,
        AT_FDCWD, CREATE_OTHER, NEXT symlink(target, path))
REFUSED(symlinkat, (const char *target, int dirfd, const char *path),
        create_error, dirfd, CREATE_OTHER, RARE symlinkat(target, dirfd, path))

REFUSED(unlink, (const char *path), remove_error, AT_FDCWD, REMOVE_FILE,
        NEXT unlink(path))
REFUSED(unlinkat, (int dirfd, const char *path, int flags), remove_error,
        dirfd, (flags & AT_REMOVEDIR) != 0 ? REMOVE_DIR : REMOVE_FILE,
        NEXT unlinkat(dirfd, path, flags))
REFUSED(rmdir, (const char *path), remove_error, AT_FDCWD, REMOVE_DIR,
        NEXT rmdir(path))
REFUSED(remove, (const char *path), remove_error, AT_FDCWD, REMOVE_DIR,
        RARE remove(path))

REFUSED(chmod, (const char *path, mode_t mode), change_error, AT_FDCWD,
        PEXCZ_FOLLOW, RARE chmod(path, mode))
REFUSED(lchmod, (const char *path, mode_t mode), change_error, AT_FDCWD,
        PEXCZ_NOFOLLOW, RARE lchmod(path, mode))
REFUSED(fchmodat, (int dirfd, const char *path, mode_t mode, int flags),
        change_error, dirfd, follow_of(flags),
        RARE fchmodat(dirfd, path, mode, flags))
REFUSED(chown, (const char *path, uid_t uid, gid_t gid), change_error,
        AT_FDCWD, PEXCZ_FOLLOW, RARE chown(path, uid, gid))
REFUSED(lchown, (const char *path, uid_t uid, gid_t gid), change_error,
        AT_FDCWD, PEXCZ_NOFOLLOW, RARE lchown(path, uid, gid))
REFUSED(fchownat,
        (int dirfd, const char *path, uid_t uid, gid_t gid, int flags),
        change_error, dirfd, follow_of(flags),
        RARE fchownat(dirfd, path, uid, gid, flags))
REFUSED(truncate, (const char *path, off_t size), truncate_error, AT_FDCWD,
        PEXCZ_FOLLOW, RARE truncate(path, size))

REFUSED(utime, (const char *path, const struct utimbuf *times), change_error,
        AT_FDCWD, PEXCZ_FOLLOW, RARE utime(path, times))
REFUSED(utimes, (const char *path, const struct timeval *times), change_error,
        AT_FDCWD, PEXCZ_FOLLOW, RARE utimes(path, times))
REFUSED(lutimes, (const char *path, const struct timeval *times), change_error,
        AT_FDCWD, PEXCZ_NOFOLLOW, RARE lutimes(path, times))
REFUSED(futimesat, (int dirfd, const char *path, const struct timeval *times),
        change_error, dirfd, PEXCZ_FOLLOW, RARE futimesat(dirfd, path, times))

int
pexcz_vfs_utimensat(int dirfd, const char *path, const struct timespec *times,
                    int flags)
{
    struct pexcz_place place;
    int error = times_error(dirfd, &path, times, flags, &place);

    if (error < 0) {
        return 0;
    }
    return error != 0 ? pexcz_vfs_refuse(error)
                      : RARE utimensat(dirfd, path, times, flags);
}

/* Descriptors are of memfds, which would take the change; the kernel refuses
 * those that only stand for a path. */
#define REFUSED_FD(name, params, next)                                        \
    int pexcz_vfs_##name params                                               \
    {                                                                         \
        struct pexcz_node node;                                               \
                                                                              \
        return pexcz_handle_of_fd(fd, &node) && !pexcz_handle_is_path(fd)     \
                   ? pexcz_vfs_refuse(EROFS)                                  \
                   : next;                                                    \
    }

REFUSED_FD(fchmod, (int fd, mode_t mode), RARE fchmod(fd, mode))
REFUSED_FD(fchown, (int fd, uid_t uid, gid_t gid), RARE fchown(fd, uid, gid))
REFUSED_FD(futimens, (int fd, const struct timespec *times),
           RARE futimens(fd, times))
REFUSED_FD(futimes, (int fd, const struct timeval *times),
           RARE futimes(fd, times))

/* Of a path outside of the tree: 0, or why its directory is not to be had. */
static int
outer_parent_error(int dirfd, const char *path)
{
    char parent[PATH_MAX];
    size_t size = strlen(path);
    struct stat st;
    int saved = errno;
    int error = 0;

    if (size >= sizeof(parent)) {
        return ENAMETOOLONG;
    }
    memcpy(parent, path, size + 1);
    while (size > 1 && parent[size - 1] == '/') {
        size--;
    }
    while (size != 0 && parent[size - 1] != '/') {
        size--;
    }
    (void)memcpy(parent + size, ".", 2);
    if (pexcz_next_fstatat(dirfd, parent, &st, 0) < 0) {
        error = errno;
    }
    errno = saved;
    return error;
}

/*
 * rename(): both parents must exist, the two must lie on one mount, and
 * neither may be its root.
 */
static int
rename_error(int from_dirfd, const char **from, struct pexcz_place *a,
             int to_dirfd, const char **to, struct pexcz_place *b)
{
    int error_a = remove_error(from_dirfd, from, MOVE_FROM, a);
    int error_b = remove_error(to_dirfd, to, MOVE_TO, b);

    if (*from != NULL && *to != NULL && (**from == '\0' || **to == '\0')) {
        return ENOENT;
    }
    if (error_a == 0 && error_b == 0) {
        return 0;
    }
    if (error_a == 0) {
        error_a = outer_parent_error(from_dirfd, *from);
        if (error_a != 0) {
            return error_a;
        }
    }
    else if (error_b == 0 && (error_a == EROFS || error_a == EBUSY)) {
        error_b = outer_parent_error(to_dirfd, *to);
        if (error_b != 0) {
            return error_b;
        }
    }
    if (error_a != 0 && error_a != EROFS && error_a != EBUSY) {
        return error_a;
    }
    if (error_b != 0 && error_b != EROFS && error_b != EBUSY) {
        return error_b;
    }
    if (error_a == 0 || error_b == 0) {
        return EXDEV;
    }
    return error_a == EBUSY || error_b == EBUSY ? EBUSY : EROFS;
}

#define RENAMED(name, params, from_dirfd, to_dirfd, next)                     \
    int pexcz_vfs_##name params                                               \
    {                                                                         \
        struct pexcz_place a;                                                 \
        struct pexcz_place b;                                                 \
        int error = rename_error(from_dirfd, &from, &a, to_dirfd, &to, &b);   \
                                                                              \
        return error != 0 ? pexcz_vfs_refuse(error) : next;                   \
    }

RENAMED(rename, (const char *from, const char *to), AT_FDCWD, AT_FDCWD,
        NEXT rename(from, to))
RENAMED(renameat,
        (int from_dirfd, const char *from, int to_dirfd, const char *to),
        from_dirfd, to_dirfd, RARE renameat(from_dirfd, from, to_dirfd, to))
RENAMED(renameat2,
        (int from_dirfd, const char *from, int to_dirfd, const char *to,
         unsigned flags),
        from_dirfd, to_dirfd,
        pexcz_next_renameat2(from_dirfd, from, to_dirfd, to, flags))

/* link(): what is linked to must exist, then the new name is refused. */
static int
link_error(int from_dirfd, const char **from, struct pexcz_place *a,
           int to_dirfd, const char **to, struct pexcz_place *b,
           enum pexcz_follow follow)
{
    bool from_inside = pexcz_resolve(from_dirfd, from, follow, a);
    int to_error = create_error(to_dirfd, to, CREATE_OTHER, b);
    struct stat st;

    if (from_inside && a->error != 0) {
        return a->error;
    }
    if (to_error != 0 && !from_inside
        && pexcz_next_fstatat(from_dirfd, *from, &st, AT_SYMLINK_NOFOLLOW)
               < 0) {
        return errno;
    }
    if (to_error != 0) {
        return to_error;
    }
    if (!from_inside) {
        return 0;
    }
    to_error = **to == '\0' ? ENOENT : outer_parent_error(to_dirfd, *to);
    if (to_error != 0) {
        return to_error;
    }
    return pexcz_next_fstatat(to_dirfd, *to, &st, AT_SYMLINK_NOFOLLOW) == 0
               ? EEXIST
               : EXDEV;
}

int
pexcz_vfs_linkat(int from_dirfd, const char *from, int to_dirfd,
                 const char *to, int flags)
{
    struct pexcz_place a;
    struct pexcz_place b;
    int error = link_error(from_dirfd, &from, &a, to_dirfd, &to, &b,
                           (flags & AT_SYMLINK_FOLLOW) != 0 ? PEXCZ_FOLLOW
                                                            : PEXCZ_NOFOLLOW);

    return error != 0 ? pexcz_vfs_refuse(error)
                      : RARE linkat(from_dirfd, from, to_dirfd, to, flags);
}

int
pexcz_vfs_link(const char *from, const char *to)
{
    struct pexcz_place a;
    struct pexcz_place b;
    int error
        = link_error(AT_FDCWD, &from, &a, AT_FDCWD, &to, &b, PEXCZ_NOFOLLOW);

    return error != 0 ? pexcz_vfs_refuse(error) : RARE link(from, to);
}
