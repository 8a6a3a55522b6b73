/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Imports from the tree: a finder and loaders in C over the module table.
 *
 * What an import sees (specs, module attributes, errors, order of search) is
 * what importlib's own PathFinder gives for the same tree on disk; only the
 * way there is shorter.  Whatever the tree's tables do not answer (odd
 * spellings of a path, symbolic links) is left to PathFinder, which reads the
 * tree through the vfs.
 *
 * The types inherit from importlib's FileFinder, SourceFileLoader and
 * SourcelessFileLoader and bear their names, so isinstance checks, abc
 * registrations and code that dispatches on these classes or their names
 * (pkgutil, pkg_resources, pytest) work.
 *
 * All functions need the GIL.
 */
#ifndef PEXCZ_IMPORTER_H
#define PEXCZ_IMPORTER_H

#include <Python.h>

#include "tree.h"

/* For the table of built-in modules, under the name "_pexcz". */
PyMODINIT_FUNC PyInit__pexcz(void);

/*
 * Puts the finder first on sys.meta_path of the current interpreter.  Call it
 * between core initialisation (config._init_main = 0) and
 * _Py_InitializeMain(), so that already `encodings` comes from the tree; a
 * later call works too.  `tree` and its blobs must live as long as the
 * process; NULL keeps the tree of an earlier call.  Python code of another
 * interpreter does the same with `_pexcz.install()`.
 *
 * 0, or -1 with a Python exception set.
 */
PEXCZ_MUST_USE int pexcz_importer_install(const struct pexcz_tree *tree);

#endif
