/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A base before it is run and copied: whole, for the machine that is packed
 * for, made by this version of pexcz, and without an application.  What is
 * wrong with it later would be wrong with every file that is packed on it.
 */
#ifndef PEXCZ_CHECK_BASE_H
#define PEXCZ_CHECK_BASE_H

#include "error.h"

#include <stdint.h>

/* What it is for. */
struct pexcz_base_facts {
    const char *machine; /* "aarch64" */
    int python_major;
    int python_minor;
    uint32_t python_magic;
};

/* `machine`: NULL admits any that pexcz knows.  IO, UNSUPPORTED or CORRUPT;
 * the message begins with the path. */
PEXCZ_MUST_USE int pexcz_check_base(const char *path, const char *machine,
                                    struct pexcz_base_facts *ret,
                                    struct pexcz_error *err);

#endif
