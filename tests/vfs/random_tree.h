/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A random tree, twice: mounted by vfs/ under PEXCZ_PREFIX, and as a read-only
 * tmpfs.  Needs a mount namespace, which it makes for the process.
 */
#ifndef PEXCZ_RANDOM_TREE_H
#define PEXCZ_RANDOM_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TREE_MAX_ENTRIES 400u

struct tree_entry {
    char path[1024];   /* below the root, without a leading slash */
    char target[1100]; /* of a link, as the tree has it */
    int kind;          /* enum pexcz_entry_kind */
    unsigned mode;
    size_t size;
};

struct random_tree {
    struct tree_entry entries[TREE_MAX_ENTRIES];
    size_t count;
    const char *folder; /* of the caller; the copy is there for this process */
    unsigned user;      /* that the calls are made by, 0: root */
    char disk[1024];    /* root of the copy */
};

/* xorshift64*: the same numbers on every machine. */
static inline uint32_t
random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)(*state * UINT64_C(2685821657736338717) >> 32);
}

static inline uint32_t
random_below(uint64_t *state, uint32_t n)
{
    return random_next(state) % n;
}

/* With tree->folder and tree->user set.  False: no mount namespace is to be
 * had. */
bool random_tree_make(struct random_tree *tree, uint64_t *state);
void random_tree_done(void);

#endif
