/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Warnings about files that are of use to other programs only, which cannot
 * see them in the executable: Java archives, and shell scripts that look for
 * files beside themselves.
 */
#ifndef PEXCZ_OUTSIDE_PROGRAMS_H
#define PEXCZ_OUTSIDE_PROGRAMS_H

#include "plan.h"

/* Adds a line per distribution and kind to plan->warnings; what --files names
 * is left out. */
PEXCZ_MUST_USE int pexcz_outside_programs_warn(struct pexcz_plan *plan,
                                               struct pexcz_error *err);

#endif
