/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the packer and the processes that make a snapshot tell each other about
 * where objects lie, in memory files; none of it is in a packed file.
 */
#ifndef PEXCZ_SNAPSHOT_PLACE_H
#define PEXCZ_SNAPSHOT_PLACE_H

#include <stdint.h>

/* Blocks are aligned so. */
#define PEXCZ_PLACE_GRAIN 16u

/* A block of Python's that is in the snapshot; a file of these is in the order
 * of addresses. */
struct pexcz_place {
    uint64_t address;
    uint32_t size;
    uint32_t ordinal; /* number of the allocation, from 1 */
};

/* An attribute that a start has looked up in a class: a str. */
struct pexcz_place_pair {
    uint64_t type; /* addresses */
    uint64_t name;
};

/* Lookups that Python's cache has room for. */
#define PEXCZ_PLACE_PAIRS 4096u

/* What a rehearsal tells: this, and a bit for each grain of the heap that was
 * written to. */
struct pexcz_place_seen {
    uint64_t pair_count;
    struct pexcz_place_pair pairs[PEXCZ_PLACE_PAIRS];
};

/* An object by the block that it lies in, of which the next process knows the
 * number only; or by its address, where that is fixed. */
struct pexcz_place_object {
    uint64_t value;   /* offset in the block; address */
    uint64_t ordinal; /* of the block; 0: address */
};

struct pexcz_place_lookup {
    struct pexcz_place_object type;
    struct pexcz_place_object name;
};

/* Of a list of blocks that are to lie together: this; lookups that the cache
 * is to have; the blocks' ordinals (uint32_t) in rising order. */
struct pexcz_place_list {
    uint64_t size; /* bytes that the blocks need */
    uint64_t count;
    uint64_t lookup_count;
};

#endif
