/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which objects of a snapshot are to lie together: those that a start writes
 * to, so that it copies few pages.  Private to the making of snapshots.
 */
#ifndef PEXCZ_SNAPSHOT_PLACES_H
#define PEXCZ_SNAPSHOT_PLACES_H

#include "snapshot_modules.h"

/*
 * Rehearses starts from the snapshot in the memory file `snapshot`, with
 * --snapshot-warm the application's runs as well, and puts the list into
 * m->places, which has the places of the snapshot's blocks.  Errors are those
 * of pexcz_snapshot_process_rehearse(), of the first rehearsal only.
 */
PEXCZ_MUST_USE int pexcz_snapshot_list_places(struct pexcz_snapshot_making *m,
                                              int snapshot);

#endif
