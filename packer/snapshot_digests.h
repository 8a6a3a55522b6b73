/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the imports of a snapshot, and compares what they leave behind by
 * module (snapshot_digest.py).  Private to the making of snapshots.
 */
#ifndef PEXCZ_SNAPSHOT_DIGESTS_H
#define PEXCZ_SNAPSHOT_DIGESTS_H

#include "snapshot_modules.h"

/* Makes the first or the second snapshot, in the memory file `fd`; `places`:
 * what is done with m->places (runtime/snapshot.h), or NULL. */
PEXCZ_MUST_USE int pexcz_snapshot_dump(const struct pexcz_snapshot_making *m,
                                       bool second, const char *places,
                                       int fd);

/*
 * For two snapshots that differ, which m->err tells: runs the imports twice
 * more to find the module that keeps what differs; *ret_module: NULL when it
 * cannot be told.  The content of the memory files is lost.  Returns
 * UNSUPPORTED.
 */
int pexcz_snapshot_find_difference(struct pexcz_snapshot_making *m, int first,
                                   int second, const char **ret_module);

/* UNSUPPORTED when the imports come to something else with another home; then
 * *ret_module is the module that keeps it. */
PEXCZ_MUST_USE int pexcz_snapshot_try_homes(struct pexcz_snapshot_making *m,
                                            const char **ret_module);

#endif
