/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PEP 508 requirements: "requests[socks]>=2.8; python_version < '4'".
 *
 * Parses what Requirement of `packaging` 26.3 parses; decides containment as
 * Pex does (pex/dist_metadata.py, class Constraint).
 */
#ifndef PEXCZ_REQUIREMENT_H
#define PEXCZ_REQUIREMENT_H

#include "marker.h"

struct pexcz_requirement {
    const char *text;            /* as given */
    const char *name;            /* as given */
    const char *key;             /* canonical name */
    struct pexcz_strings extras; /* as given, none twice */
    struct pexcz_specifiers specifiers;
    struct pexcz_slice url;            /* after "@"; empty: none */
    const struct pexcz_marker *marker; /* NULL: always applies */
};

/* PEP 503: lower case, runs of "-", "_", "." as one "-".  NULL when memory is
 * gone. */
char *pexcz_name_canonical(struct pexcz_slice name, struct pexcz_arena *arena,
                           struct pexcz_error *err);

/* *ret lives in the arena.  CORRUPT, with the text in the message, if
 * malformed. */
PEXCZ_MUST_USE int pexcz_requirement_parse(struct pexcz_slice text,
                                           struct pexcz_arena *arena,
                                           struct pexcz_requirement *ret,
                                           struct pexcz_error *err);

/* Whether version `version` of project `key` (canonical) satisfies it. */
bool pexcz_requirement_contains(const struct pexcz_requirement *req,
                                const char *key, struct pexcz_slice version);

/* Whether all that `inner` admits is admitted by `outer`. */
PEXCZ_MUST_USE int
pexcz_requirement_includes(const struct pexcz_requirement *outer,
                           const struct pexcz_requirement *inner,
                           struct pexcz_arena *arena, bool *ret,
                           struct pexcz_error *err);

/*
 * Whether the marker holds for at least one of `extras` (canonical form is
 * made here); no extras count as the empty one.
 */
PEXCZ_MUST_USE int pexcz_requirement_applies(
    const struct pexcz_requirement *req, const struct pexcz_marker_env *env,
    const struct pexcz_strings *extras, struct pexcz_arena *arena, bool *ret,
    struct pexcz_error *err);

#endif
