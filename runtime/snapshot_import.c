/* SPDX-License-Identifier: Apache-2.0 */
/* Import statements, in front of CPython: modules on standby. */
#include "standby.h"

PyObject *__real_PyImport_ImportModuleLevelObject(PyObject *name,
                                                  PyObject *globals,
                                                  PyObject *locals,
                                                  PyObject *fromlist,
                                                  int level);
PyObject *__wrap_PyImport_ImportModuleLevelObject(PyObject *name,
                                                  PyObject *globals,
                                                  PyObject *locals,
                                                  PyObject *fromlist,
                                                  int level);

PyObject *
__wrap_PyImport_ImportModuleLevelObject(PyObject *name, PyObject *globals,
                                        PyObject *locals, PyObject *fromlist,
                                        int level)
{
    if (level == 0 && name != NULL && pexcz_standby_import(name) < 0) {
        return NULL;
    }
    return __real_PyImport_ImportModuleLevelObject(name, globals, locals,
                                                   fromlist, level);
}
