/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `site` in a process that is a Python: the tree is an environment of its own,
 * so neither a pyvenv.cfg beside the executable nor user site-packages count.
 */
#ifndef PEXCZ_TREE_SITE_H
#define PEXCZ_TREE_SITE_H

#include "error.h"

#include <Python.h>

/*
 * Imports `site`, as Python does at its start; `executable` is sys.executable.
 * Python must have been initialised with site_import switched off;
 * sys.flags.no_site is 0 afterwards.  0, or -1 with an exception.
 */
PEXCZ_MUST_USE int pexcz_tree_site_run(const char *executable);

#endif
