/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PEXes that become one executable, as PEX_PATH merges them at start: the
 * first says how to run, each of the others is resolved by itself and adds its
 * distributions and user code.  Where two have the same project, the former's
 * is used.
 */
#ifndef PEXCZ_PEX_SET_H
#define PEXCZ_PEX_SET_H

#include "plan.h"

struct pexcz_pex_set {
    struct pexcz_arena arena;
    struct pexcz_pex *pexes; /* those given, then the first one's pex_path */
    struct pexcz_plan_source *sources; /* of each, after resolve */
    size_t count;
    struct pexcz_strings warnings; /* one line each */
};

/* *ret must be zeroed; the caller gives it to close(), also after a failure.
 * count >= 1. */
PEXCZ_MUST_USE int pexcz_pex_set_open(const char *const *paths, size_t count,
                                      struct pexcz_pex_set *ret,
                                      struct pexcz_error *err);
PEXCZ_MUST_USE int pexcz_pex_set_resolve(struct pexcz_pex_set *set,
                                         const struct pexcz_target *target,
                                         struct pexcz_error *err);
void pexcz_pex_set_close(struct pexcz_pex_set *set);

#endif
