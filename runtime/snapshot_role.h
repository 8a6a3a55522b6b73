/* SPDX-License-Identifier: Apache-2.0 */
/* The process in which `pexcz pack` makes a snapshot, see snapshot.h. */
#ifndef PEXCZ_SNAPSHOT_ROLE_H
#define PEXCZ_SNAPSHOT_ROLE_H

#include "locate.h"

bool pexcz_is_snapshot_role(const struct pexcz_located *located, int argc,
                            char *const *argv);

/* Exit code 0, or 1 with a line on stderr. */
_Noreturn void pexcz_snapshot_role(const struct pexcz_located *located,
                                   int argc, char **argv);

#endif
