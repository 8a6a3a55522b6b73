/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes: there are none, and none can be set. */
#include "handle.h"
#include "place.h"
#include "vfs_calls.h"
#include "vfs_stat.h"

#include <errno.h>
#include <fcntl.h>

/* The right to read is asked before it is looked for a user's attribute. */
static ssize_t
no_attribute(const struct pexcz_node *node, const char *name)
{
    int error = name != NULL && strncmp(name, "user.", 5) == 0
                    ? pexcz_node_access(node, R_OK)
                    : 0;

    return pexcz_vfs_refuse(error != 0 ? error : ENODATA);
}

/* `none` is the answer for a file without attributes. */
#define BY_PATH(ret, name, params, follow, none, next)                        \
    ret pexcz_vfs_##name params                                               \
    {                                                                         \
        struct pexcz_place place;                                             \
                                                                              \
        if (!pexcz_resolve(AT_FDCWD, &path, follow, &place)) {                \
            return pexcz_rare()->next;                                        \
        }                                                                     \
        return place.error != 0 ? pexcz_vfs_refuse(place.error) : none;       \
    }

#define BY_FD(ret, name, params, none, next)                                  \
    ret pexcz_vfs_##name params                                               \
    {                                                                         \
        struct pexcz_node node;                                               \
                                                                              \
        return pexcz_handle_of_fd(fd, &node) && !pexcz_handle_is_path(fd)     \
                   ? none                                                     \
                   : pexcz_rare()->next;                                      \
    }

BY_PATH(int, setxattr,
        (const char *path, const char *name, const void *value, size_t size,
         int flags),
        PEXCZ_FOLLOW, pexcz_vfs_refuse(EROFS),
        setxattr(path, name, value, size, flags))
BY_PATH(int, lsetxattr,
        (const char *path, const char *name, const void *value, size_t size,
         int flags),
        PEXCZ_NOFOLLOW, pexcz_vfs_refuse(EROFS),
        lsetxattr(path, name, value, size, flags))
BY_FD(int, fsetxattr,
      (int fd, const char *name, const void *value, size_t size, int flags),
      pexcz_vfs_refuse(EROFS), fsetxattr(fd, name, value, size, flags))

BY_PATH(ssize_t, getxattr,
        (const char *path, const char *name, void *value, size_t size),
        PEXCZ_FOLLOW, no_attribute(&place.node, name),
        getxattr(path, name, value, size))
BY_PATH(ssize_t, lgetxattr,
        (const char *path, const char *name, void *value, size_t size),
        PEXCZ_NOFOLLOW, no_attribute(&place.node, name),
        lgetxattr(path, name, value, size))
BY_FD(ssize_t, fgetxattr, (int fd, const char *name, void *value, size_t size),
      pexcz_vfs_refuse(ENODATA), fgetxattr(fd, name, value, size))

BY_PATH(ssize_t, listxattr, (const char *path, char *list, size_t size),
        PEXCZ_FOLLOW, 0, listxattr(path, list, size))
BY_PATH(ssize_t, llistxattr, (const char *path, char *list, size_t size),
        PEXCZ_NOFOLLOW, 0, llistxattr(path, list, size))
BY_FD(ssize_t, flistxattr, (int fd, char *list, size_t size), 0,
      flistxattr(fd, list, size))

BY_PATH(int, removexattr, (const char *path, const char *name), PEXCZ_FOLLOW,
        pexcz_vfs_refuse(EROFS), removexattr(path, name))
BY_PATH(int, lremovexattr, (const char *path, const char *name),
        PEXCZ_NOFOLLOW, pexcz_vfs_refuse(EROFS), lremovexattr(path, name))
BY_FD(int, fremovexattr, (int fd, const char *name), pexcz_vfs_refuse(EROFS),
      fremovexattr(fd, name))
