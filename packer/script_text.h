/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scripts as an installer writes them into bin/.
 */
#ifndef PEXCZ_SCRIPT_TEXT_H
#define PEXCZ_SCRIPT_TEXT_H

#include "arena.h"
#include "dist_metadata.h"

/* The first line of every Python script in bin/. */
#define PEXCZ_SHEBANG "#!/proc/pexcz/bin/python3\n"

/* Whether `text` begins with a shebang that names a Python, in any of the
 * forms that installers know: "#!python", "#!/usr/bin/env python3.9 -E". */
bool pexcz_is_python_script(struct pexcz_slice text);

/* `text`, a Python script, with PEXCZ_SHEBANG for its first line. */
PEXCZ_MUST_USE int pexcz_script_rewrite(struct pexcz_slice text,
                                        struct pexcz_arena *arena,
                                        struct pexcz_slice *ret,
                                        struct pexcz_error *err);

/* The script that Pex 2.105 generates for a console or GUI entry point, but
 * for the lines that clean up after Pex's own start. */
PEXCZ_MUST_USE int pexcz_script_generate(const struct pexcz_script *script,
                                         struct pexcz_arena *arena,
                                         struct pexcz_slice *ret,
                                         struct pexcz_error *err);

#endif
