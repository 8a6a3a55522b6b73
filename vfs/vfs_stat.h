/* SPDX-License-Identifier: Apache-2.0 */
/* What stat() and access() say of a node. */
#ifndef PEXCZ_VFS_STAT_H
#define PEXCZ_VFS_STAT_H

#include "tree.h"

#include <sys/stat.h>

/* 0, or -1 and errno (the executable behind a SELF entry is gone). */
int pexcz_node_stat(const struct pexcz_node *node, struct stat *ret);

/* 0 or an errno for `mode` of access(): R_OK, W_OK, X_OK. */
int pexcz_node_access(const struct pexcz_node *node, int mode);

/* DT_REG, DT_DIR, DT_LNK. */
unsigned char pexcz_node_dirent_type(const struct pexcz_node *node);

/* S_IFREG, S_IFDIR, S_IFLNK and the permission bits. */
mode_t pexcz_node_mode(const struct pexcz_node *node);

#endif
