/* SPDX-License-Identifier: Apache-2.0 */
/* What is said about files that are not those of their RECORD. */
#ifndef PEXCZ_RECORD_REPORT_H
#define PEXCZ_RECORD_REPORT_H

#include "plan.h"

/*
 * One line for each distribution that has such files; `differs` has an item
 * for each entry of the plan.  The lines live in `arena`.
 */
PEXCZ_MUST_USE int pexcz_record_report_make(const struct pexcz_plan *plan,
                                            const bool *differs,
                                            struct pexcz_arena *arena,
                                            struct pexcz_strings *ret,
                                            struct pexcz_error *err);

#endif
