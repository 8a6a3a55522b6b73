/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `python -m NAME` without importing runpy, which costs some 2 ms.
 */
#ifndef PEXCZ_RUN_MODULE_H
#define PEXCZ_RUN_MODULE_H

#include <Python.h>

/*
 * Runs the module, or the __main__ of the package, as __main__, with the
 * attributes and sys.argv[0] that runpy gives it.  What cannot be run is left
 * to runpy, which has the error messages.  0, or -1 with an exception.
 */
int pexcz_run_module(PyObject *name);

#endif
