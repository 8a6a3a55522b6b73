/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Python that compiles for a base: the base itself, or where this machine
 * cannot start it, the base of the same version that is installed for this
 * machine.  Bytecode is the same on all machines.
 */
#ifndef PEXCZ_BASE_PYTHON_H
#define PEXCZ_BASE_PYTHON_H

#include "check_base.h"
#include "compile.h"

/* `base` is the path of the base, `facts` what check_base says about it. */
PEXCZ_MUST_USE int pexcz_base_python_open(struct pexcz_compiler *compiler,
                                          const char *base,
                                          const struct pexcz_base_facts *facts,
                                          unsigned int max_workers,
                                          struct pexcz_error *err);

/* Whether this machine can start it. */
bool pexcz_base_is_own(const struct pexcz_base_facts *facts);

#endif
