/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the shared objects of a plan find each other: what ld.so would do with
 * the tree on disk, worked out once.
 *
 * For each object all libraries of the tree that come with it, in the order
 * in which ld.so maps them: DT_NEEDED, breadth first, found by DT_RPATH (also
 * that of whoever loads it) or DT_RUNPATH.  And groups: the objects of one
 * distribution, together with those of others that they need.
 */
#ifndef PEXCZ_LIBRARY_PLAN_H
#define PEXCZ_LIBRARY_PLAN_H

#include "blob_writer.h"
#include "library.h"
#include "plan.h"

/* A name that an object needs and nothing in the tree provides. */
struct pexcz_library_external {
    size_t entry; /* of the plan */
    const char *name;
};

struct pexcz_library_plan {
    struct pexcz_arena arena;
    struct pexcz_library_spec *specs;
    size_t count;
    struct pexcz_library_external *externals;
    size_t external_count;
};

/*
 * `infos` has one item for each entry of the plan, NULL for what is no shared
 * object.  *ret must be zeroed; it borrows from both, and the caller frees it
 * with done(), also after a failure.
 */
PEXCZ_MUST_USE int pexcz_library_plan_make(
    const struct pexcz_plan *plan, struct pexcz_library_info *const *infos,
    struct pexcz_library_plan *ret, struct pexcz_error *err);
void pexcz_library_plan_done(struct pexcz_library_plan *plan);

#endif
