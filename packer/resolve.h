/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which distributions of a PEX the target needs: the algorithm that Pex runs
 * at start (pex/environment.py), as a pure function.
 *
 * Rank of a wheel: the best index of its tags among those the target supports.
 * Among the wheels of a project that satisfy a requirement the best rank
 * wins, then the newest version, then the smallest fingerprint.  Requirements
 * are walked depth first from the roots in PEX-INFO, extras, markers,
 * exclusions and overrides applied; pre-releases are allowed.
 *
 * Other than in Pex, what asks for another patch release of the target's
 * Python (3.11.5, where it is 3.11.2) is taken, with a warning, when nothing
 * else does: a base comes in one patch release, and PEXes are made with any.
 */
#ifndef PEXCZ_RESOLVE_H
#define PEXCZ_RESOLVE_H

#include "pex_reader.h"
#include "target.h"

struct pexcz_resolved {
    const struct pexcz_dist **dists; /* in resolution order: sys.path order */
    size_t count;
    struct pexcz_strings unresolved; /* only with ignore_errors */
    struct pexcz_strings warnings;
};

/*
 * The choice; lists live in `arena`, distributions belong to `pex`.
 * UNSUPPORTED when a requirement has no usable distribution: the first line
 * of the message is the cause, further indented lines list what the PEX has
 * for it and what was needed.
 */
PEXCZ_MUST_USE int pexcz_resolve(const struct pexcz_pex *pex,
                                 const struct pexcz_target *target,
                                 struct pexcz_arena *arena,
                                 struct pexcz_resolved *ret,
                                 struct pexcz_error *err);

#endif
