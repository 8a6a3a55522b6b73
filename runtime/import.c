/* SPDX-License-Identifier: Apache-2.0 */
#include "import.h"

static PyObject *
call_import(PyObject *function, PyObject *name)
{
    PyObject *globals
        = Py_BuildValue("{sO}", "__builtins__", PyEval_GetBuiltins());
    PyObject *result = globals != NULL ? PyObject_CallFunction(
                           function, "OOO[]i", name, globals, globals, 0)
                                       : NULL;

    Py_XDECREF(globals);
    return result;
}

PyObject *
pexcz_import_text(PyObject *name)
{
    PyObject *function
        = PyDict_GetItemString(PyEval_GetBuiltins(), "__import__");
    PyObject *result = function != NULL ? call_import(function, name)
                                        : PyImport_Import(name);
    PyObject *module;

    if (result == NULL) {
        return NULL;
    }
    module = PyImport_GetModule(name);
    if (module == NULL && PyErr_Occurred() == NULL) {
        PyErr_SetObject(PyExc_KeyError, name);
    }
    Py_DECREF(result);
    return module;
}

PyObject *
pexcz_import(const char *name)
{
    PyObject *text = PyUnicode_InternFromString(name);
    PyObject *module = text != NULL ? pexcz_import_text(text) : NULL;

    Py_XDECREF(text);
    return module;
}

PyObject *
pexcz_attribute(PyObject *o, const char *name)
{
    PyObject *text = PyUnicode_InternFromString(name);
    PyObject *value = text != NULL ? PyObject_GetAttr(o, text) : NULL;

    Py_XDECREF(text);
    return value;
}
