/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared objects that a process would have twice: once from the snapshot, and
 * once more by ld.so, which does not know of that one, for an object that is
 * loaded later.  What the library keeps (Qt's application, GDAL's drivers)
 * would be in one of the two only.
 */
#ifndef PEXCZ_LIBRARY_TWICE_H
#define PEXCZ_LIBRARY_TWICE_H

#include "library.h"
#include "plan.h"
#include "snapshot_format.h"

/*
 * Whether `libraries` of a snapshot hold one that an object of the plan needs
 * that is not among them.  Then *ret is its number and *ret_by the entry of
 * that object.  `infos` has one item for each entry of the plan, NULL for what
 * is no shared object.  Libraries that only compute do not count.
 */
bool pexcz_library_is_twice(const struct pexcz_plan *plan,
                            struct pexcz_library_info *const *infos,
                            const struct pexcz_snapshot_library *libraries,
                            size_t count, size_t *ret,
                            const struct pexcz_plan_entry **ret_by);

#endif
