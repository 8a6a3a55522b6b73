/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thread-local data of the libraries of the image: a part of the executable's
 * own, so that its place, seen from a thread's pointer, is a constant of the
 * link, and every thread has it from its start.
 */
#ifndef PEXCZ_LIBRARY_TLS_H
#define PEXCZ_LIBRARY_TLS_H

#include "slice.h"

/* Bytes that there are. */
#define PEXCZ_LIBRARY_TLS 4096

/* Takes `size` bytes with the initial content `init`, shorter or of the same
 * size; false when there is no room.  While there is only the main thread. */
bool pexcz_library_tls_take(struct pexcz_slice init, uint64_t size,
                            uint64_t align, uint64_t *ret_offset);

/* What the relocations want: the place of `offset` from the thread's pointer,
 * and in the executable's thread-local data, which is module 1. */
uint64_t pexcz_library_tls_from_thread(uint64_t offset);
uint64_t pexcz_library_tls_in_module(uint64_t offset);

/* The calling thread's bytes that are taken; borrowed. */
struct pexcz_slice pexcz_library_tls_content(void);

/* Sets them, in the main thread of another process.  `init`, NULL for zeros,
 * is what later threads begin with at `offset`. */
bool pexcz_library_tls_set(struct pexcz_slice content);
bool pexcz_library_tls_begin_with(uint64_t offset, struct pexcz_slice init);

#endif
