/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thread-local data of the libraries of the image.
 *
 * Little of it is part of the executable's own, so that its place, seen from a
 * thread's pointer, is a constant of the link, and every thread has it from
 * its start.  More of it each thread gets when it first asks, as from ld.so:
 * the main thread's is in the image then, behind the library.
 */
#ifndef PEXCZ_LIBRARY_TLS_H
#define PEXCZ_LIBRARY_TLS_H

#include "buf.h"
#include "library_elf.h"
#include "snapshot_format.h"

/* Bytes of the executable's that there are. */
#define PEXCZ_LIBRARY_TLS 4096

/* Whether a library with this file is to have data of its own, and how many
 * whole pages of addresses that takes. */
bool pexcz_library_tls_is_own(const struct pexcz_library_elf *file);
uint64_t pexcz_library_tls_span(const struct pexcz_library_elf *file);

/* Takes bytes of the executable's, or begins the main thread's own data at
 * library->tls_block; false when there is no room.  While there is only the
 * main thread. */
bool pexcz_library_tls_take(const struct pexcz_library_elf *file,
                            struct pexcz_snapshot_library *library);
/* What they begin with, in the main thread and in others, once the library is
 * relocated: there may be addresses in it.  False when one of them is set
 * anew in each process. */
bool pexcz_library_tls_fill(const struct pexcz_snapshot_library *library);
/* How many bytes are taken; back to fewer. */
uint64_t pexcz_library_tls_taken(void);
void pexcz_library_tls_give_back(uint64_t taken);

/* What the relocations want for `offset` of library `number`'s data: the place
 * from the thread's pointer, the module, and the offset in the module. */
uint64_t pexcz_library_tls_from_thread(size_t number, uint64_t offset);
uint64_t pexcz_library_tls_module(size_t number);
uint64_t pexcz_library_tls_in_module(size_t number, uint64_t offset);

/* In the place of ld.so's __tls_get_addr(). */
void *pexcz_library_tls_get_addr(const uint64_t module_and_offset[2]);

/* The calling thread's part of the executable's that one library has;
 * borrowed. */
struct pexcz_slice
pexcz_library_tls_own(const struct pexcz_snapshot_library *library);

/* What all libraries have of it, for a snapshot.  Words that hold an address
 * in it (such as that of an object in the object itself) are offsets; the
 * second one writes where these words are. */
int pexcz_library_tls_write(struct pexcz_buf *out,
                            struct pexcz_error *err) PEXCZ_MUST_USE;
int pexcz_library_tls_inner_write(struct pexcz_buf *out,
                                  struct pexcz_error *err) PEXCZ_MUST_USE;

/* Sets them, in the main thread of another process; its own data is in place.
 * Then for each library: what later threads begin with. */
bool pexcz_library_tls_set(struct pexcz_slice content,
                           struct pexcz_slice inner);
bool
pexcz_library_tls_begin_threads(const struct pexcz_snapshot_library *library);

#endif
