/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adds the heap snapshot to a packed executable: docs/snapshot.md.
 *
 * The executable is run three times: once to see which modules can be in the
 * snapshot (snapshot_trace.py), twice to make it (snapshot_import.py).  The
 * two must be equal byte by byte: what depends on the address space layout,
 * the process number, the time or entropy differs, and there is no snapshot.
 */
#ifndef PEXCZ_SNAPSHOT_ADD_H
#define PEXCZ_SNAPSHOT_ADD_H

#include "out_file.h"
#include "plan.h"
#include "snapshot_wish.h"

/* A module that is not in the snapshot. */
struct pexcz_snapshot_left {
    const char *module;
    const char *cause; /* the module that `reason` is about */
    const char *reason;
};

struct pexcz_snapshot_report {
    struct pexcz_arena arena; /* of the texts */
    uint64_t size;            /* of the snapshot; 0: there is none */
    uint64_t total;           /* of the file, when there is one */
    const char *off;          /* why there is none */
    const char
        *differs; /* "MODULE: …", what keeps it out, the last; or NULL */
    const char *no_libraries; /* why no shared object is in it, or NULL */
    const char *ended; /* the exception that ended the imports, or NULL */
    struct pexcz_strings gate; /* variables that switch it off when set */
    struct pexcz_strings modules;
    struct pexcz_strings cwd;    /* MODULE:NAME, is the working directory */
    struct pexcz_strings absent; /* files that must not be there */
    struct pexcz_snapshot_left *left;
    size_t left_count;
    size_t left_cap;
};

/*
 * Makes it and appends it to `out`, which holds a whole packed executable and
 * is left so when no snapshot can be made (ret->off; PEXCZ_OK).  The
 * descriptor of `out` changes.  Errors: what is wrong with this machine (IO,
 * NOMEM).  The caller frees *ret, which must be zeroed.
 */
PEXCZ_MUST_USE int pexcz_snapshot_add(struct pexcz_out_file *out,
                                      const struct pexcz_plan_boot *boot,
                                      const struct pexcz_snapshot_wish *wish,
                                      struct pexcz_snapshot_report *ret,
                                      struct pexcz_error *err);
void pexcz_snapshot_report_done(struct pexcz_snapshot_report *report);

#endif
