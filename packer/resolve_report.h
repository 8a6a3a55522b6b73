/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a PEX cannot be packed for a target, in words.  Private to the resolver.
 */
#ifndef PEXCZ_RESOLVE_REPORT_H
#define PEXCZ_RESOLVE_REPORT_H

#include "resolve.h"

enum pexcz_fit {
    PEXCZ_FIT_OK,
    PEXCZ_FIT_PATCH,  /* Requires-Python wants another patch release */
    PEXCZ_FIT_TAGS,   /* none of its tags is supported */
    PEXCZ_FIT_PYTHON, /* Requires-Python says no */
};

/* A distribution as the target sees it. */
struct pexcz_candidate {
    const struct pexcz_dist *dist;
    enum pexcz_fit fit;
    size_t rank; /* smaller is better; not with FIT_TAGS */
};

struct pexcz_unresolved {
    const struct pexcz_requirement *requirement;
    const struct pexcz_dist *required_by; /* NULL: PEX-INFO itself */
};

/* Fills *err with the cause and, indented below it, what there is and what was
 * needed; returns its code.  candidates: one for each distribution. */
int pexcz_resolve_report(const struct pexcz_pex *pex,
                         const struct pexcz_target *target,
                         const struct pexcz_tags *supported,
                         const struct pexcz_candidate *candidates,
                         const struct pexcz_unresolved *unresolved,
                         size_t unresolved_count, struct pexcz_error *err);

/*
 * The interpreter constraints of PEX-INFO: one of them, if there are any, must
 * admit the target, or another patch release of its Python: *ret_patch is that
 * one then, else NULL.  Forms: ">=3.8", "CPython>=3", "CPython[gil]", "PyPy".
 */
PEXCZ_MUST_USE int pexcz_constraints_check(const struct pexcz_pex *pex,
                                           const struct pexcz_target *target,
                                           struct pexcz_arena *arena,
                                           const char **ret_patch,
                                           struct pexcz_error *err);

#endif
