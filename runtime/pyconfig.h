/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configures Python for a tree at PEXCZ_PREFIX: isolated, and with every path
 * preset so that CPython's getpath looks at nothing on disk.
 */
#ifndef PEXCZ_PYCONFIG_H
#define PEXCZ_PYCONFIG_H

#include <Python.h>

#include "tree.h"

struct pexcz_python_options {
    const struct pexcz_tree *tree;
    const char *executable; /* becomes sys.executable */
    int argc;
    char **argv;
    /* False: behaves as `python -I`.  True: as `python` for the options in
     * argv, and the environment (PYTHONHASHSEED and the like) counts if
     * `environment`; `site` is left to pexcz_prepare_site(). */
    bool application;
    bool environment;
};

/*
 * Initialises the interpreter; the finder is in place before the first import
 * from the tree.  The status may ask for an exit (-V, --help, a wrong option):
 * the caller passes it to Py_ExitStatusException().
 */
PyStatus pexcz_python_start(const struct pexcz_python_options *options);

#endif
