/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a packed executable in the role that makes snapshots
 * (runtime/snapshot.h).
 */
#ifndef PEXCZ_SNAPSHOT_PROCESS_H
#define PEXCZ_SNAPSHOT_PROCESS_H

#include "buf.h"
#include "snapshot_wish.h"

#include <stdbool.h>

/* How long the imports of an application may take, seconds. */
#define PEXCZ_SNAPSHOT_TIMEOUT 300

struct pexcz_snapshot_process {
    int executable; /* descriptor, open for reading only */
    bool dump;      /* write the snapshot to descriptor 3 */
    bool libraries; /* shared objects may be in it */
    bool second;    /* the second of two, which sees another machine */
    /* What is done with `places_file` (runtime/snapshot.h), or NULL. */
    const char *places;
    int places_file;
    const struct pexcz_snapshot_wish *wish;
    const char *home; /* $HOME; NULL: that of snapshots */
    const char *gate; /* names joined by commas */
    const char *script;
    const char *const *args;
    size_t arg_count;
};

/*
 * Runs it in a fixed environment, in the folder "/"; descriptor 3 is `fd`, for
 * the snapshot or the script's answer.  Errors: IO when it cannot be run;
 * UNSUPPORTED when it ends with a failure, with the last line that it wrote to
 * stderr.
 */
PEXCZ_MUST_USE int
pexcz_snapshot_process_run(const struct pexcz_snapshot_process *process,
                           int fd, struct pexcz_error *err);

/*
 * Starts it from a snapshot that is not yet a part of it and notes where that
 * is written to (runtime/snapshot_rehearsal.h); `files`: the snapshot, the
 * table of its blocks, what was written to.  With `line` the application runs,
 * with the arguments in it; NULL: the Python text `script` in its place.
 * Errors as above, but that the application may end as it likes, unless by a
 * signal.
 */
PEXCZ_MUST_USE int pexcz_snapshot_process_rehearse(
    int executable, const struct pexcz_snapshot_wish *wish, const char *name,
    const char *script, const char *line, const int files[3],
    struct pexcz_error *err);

#endif
