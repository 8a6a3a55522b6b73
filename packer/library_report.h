/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the shared objects ask of the machine on which the result runs.
 */
#ifndef PEXCZ_LIBRARY_REPORT_H
#define PEXCZ_LIBRARY_REPORT_H

#include "library_plan.h"

struct pexcz_library_report {
    struct pexcz_strings lines;    /* one for each object, for --verbose */
    struct pexcz_strings warnings; /* names that neither the packed file nor
                                      every machine provides */
    /* The highest of each family over all objects; NULL: none. */
    const char *highest[PEXCZ_FAMILY_COUNT];
};

/* Whether every machine has the library. */
bool pexcz_library_is_everywhere(const char *name);

/*
 * UNSUPPORTED for an object that wants an executable stack or text
 * relocations, unless its file name is in `allowed`.  Strings live in `arena`
 * and in `infos`.
 */
PEXCZ_MUST_USE int pexcz_library_report_make(
    const struct pexcz_plan *plan, struct pexcz_library_info *const *infos,
    const struct pexcz_library_plan *libraries, const char *const *allowed,
    size_t allowed_count, struct pexcz_arena *arena,
    struct pexcz_library_report *ret, struct pexcz_error *err);

#endif
