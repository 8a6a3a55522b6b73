/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of Python's blocks lie where in a snapshot's heap.
 *
 * Imports ask for the same blocks in the same order each time, so a block is
 * known by its number.  One process records the numbers of those that are
 * there in the end; the packer finds out which of them a start writes to; and
 * the next process puts these side by side.  Were the order another one, some
 * blocks would lie where they do not help.
 */
#ifndef PEXCZ_HEAP_PLACES_H
#define PEXCZ_HEAP_PLACES_H

#include "error.h"
#include "snapshot_place.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Records for addresses from `start` to `end`. */
PEXCZ_MUST_USE int pexcz_places_record(uint64_t start, uint64_t end,
                                       struct pexcz_error *err);

/* The list in the file `fd` counts; *ret_size: bytes that its blocks need. */
PEXCZ_MUST_USE int pexcz_places_use(int fd, uint64_t *ret_size,
                                    struct pexcz_error *err);

/* Calls `visit` for the lookups of the list whose blocks were recorded and are
 * there, below `end`. */
PEXCZ_MUST_USE int
pexcz_places_each_lookup(uint64_t end,
                         void (*visit)(const struct pexcz_place_pair *pair),
                         struct pexcz_error *err);

/* Another allocation; true: it is of the list. */
bool pexcz_places_next(void);

/* The last allocation has this address; that one is free again. */
void pexcz_places_note(const void *p);
void pexcz_places_forget(const void *p);

/* What was recorded, to the file `fd`; `size_of` tells the size of a block. */
PEXCZ_MUST_USE int pexcz_places_write(int fd, uint64_t end,
                                      size_t (*size_of)(const void *p),
                                      struct pexcz_error *err);

#endif
