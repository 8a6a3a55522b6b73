/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interpreter options in the first line of a PEX, "#!/usr/bin/python -u":
 * `./app.pex` runs with them, and so does the packed file.
 */
#ifndef PEXCZ_SHEBANG_H
#define PEXCZ_SHEBANG_H

#include "arena.h"

/* Longer lines are cut by the kernel. */
#define PEXCZ_SHEBANG_MAX 256

/*
 * Adds the options to *ret.  `text`: the first bytes of the PEX.  None where
 * it does not begin with "#!" or names no Python: an sh script (--sh-boot)
 * decides by itself.  As the kernel does, takes what follows the interpreter
 * for one option; `env -S` splits it.
 */
PEXCZ_MUST_USE int pexcz_shebang_options(struct pexcz_slice text,
                                         struct pexcz_arena *arena,
                                         struct pexcz_strings *ret,
                                         struct pexcz_error *err);

#endif
