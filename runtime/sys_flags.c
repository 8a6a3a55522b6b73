/* SPDX-License-Identifier: Apache-2.0 */
#include "sys_flags.h"

long
pexcz_get_sys_flag(const char *name)
{
    PyObject *flags = PySys_GetObject("flags");
    PyObject *value
        = flags != NULL ? PyObject_GetAttrString(flags, name) : NULL;
    long number = value != NULL ? PyLong_AsLong(value) : -1;

    Py_XDECREF(value);
    return number;
}

int
pexcz_set_sys_flag(const char *name, long value)
{
    PyObject *flags = PySys_GetObject("flags");
    PyObject *names = flags != NULL ? PyObject_GetAttrString(
                          (PyObject *)Py_TYPE(flags), "__match_args__")
                                    : NULL;
    Py_ssize_t count = names != NULL ? PyTuple_GET_SIZE(names) : 0;

    for (Py_ssize_t i = 0; i < count; i++) {
        if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, i), name)
            == 0) {
            PyObject *old = PyStructSequence_GetItem(flags, i);

            PyStructSequence_SetItem(flags, i, PyLong_FromLong(value));
            Py_XDECREF(old);
            Py_DECREF(names);
            return 0;
        }
    }
    Py_XDECREF(names);
    if (PyErr_Occurred() == NULL) {
        PyErr_Format(PyExc_RuntimeError, "sys.flags has no %s", name);
    }
    return -1;
}
