/* SPDX-License-Identifier: Apache-2.0 */
#include "cwd.h"
#include "handle.h"
#include "place.h"
#include "vfs_calls.h"
#include "vfs_stat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

/* The kernel's own directory goes to "/", where a relative name that slips
 * through finds nothing of the user's. */
static int
enter(const struct pexcz_node *node)
{
    int error = node->entry.kind == PEXCZ_KIND_DIR
                    ? pexcz_node_access(node, X_OK)
                    : ENOTDIR;

    if (error != 0) {
        return pexcz_vfs_refuse(error);
    }
    if (pexcz_next()->chdir("/") < 0) {
        return -1;
    }
    pexcz_cwd_set(node);
    return 0;
}

int
pexcz_vfs_chdir(const char *path)
{
    struct pexcz_place place;
    int rc;

    if (pexcz_resolve(AT_FDCWD, &path, PEXCZ_FOLLOW, &place)) {
        return place.error != 0 ? pexcz_vfs_refuse(place.error)
                                : enter(&place.node);
    }
    rc = pexcz_next()->chdir(path);
    if (rc == 0) {
        pexcz_cwd_set(NULL);
    }
    return rc;
}

int
pexcz_vfs_fchdir(int fd)
{
    struct pexcz_node node;
    int rc;

    if (pexcz_handle_of_dirfd(fd, &node)) {
        return enter(&node);
    }
    rc = pexcz_next()->fchdir(fd);
    if (rc == 0) {
        pexcz_cwd_set(NULL);
    }
    return rc;
}

/* The full path of the directory; 0 when it is the kernel's, or when it does
 * not fit, which cannot be. */
static size_t
virtual_cwd(char *dst, size_t cap)
{
    struct pexcz_place place;
    struct pexcz_node node;

    if (!pexcz_cwd_get(&node)) {
        return 0;
    }
    pexcz_place_of(&node, &place);
    return pexcz_place_full_path(&place, dst, cap);
}

/* As glibc: buf NULL allocates, `size` bytes or as many as needed. */
char *
pexcz_vfs_getcwd(char *buf, size_t size)
{
    char path[PATH_MAX];
    size_t length = virtual_cwd(path, sizeof(path));

    if (length == 0) {
        return pexcz_next()->getcwd(buf, size);
    }
    if (buf != NULL && size == 0) {
        errno = EINVAL;
        return NULL;
    }
    if (size != 0 && size <= length) {
        errno = ERANGE;
        return NULL;
    }
    if (buf == NULL) {
        buf = malloc(size != 0 ? size : length + 1);
        if (buf == NULL) {
            return NULL;
        }
    }
    return memcpy(buf, path, length + 1);
}

char *
pexcz_vfs_get_current_dir_name(void)
{
    char path[PATH_MAX];

    return virtual_cwd(path, sizeof(path)) != 0
               ? strdup(path)
               : pexcz_rare()->get_current_dir_name();
}

char *
pexcz_vfs_getwd(char *buf)
{
    char path[PATH_MAX];
    size_t length = virtual_cwd(path, sizeof(path));

    return length != 0 ? memcpy(buf, path, length + 1)
                       : pexcz_rare()->getwd(buf);
}
