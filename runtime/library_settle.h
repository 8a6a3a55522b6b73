/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words that shared objects leave in memory and that mean nothing in another
 * process, or something else.
 */
#ifndef PEXCZ_LIBRARY_SETTLE_H
#define PEXCZ_LIBRARY_SETTLE_H

#include "error.h"

#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Calls function(argument), which must not return, on a stack at a fixed
 * address, with fixed canaries: what is left over of dead frames, in padding
 * and in memory that nobody initialised, is known then.  The `second` process
 * that makes the snapshot has it elsewhere: what they take for such an address
 * and is data, is seen to differ.
 */
_Noreturn void pexcz_library_settle_begin(bool second,
                                          void (*function)(void *),
                                          void *argument);

/* Clears what dead frames have left on that stack: addresses of the loader,
 * which would show in padding that is copied from there. */
void pexcz_library_settle_stack(void);

/* A word without what is left over of dead frames. */
uint64_t pexcz_library_settled(uint64_t word);

/* From now on a word that is `locale`, a constant of libc, is set at start. */
void pexcz_library_settle_locale(locale_t locale);

/* In the place of libc's. */
pid_t pexcz_library_gettid(void);

/*
 * Before the pages are collected.  Compilers copy padding, so the upper bytes
 * of a word may be left over from an address in a frame that has returned:
 * they are cleared, the lowest byte stays (a tag, as in Rust's enums).  So are
 * return addresses into libc, which are no pointers to functions.  Words that
 * hold the thread's number are noted, to be set at start.
 */
PEXCZ_MUST_USE int pexcz_library_settle(uint64_t heap_end,
                                        struct pexcz_error *err);

#endif
