/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the executable's code has asked of libc that a snapshot cannot store:
 * thread-specific keys and fork handlers.
 *
 * The link sends pthread_key_create(), pthread_key_delete(), pthread_atfork()
 * and pthread_self() of all our code, libpython and its libraries here
 * (ld --wrap).  The first three go on to libc and are recorded.
 */
#ifndef PEXCZ_PROCESS_FACTS_H
#define PEXCZ_PROCESS_FACTS_H

#include "buf.h"

/* While a snapshot is made, keys get numbers that are free elsewhere, and
 * pthread_self() answers this: an identifier that no
 * thread has, so that none of this process's gets into the snapshot. */
#define PEXCZ_NEUTRAL_THREAD 1

void pexcz_process_be_neutral(void);

/* Appends the table `keys` or `atfork` of snapshot_format.h. */
PEXCZ_MUST_USE int pexcz_process_keys(struct pexcz_buf *out,
                                      struct pexcz_error *err);
PEXCZ_MUST_USE int pexcz_process_atfork(struct pexcz_buf *out,
                                        struct pexcz_error *err);

/* Makes the keys of the table, with their numbers.  False, and none made,
 * when one of the numbers is taken. */
bool pexcz_process_make_keys(struct pexcz_slice table);

/* Registers the handlers of the table. */
void pexcz_process_make_atfork(struct pexcz_slice table);

#endif
