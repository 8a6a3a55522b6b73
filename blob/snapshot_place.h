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

/* Of a list of blocks that are to lie together: this, and their ordinals
 * (uint32_t) in rising order. */
struct pexcz_place_list {
    uint64_t size; /* bytes that they need */
    uint64_t count;
};

#endif
