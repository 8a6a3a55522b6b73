/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the executable's code has asked of libc that a snapshot cannot store:
 * thread-specific keys and fork handlers.
 *
 * The link sends pthread_key_create(), pthread_key_delete() and
 * pthread_atfork() of all our code, libpython and its libraries here
 * (ld --wrap); the calls go on to libc and are recorded.
 */
#ifndef PEXCZ_PROCESS_FACTS_H
#define PEXCZ_PROCESS_FACTS_H

#include "buf.h"

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
