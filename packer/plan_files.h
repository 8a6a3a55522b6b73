/* SPDX-License-Identifier: Apache-2.0 */
/* --files: distributions that are to have real files (PEXCZ_BOOT_FILES). */
#ifndef PEXCZ_PLAN_FILES_H
#define PEXCZ_PLAN_FILES_H

#include "plan.h"

/*
 * Fills plan->boot.files and .file_modules for the distributions `names`, as
 * a user spells them.  NOT_FOUND: none of that name was chosen.
 */
PEXCZ_MUST_USE int pexcz_plan_files(struct pexcz_plan *plan,
                                    const struct pexcz_plan_source *sources,
                                    size_t count, const char *const *names,
                                    size_t name_count,
                                    struct pexcz_error *err);

#endif
