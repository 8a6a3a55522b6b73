/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an executable is made of: a bill of materials and the licences.
 *
 * Both are about the Python and the distributions that were chosen, in the
 * order of sys.path, from what they say about themselves.
 */
#ifndef PEXCZ_BILL_H
#define PEXCZ_BILL_H

#include "plan.h"

struct pexcz_bill {
    const char *name;   /* of the executable, without its folder */
    const char *base;   /* path of the base */
    const char *python; /* "3.11.2" */
    const struct pexcz_plan_source *sources;
    size_t count;
};

/* CycloneDX 1.5, JSON, into the file `path`, which appears complete or not at
 * all. */
PEXCZ_MUST_USE int pexcz_bill_write_sbom(const struct pexcz_bill *bill,
                                         const char *path,
                                         struct pexcz_error *err);

/* Python's licence and the licence files of every distribution, as text. */
PEXCZ_MUST_USE int pexcz_bill_write_licenses(const struct pexcz_bill *bill,
                                             const char *path,
                                             struct pexcz_error *err);

#endif
