/* SPDX-License-Identifier: Apache-2.0 */
#include "standby.h"

#include "standby_state.h"

#if PY_VERSION_HEX >= 0x030c0000

bool
pexcz_standby_hides(PyObject *o)
{
    (void)o;
    return false;
}

#else

/* Whether the module of the name is on standby; `dict`: its variables, or NULL
 * if the name will do. */
static bool
is_of_standby(PyObject *name, PyObject *dict)
{
    const struct pexcz_standby_module *m
        = name != NULL && PyUnicode_CheckExact(name) ? pexcz_standby_find(name)
                                                     : NULL;

    return m != NULL && m->state == STANDBY
           && (dict == NULL || dict == PyModule_GetDict(m->module));
}

bool
pexcz_standby_hides(PyObject *o)
{
    PyObject *dict = NULL;

    if (pexcz_standby.count == 0) {
        return false;
    }
    if (PyType_Check(o)) {
        return PyType_HasFeature((PyTypeObject *)o, Py_TPFLAGS_HEAPTYPE)
               && is_of_standby(
                   PyDict_GetItemString(((PyTypeObject *)o)->tp_dict,
                                        "__module__"),
                   NULL);
    }
    if (PyModule_CheckExact(o)) {
        dict = PyModule_GetDict(o);
    }
    else if (PyFunction_Check(o)) {
        dict = PyFunction_GET_GLOBALS(o);
    }
    else if (PyDict_CheckExact(o)) {
        dict = o;
    }
    return dict != NULL
           && is_of_standby(PyDict_GetItemString(dict, "__name__"), dict);
}

#endif
