/* SPDX-License-Identifier: Apache-2.0 */
#include "mount.h"

#include "cwd.h"
#include "trace.h"

#include <stdatomic.h>
#include <unistd.h>

/* Entries are numbered below this bit, layers above it. */
#define LAYER_SHIFT 24
static_assert(PEXCZ_MAX_ENTRIES == UINT32_C(1) << LAYER_SHIFT
                  && (PEXCZ_TREE_LAYERS << LAYER_SHIFT) < 999999999,
              "a node code fits into nanoseconds");

static _Atomic(const struct pexcz_tree *) mounted;
static _Atomic(const char *) self_path;
static _Atomic(const struct pexcz_vfs_libraries *) libraries;
static uid_t owner;
static gid_t group;

void
pexcz_vfs_mount(const struct pexcz_tree *tree)
{
    owner = geteuid();
    group = getegid();
    atomic_store_explicit(&mounted, tree, memory_order_release);
    pexcz_trace_init();
    pexcz_cwd_inherit();
}

void
pexcz_vfs_set_owner(uid_t user, gid_t members)
{
    owner = user;
    group = members;
}

void
pexcz_vfs_unmount(void)
{
    pexcz_cwd_set(NULL);
    atomic_store_explicit(&mounted, NULL, memory_order_release);
}

const struct pexcz_tree *
pexcz_vfs_tree(void)
{
    return atomic_load_explicit(&mounted, memory_order_acquire);
}

void
pexcz_vfs_set_self(const char *path)
{
    atomic_store_explicit(&self_path, path, memory_order_release);
}

const char *
pexcz_vfs_self(void)
{
    const char *path = atomic_load_explicit(&self_path, memory_order_acquire);

    return path != NULL ? path : "/proc/self/exe";
}

void
pexcz_vfs_set_libraries(const struct pexcz_vfs_libraries *value)
{
    atomic_store_explicit(&libraries, value, memory_order_release);
}

const struct pexcz_vfs_libraries *
pexcz_vfs_libraries(void)
{
    return atomic_load_explicit(&libraries, memory_order_acquire);
}

uint32_t
pexcz_vfs_uid(void)
{
    return owner;
}

uint32_t
pexcz_vfs_gid(void)
{
    return group;
}

uint32_t
pexcz_node_code(const struct pexcz_node *node)
{
    const struct pexcz_tree *tree = pexcz_vfs_tree();
    uint32_t layer = 0;

    while (layer < tree->layer_count && tree->layers[layer] != node->blob) {
        layer++;
    }
    return (layer << LAYER_SHIFT | node->entry.index) + 1;
}

bool
pexcz_node_of_code(uint32_t code, struct pexcz_node *ret)
{
    const struct pexcz_tree *tree = pexcz_vfs_tree();
    uint32_t layer = (code - 1) >> LAYER_SHIFT;
    uint32_t index = (code - 1) & ((UINT32_C(1) << LAYER_SHIFT) - 1);

    if (code == 0 || tree == NULL || layer >= tree->layer_count
        || pexcz_blob_entry(tree->layers[layer], index, &ret->entry, NULL)
               < 0) {
        return false;
    }
    ret->blob = tree->layers[layer];
    return true;
}
