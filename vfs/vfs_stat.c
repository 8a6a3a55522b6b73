/* SPDX-License-Identifier: Apache-2.0 */
#include "vfs_stat.h"

#include "libc_next.h"
#include "mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>

mode_t
pexcz_node_mode(const struct pexcz_node *node)
{
    mode_t type = S_IFREG;

    if (node->entry.kind == PEXCZ_KIND_DIR) {
        type = S_IFDIR;
    }
    else if (node->entry.kind == PEXCZ_KIND_SYMLINK) {
        type = S_IFLNK;
    }
    return type | node->entry.mode;
}

int
pexcz_node_stat(const struct pexcz_node *node, struct stat *ret)
{
    const struct pexcz_entry *e = &node->entry;

    /* Opening it gives the executable, so stat and fstat agree. */
    if (e->kind == PEXCZ_KIND_SELF) {
        return pexcz_next_fstatat(AT_FDCWD, pexcz_vfs_self(), ret, 0);
    }
    memset(ret, 0, sizeof(*ret));
    ret->st_dev = makedev(0, PEXCZ_VFS_DEV_MINOR);
    ret->st_ino = pexcz_node_ino(node);
    ret->st_mode = pexcz_node_mode(node);
    /* 1 for a directory: its subdirectories are not counted. */
    ret->st_nlink = 1;
    ret->st_uid = pexcz_vfs_uid();
    ret->st_gid = pexcz_vfs_gid();
    ret->st_size = e->kind == PEXCZ_KIND_DIR ? 4096 : (off_t)e->size;
    ret->st_blksize = 4096;
    ret->st_blocks = (ret->st_size + 511) / 512;
    ret->st_mtim.tv_sec = e->mtime;
    ret->st_mtim.tv_nsec = (long)e->mtime_nsec;
    ret->st_atim = ret->st_mtim;
    ret->st_ctim = ret->st_mtim;
    return 0;
}

int
pexcz_node_access(const struct pexcz_node *node, int mode)
{
    const struct pexcz_entry *e = &node->entry;
    bool root = pexcz_vfs_uid() == 0;
    unsigned x = root ? 0111 : 0100;

    if ((mode & W_OK) != 0) {
        return EROFS;
    }
    if (e->kind == PEXCZ_KIND_SYMLINK || e->kind == PEXCZ_KIND_SELF) {
        return 0;
    }
    if ((mode & R_OK) != 0 && !root && (e->mode & 0400) == 0) {
        return EACCES;
    }
    if ((mode & X_OK) != 0 && (e->mode & x) == 0
        && !(root && e->kind == PEXCZ_KIND_DIR)) {
        return EACCES;
    }
    return 0;
}

unsigned char
pexcz_node_dirent_type(const struct pexcz_node *node)
{
    switch (node->entry.kind) {
    case PEXCZ_KIND_DIR:
        return DT_DIR;
    case PEXCZ_KIND_SYMLINK:
        return DT_LNK;
    case PEXCZ_KIND_FILE:
    case PEXCZ_KIND_SELF:
        break;
    }
    return DT_REG;
}
