/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PEP 440 version specifiers: ">=1.0,<2,!=1.5".
 *
 * Behaves as SpecifierSet of `packaging` 26.3, which Pex 2.105 vendors, with
 * pre-releases allowed.  Texts are borrowed from the one that was parsed.
 */
#ifndef PEXCZ_SPECIFIER_H
#define PEXCZ_SPECIFIER_H

#include "arena.h"
#include "version.h"

enum pexcz_spec_op {
    PEXCZ_OP_ARBITRARY,  /* === */
    PEXCZ_OP_COMPATIBLE, /* ~= */
    PEXCZ_OP_EQ,
    PEXCZ_OP_NE,
    PEXCZ_OP_LE,
    PEXCZ_OP_GE,
    PEXCZ_OP_LT,
    PEXCZ_OP_GT,
};

struct pexcz_specifier {
    enum pexcz_spec_op op;
    bool wildcard;                /* "==1.2.*", "!=1.2.*" */
    struct pexcz_slice text;      /* what follows the operator */
    struct pexcz_version version; /* not for ARBITRARY */
};

struct pexcz_specifiers {
    struct pexcz_specifier *items;
    size_t count;
};

/* One specifier, white space around it aside. */
bool pexcz_specifier_parse(struct pexcz_slice text,
                           struct pexcz_specifier *ret);

/* Length of the specifier that `text` begins with; 0 if there is none. */
size_t pexcz_specifier_prefix(struct pexcz_slice text);

bool pexcz_specifier_contains(const struct pexcz_specifier *spec,
                              struct pexcz_slice version);

/* A comma-separated list, possibly empty.  CORRUPT if malformed. */
PEXCZ_MUST_USE int pexcz_specifiers_parse(struct pexcz_slice text,
                                          struct pexcz_arena *arena,
                                          struct pexcz_specifiers *ret,
                                          struct pexcz_error *err);

/* A version that does not parse is contained in nothing but "===" of itself
 * and the empty set. */
bool pexcz_specifiers_contain(const struct pexcz_specifiers *set,
                              struct pexcz_slice version);

/* Whether some X.Y.Z of Python X.Y is contained. */
bool pexcz_specifiers_admit_patch(const struct pexcz_specifiers *set,
                                  int major, int minor);

/*
 * Whether every version that `inner` admits is one that `outer` admits, as
 * pex/specifier_sets.py answers it; false when either admits none.
 */
PEXCZ_MUST_USE int pexcz_specifiers_include(
    const struct pexcz_specifiers *outer, const struct pexcz_specifiers *inner,
    struct pexcz_arena *arena, bool *ret, struct pexcz_error *err);

#endif
