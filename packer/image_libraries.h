/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which shared objects may become part of the heap snapshot: their code is
 * mapped from the executable then, so they are stored as they are.
 */
#ifndef PEXCZ_IMAGE_LIBRARIES_H
#define PEXCZ_IMAGE_LIBRARIES_H

#include "plan.h"

/*
 * Sets raw[i] for shared objects of a distribution of which something is
 * imported on the way to the entry point (`hot`), and of user code, and those
 * beside the packages.  All of them, if a script is the entry point, or the
 * application is run for the snapshot (`is_run`): what is imported then is not
 * known.  Both have plan->entry_count items; raw is zeroed by the caller.
 */
void pexcz_image_libraries(const struct pexcz_plan *plan, bool is_run,
                           const bool *hot, bool *raw);

/* Bytes of those that a snapshot with the libraries `used` has no use for, and
 * raw[] without them. */
uint64_t pexcz_image_libraries_spare(const struct pexcz_plan *plan,
                                     const struct pexcz_strings *used,
                                     const bool *raw);
void pexcz_image_libraries_keep(const struct pexcz_plan *plan,
                                const struct pexcz_strings *used, bool *raw);

#endif
