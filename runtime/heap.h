/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process's malloc: glibc's, and during the making of a snapshot a heap
 * at fixed addresses.
 *
 * The executable defines the malloc family for itself and for every shared
 * object.  Outside of a snapshot's making each call is handed on to glibc, so
 * speed, fragmentation and behaviour between threads and forks are glibc's
 * own.  While a snapshot is made, what the executable asks for comes from
 * PEXCZ_ADDR_SNAPSHOT upwards, and so do Python's arenas; what libc and ld.so
 * ask for themselves stays in glibc's heap, which is not stored.
 *
 * In a restored process the blocks of the snapshot are never reused by
 * malloc: free() of one does nothing, realloc() copies it out.  Python's
 * arenas in it are used on as if they had just been allocated.
 */
#ifndef PEXCZ_HEAP_H
#define PEXCZ_HEAP_H

#include "error.h"
#include "snapshot_place.h"

#include <stdbool.h>
#include <stdint.h>

/* Reserves the addresses and sends allocations there, Python's arenas as
 * well; before Python starts.  `together`: bytes for blocks that are to lie
 * together (heap_places.h).  False when the addresses are not free. */
bool pexcz_heap_begin(uint64_t together);

/* Before that: records where Python's blocks lie.  When no more is allocated:
 * writes it. */
PEXCZ_MUST_USE int pexcz_heap_record(struct pexcz_error *err);
PEXCZ_MUST_USE int pexcz_heap_write_places(int fd, struct pexcz_error *err);

/* Calls `visit` for what starts look up in classes (heap_places.h). */
PEXCZ_MUST_USE int
pexcz_heap_each_lookup(void (*visit)(const struct pexcz_place_pair *pair),
                       struct pexcz_error *err);

/* From now on code in this range is served from the snapshot's heap as well:
 * a library of the system that works for those of the image. */
void pexcz_heap_serve(uint64_t start, uint64_t size);

/* Sends allocations to memory that is not stored, and back again: of what is
 * made anew in each process.  Its address is another one each time. */
void pexcz_heap_divert(bool on);

/* All of that memory which was handed out so far. */
void pexcz_heap_diverted(uint64_t *ret_start, uint64_t *ret_end);

/* Clears free blocks: what was freed there would show in the padding of new
 * objects, and differ from one dump to the next. */
void pexcz_heap_clear_free(void);

/* Sends allocations to glibc again, takes or clears free blocks, and returns
 * the address behind the last byte that must be stored. */
uint64_t pexcz_heap_end(void);

/* The snapshot's heap, which ends at `end`, is there. */
void pexcz_heap_adopt(uint64_t end);

#endif
