/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `--shared-objects adjacent`: OUTPUT.files/so, laid out as a cache.
 */
#ifndef PEXCZ_ADJACENT_FILES_H
#define PEXCZ_ADJACENT_FILES_H

#include "library_plan.h"

/* Writes those files that are not there yet. */
PEXCZ_MUST_USE int
pexcz_adjacent_files_write(const struct pexcz_plan *plan,
                           const struct pexcz_library_plan *libraries,
                           const char *output, struct pexcz_error *err);

/* When the executable is in place: removes what one that was packed to this
 * name before had there. */
PEXCZ_MUST_USE int
pexcz_adjacent_files_clean(const struct pexcz_library_plan *libraries,
                           const char *output, struct pexcz_error *err);

#endif
