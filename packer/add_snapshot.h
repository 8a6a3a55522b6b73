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

#include "library_plan.h"
#include "out_file.h"
#include "plan.h"
#include "snapshot_report.h"
#include "snapshot_wish.h"

/*
 * Makes it and appends it to `out`, which holds a whole packed executable and
 * is left so when no snapshot can be made (ret->off; PEXCZ_OK).  `infos`: of
 * each entry of the plan, NULL for what is no shared object; `shared` is made
 * of them.  The descriptor of `out` changes.  Errors: what is wrong with this
 * machine (IO, NOMEM).  The caller frees *ret, which must be zeroed.
 */
PEXCZ_MUST_USE int pexcz_snapshot_add(struct pexcz_out_file *out,
                                      const struct pexcz_plan *plan,
                                      struct pexcz_library_info *const *infos,
                                      const struct pexcz_library_plan *shared,
                                      const struct pexcz_snapshot_wish *wish,
                                      struct pexcz_snapshot_report *ret,
                                      struct pexcz_error *err);

#endif
