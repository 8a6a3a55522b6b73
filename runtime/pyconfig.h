/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configures Python for a tree at PEXCZ_PREFIX: isolated, and with every path
 * preset so that CPython's getpath looks at nothing on disk.
 */
#ifndef PEXCZ_PYCONFIG_H
#define PEXCZ_PYCONFIG_H

#include <Python.h>

#include "tree.h"

/*
 * Initialises the interpreter to behave as `python -I` with `argv`; the finder
 * is in place before the first import from the tree.  `executable` becomes
 * sys.executable.  The status may ask for an exit (-V, --help, a wrong
 * option): the caller passes it to Py_ExitStatusException().
 */
PyStatus pexcz_python_start(const struct pexcz_tree *tree,
                            const char *executable, Py_ssize_t argc,
                            char **argv);

#endif
