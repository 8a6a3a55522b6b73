/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first line of a PEX, "#!/usr/bin/env python3.11" or "#!/usr/bin/python
 * -u": the Python that `./app.pex` runs with, and its options.  Where it is
 * that of sh (--sh-boot), variables of the script say so.
 */
#ifndef PEXCZ_SHEBANG_H
#define PEXCZ_SHEBANG_H

#include "arena.h"

/* Longer lines are cut by the kernel. */
#define PEXCZ_SHEBANG_MAX 256
/* Of the text that is looked at: what comes first in the script of --sh-boot.
 */
#define PEXCZ_SHEBANG_TEXT_MAX 8192

struct pexcz_shebang {
    const char *version; /* "3.11"; NULL: none, or not with its minor */
    struct pexcz_strings options;
};

/*
 * `text`: the first bytes of the PEX.  Empty where it does not begin with "#!"
 * or names no Python.  As the kernel does, takes what follows the interpreter
 * for one option; `env -S` and sh split it.  Strings lie in `arena`.
 */
PEXCZ_MUST_USE int pexcz_shebang_parse(struct pexcz_slice text,
                                       struct pexcz_arena *arena,
                                       struct pexcz_shebang *ret,
                                       struct pexcz_error *err);

#endif
