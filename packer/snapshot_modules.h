/* SPDX-License-Identifier: Apache-2.0 */
/* Which modules a snapshot can have.  Private to the making of snapshots. */
#ifndef PEXCZ_SNAPSHOT_MODULES_H
#define PEXCZ_SNAPSHOT_MODULES_H

#include "add_snapshot.h"

struct pexcz_snapshot_making {
    struct pexcz_snapshot_report *report;
    const struct pexcz_plan *plan;
    struct pexcz_library_info *const *infos; /* of the plan's entries */
    const struct pexcz_library_plan *shared;
    const struct pexcz_plan_boot *boot;
    const struct pexcz_snapshot_wish *wish;
    /* Modules that were found to keep a snapshot from being made, with a tab
     * and the reason behind each. */
    struct pexcz_strings failed;
    const char *without; /* why there are no shared objects, or NULL */
    int executable;      /* the packed file, for reading */
    int places; /* memory file: of the first snapshot's blocks, then the list
                   of those that are to lie together */
    bool libraries; /* with shared objects */
    bool standby;   /* with modules on standby */
    bool home;      /* with modules that read $HOME */
    struct pexcz_error *err;
};

/*
 * Runs the packed file in watch of its imports and adds to the report: modules
 * in the order to import, those that are left out, and what a start must find
 * as it is now.  Of several commands, the modules that all import.  `fd` is a
 * memory file for the answers.
 */
PEXCZ_MUST_USE int pexcz_snapshot_modules(struct pexcz_snapshot_making *m,
                                          int fd);

/* Memory files: all of it, which the caller unmaps; and without content. */
PEXCZ_MUST_USE int pexcz_snapshot_map(int fd, struct pexcz_slice *ret,
                                      struct pexcz_error *err);
void pexcz_snapshot_unmap(struct pexcz_slice *map);
PEXCZ_MUST_USE int pexcz_snapshot_empty(int fd, struct pexcz_error *err);

#endif
