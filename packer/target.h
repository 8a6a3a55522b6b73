/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Python and platform that a PEX is packed for.
 *
 * Everything that chooses a wheel or evaluates a marker reads it from here,
 * so those are pure functions.
 */
#ifndef PEXCZ_TARGET_H
#define PEXCZ_TARGET_H

#include "error.h"

#include <stdbool.h>

struct pexcz_target {
    int major; /* CPython version: 3.11.2 */
    int minor;
    int micro;
    const char *arch; /* "x86_64", "aarch64": as uname -m says it */
    /* The newest glibc that a wheel may ask for: manylinux_2_X up to this. */
    int glibc_major;
    int glibc_minor;
};

/*
 * Python `version` ("3.11.2") on Linux for `arch` (borrowed), with the glibc
 * of this machine: the wheels that Pex would choose here.  USAGE for a
 * version that does not parse.
 */
PEXCZ_MUST_USE int pexcz_target_init(struct pexcz_target *target,
                                     const char *version, const char *arch,
                                     struct pexcz_error *err);

/* "MAJOR.MINOR" into the target's glibc fields; USAGE if malformed. */
PEXCZ_MUST_USE int pexcz_target_set_glibc(struct pexcz_target *target,
                                          const char *text,
                                          struct pexcz_error *err);

/* A shared object that needs another C library or machine cannot be used;
 * "cp311" style tag of the target's Python. */
void pexcz_target_python_tag(const struct pexcz_target *target, char ret[16]);

#endif
