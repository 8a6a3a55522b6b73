/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which modules of a plan are imported on the way to its entry point.
 *
 * An estimate from the IMPORT_NAME instructions of the compiled modules: what
 * runs when a module is imported counts, what functions import later counts
 * for the first module only.  It decides about storage (raw or compressed),
 * never about behaviour, so it may be wrong in both directions.
 */
#ifndef PEXCZ_IMPORT_CLOSURE_H
#define PEXCZ_IMPORT_CLOSURE_H

#include "compile.h"

/*
 * Sets hot[i] for each entry that is such a module.  `roots` are dotted names,
 * `search_path` holds folders under the root.  `compiled` and `hot` have
 * plan->entry_count items; hot is zeroed by the caller.  What they import that
 * is not in the plan is appended to *outside, as lines "NAME FROM,FROM".
 */
PEXCZ_MUST_USE int pexcz_import_closure(
    const struct pexcz_plan *plan, const struct pexcz_strings *search_path,
    const struct pexcz_compiled *compiled, const struct pexcz_strings *roots,
    bool *hot, struct pexcz_buf *outside, struct pexcz_error *err);

#endif
