/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What imports make of the kernel's version.
 *
 * They compare it with others and keep the outcome.  The two processes that
 * make a snapshot see the ends of a range of versions, and another name of the
 * machine: if the snapshots are equal, it is good for the range.
 */
#ifndef PEXCZ_SNAPSHOT_KERNEL_H
#define PEXCZ_SNAPSHOT_KERNEL_H

#include <stdbool.h>

/* Imports have asked for it, in the process that makes a snapshot.  Returns
 * the version that they are told. */
const char *pexcz_snapshot_kernel_ask(void);
bool pexcz_snapshot_kernel_was_asked(void);

/* `second`: the process is the second one. */
void pexcz_snapshot_kernel_begin(bool second);

/* Whether this kernel is in the range. */
bool pexcz_snapshot_kernel_is_usual(void);

#endif
