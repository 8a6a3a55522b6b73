/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rehearsed start: how the packer finds out which objects of a snapshot a
 * start writes to, so that these can lie together (heap_places.h).
 *
 *   //pexcz/rehearsal KIND SCRIPT ARGV0 ARGUMENT…
 *
 * is a start of the executable as ARGV0 ARGUMENT… from the snapshot in
 * descriptor 3.  KIND is "application", or "script": then the Python text
 * SCRIPT runs in place of the application's own code.  Descriptor 4 is the
 * table of the snapshot's blocks (snapshot_place.h).  The file of descriptor 5
 * gets what was seen: a bit for each grain of the heap that was written to, of
 * blocks of the table only; and what was looked up in classes.
 */
#ifndef PEXCZ_SNAPSHOT_REHEARSAL_H
#define PEXCZ_SNAPSHOT_REHEARSAL_H

#include "locate.h"

#define PEXCZ_REHEARSAL_PROGRAM "//pexcz/rehearsal"

/* If the process is one, takes its arguments off the command line and begins
 * to watch.  Ends the process with a line on stderr when that cannot be. */
bool pexcz_rehearsal_begin(struct pexcz_located *located, int *argc,
                           char ***argv);

/* Before an exit; nothing if the process is none. */
void pexcz_rehearsal_note_lookups(void);

/* Watches no longer. */
void pexcz_rehearsal_end(void);

/* Whether the script is to run and not the application's code. */
bool pexcz_rehearsal_has_script(void);
int pexcz_rehearsal_run_script(void); /* 0: it does not matter how it ends */

#endif
