/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heap snapshot: Python as it is when the application's imports are done,
 * made once by `pexcz pack`, mapped at every start.  docs/snapshot.md.
 *
 * The ordinary boot is the meaning of record.  A process that could tell the
 * difference boots ordinarily, silently.
 */
#ifndef PEXCZ_SNAPSHOT_H
#define PEXCZ_SNAPSHOT_H

#include "locate.h"
#include "pyconfig.h"

/*
 * How the packer starts an executable to make its snapshot:
 *
 *   //pexcz/snapshot FD PLACES GATE SCRIPT ARGUMENT…
 *
 * Goes to the folder /, boots the application up to its .pth files and runs
 * the Python text SCRIPT with `arguments`, the rest of the command line, and
 * `startup`, a function that runs the lines of .pth files and the like; then
 * writes the snapshot to the descriptor FD.  With FD "-" it ends with the
 * script.  With ",python" behind FD no shared object is loaded into it. PLACES
 * is "record" (the places of blocks are written to descriptor 4), "use" (the
 * list of blocks there is to lie together; heap_places.h) or empty.  GATE,
 * names joined by commas, are variables that the snapshot depends on.
 */
#define PEXCZ_SNAPSHOT_PROGRAM "//pexcz/snapshot"

/* What sys.executable and sys.argv[0] are while a snapshot is made. */
#define PEXCZ_SNAPSHOT_EXECUTABLE "//pexcz/executable"
#define PEXCZ_SNAPSHOT_ARGV0 "/pexcz/program"

#define PEXCZ_PLACES_FD 4
enum pexcz_places {
    PEXCZ_PLACES_NONE,
    PEXCZ_PLACES_RECORD,
    PEXCZ_PLACES_USE,
};

/* The steps of making one, in order; begin() before Python is touched. */
PEXCZ_MUST_USE int pexcz_snapshot_begin(enum pexcz_places places,
                                        struct pexcz_error *err);
void pexcz_snapshot_need_encoding(void); /* likewise: a locale of UTF-8 */
void pexcz_snapshot_need_cwd(void); /* at any time before the last: there must
                                     * be one */
PEXCZ_MUST_USE int pexcz_snapshot_write(const struct pexcz_located *located,
                                        int fd, struct pexcz_error *err);

/*
 * Python from the snapshot, as after pexcz_python_start() and
 * pexcz_app_site(): 1.  0: boot ordinarily; nothing was changed but what a
 * preinitialisation changes.  -1: with an exception, the application's, as
 * after one of its imports.  `argv0`: sys.argv[0].
 */
int pexcz_snapshot_restore(const struct pexcz_located *located,
                           const struct pexcz_python_options *options,
                           const char *argv0);

#endif
