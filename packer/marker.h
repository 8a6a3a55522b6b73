/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PEP 508 environment markers: "python_version >= '3.8' and extra == 'tls'".
 *
 * Behaves as Marker of `packaging` 26.3.  A parsed marker borrows from its
 * text and from the arena it was parsed with.
 */
#ifndef PEXCZ_MARKER_H
#define PEXCZ_MARKER_H

#include "arena.h"
#include "specifier.h"
#include "target.h"

enum pexcz_marker_var {
    PEXCZ_VAR_IMPLEMENTATION_NAME,
    PEXCZ_VAR_IMPLEMENTATION_VERSION,
    PEXCZ_VAR_OS_NAME,
    PEXCZ_VAR_PLATFORM_MACHINE,
    PEXCZ_VAR_PLATFORM_PYTHON_IMPLEMENTATION,
    PEXCZ_VAR_PLATFORM_RELEASE,
    PEXCZ_VAR_PLATFORM_SYSTEM,
    PEXCZ_VAR_PLATFORM_VERSION,
    PEXCZ_VAR_PYTHON_FULL_VERSION,
    PEXCZ_VAR_PYTHON_VERSION,
    PEXCZ_VAR_SYS_PLATFORM,
    PEXCZ_VAR_EXTRA,
    PEXCZ_VAR_COUNT,
};

/* Values to evaluate against; "" where unknown. */
struct pexcz_marker_env {
    const char *values[PEXCZ_VAR_COUNT];
    char full_version[32]; /* storage for the values of _init() */
    char version[16];
};

struct pexcz_marker;

/*
 * The environment of the target's Python.  platform_release and
 * platform_version, facts about the kernel of whichever machine runs the
 * result, are "".  Do not copy the struct: it points into itself.
 */
void pexcz_marker_env_init(struct pexcz_marker_env *env,
                           const struct pexcz_target *target);

/* Parses all of `text`.  CORRUPT if malformed. */
PEXCZ_MUST_USE int pexcz_marker_parse(struct pexcz_slice text,
                                      struct pexcz_arena *arena,
                                      const struct pexcz_marker **ret,
                                      struct pexcz_error *err);

/*
 * Evaluates with `extra` (in canonical form, "" for none) as the extra.
 * CORRUPT when it compares what cannot be compared.
 */
PEXCZ_MUST_USE int pexcz_marker_eval(const struct pexcz_marker *marker,
                                     const struct pexcz_marker_env *env,
                                     const char *extra, bool *ret,
                                     struct pexcz_error *err);

#endif
