/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is mounted, and the numbers that name nodes of the tree.
 *
 * A node code is a 32-bit number for a node: entry and layer, never 0.  It is
 * the same in every process that has the same blobs.
 */
#ifndef PEXCZ_MOUNT_H
#define PEXCZ_MOUNT_H

#include "vfs.h"

/* st_dev of the tree: a minor number that the kernel gives last. */
#define PEXCZ_VFS_DEV_MINOR 0xfffffu

/* NULL before pexcz_vfs_mount(). */
const struct pexcz_tree *pexcz_vfs_tree(void);

/* A path that opens the running executable; never NULL. */
const char *pexcz_vfs_self(void);

/* NULL when none was set. */
const struct pexcz_vfs_libraries *pexcz_vfs_libraries(void);

/* Owner of all entries: who mounted. */
uint32_t pexcz_vfs_uid(void);
uint32_t pexcz_vfs_gid(void);

/* Below 10^9, so that it fits where nanoseconds do. */
uint32_t pexcz_node_code(const struct pexcz_node *node);
bool pexcz_node_of_code(uint32_t code, struct pexcz_node *ret);

#endif
