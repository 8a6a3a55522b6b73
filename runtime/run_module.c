/* SPDX-License-Identifier: Apache-2.0 */
#include "run_module.h"

#include <stdbool.h>

#define MAIN ".__main__"

/*
 * The functions below mirror runpy._get_module_details().  They give NULL
 * without an exception where runpy is to decide: it repeats the steps, none of
 * which has an effect the second time.
 */

/* Whether the ImportError that is set is about `package` or a package around
 * it not being there: then runpy has a message for it. */
static bool
is_missing(PyObject *package)
{
    PyObject *type;
    PyObject *value;
    PyObject *tb;
    PyObject *name;
    PyObject *prefix = NULL;
    bool missing = false;

    PyErr_Fetch(&type, &value, &tb);
    PyErr_NormalizeException(&type, &value, &tb);
    name = value != NULL ? PyObject_GetAttrString(value, "name") : NULL;
    if (name != NULL && PyUnicode_Check(name)) {
        prefix = PyUnicode_FromFormat("%U.", name);
        missing = PyUnicode_Compare(name, package) == 0
                  || (prefix != NULL
                      && PyUnicode_Tailmatch(package, prefix, 0,
                                             PY_SSIZE_T_MAX, -1)
                             == 1);
    }
    PyErr_Clear();
    Py_XDECREF(prefix);
    Py_XDECREF(name);
    PyErr_Restore(type, value, tb);
    return missing;
}

/* The __path__ of the package that `name` lies in, None without one. */
static PyObject *
path_around(PyObject *name)
{
    Py_ssize_t dot
        = PyUnicode_FindChar(name, '.', 0, PyUnicode_GET_LENGTH(name), -1);
    PyObject *package;
    PyObject *module;
    PyObject *path = NULL;

    if (dot < 0) {
        return dot == -1 ? Py_NewRef(Py_None) : NULL;
    }
    package = PyUnicode_Substring(name, 0, dot);
    module = package != NULL ? PyImport_Import(package) : NULL;
    if (module != NULL) {
        Py_SETREF(module, PyImport_GetModule(package));
    }
    else if (package != NULL && PyErr_ExceptionMatches(PyExc_ImportError)
             && is_missing(package)) {
        PyErr_Clear();
    }
    if (module != NULL) {
        path = PyObject_GetAttrString(module, "__path__");
        if (path == NULL) {
            PyErr_Clear();
        }
    }
    Py_XDECREF(module);
    Py_XDECREF(package);
    return path;
}

static PyObject *
find_spec(PyObject *name)
{
    PyObject *path = path_around(name);
    PyObject *importlib;
    PyObject *spec = NULL;

    if (path == NULL) {
        return NULL;
    }
    if (PyDict_Contains(PyImport_GetModuleDict(), name) == 0) {
        importlib = PyImport_ImportModule("_frozen_importlib");
        spec = importlib != NULL ? PyObject_CallMethod(importlib, "_find_spec",
                                                       "OO", name, path)
                                 : NULL;
        Py_XDECREF(importlib);
    }
    Py_DECREF(path);
    if (spec == NULL || spec == Py_None) {
        PyErr_Clear();
        Py_CLEAR(spec);
    }
    return spec;
}

/* 1, 0, or -1 with an exception. */
static int
is_package(PyObject *spec)
{
    PyObject *where
        = PyObject_GetAttrString(spec, "submodule_search_locations");
    int rc = where == NULL ? -1 : where != Py_None;

    Py_XDECREF(where);
    return rc;
}

/* The spec of what `python -m name` runs. */
static PyObject *
find_main_spec(PyObject *name)
{
    PyObject *spec = find_spec(name);
    PyObject *inner;
    int package = spec != NULL ? is_package(spec) : 0;

    if (package <= 0) {
        if (package < 0) {
            Py_CLEAR(spec);
        }
        return spec;
    }
    Py_DECREF(spec);
    inner = PyUnicode_FromFormat("%U" MAIN, name);
    spec = inner != NULL ? find_spec(inner) : NULL;
    if (spec != NULL && is_package(spec) != 0) {
        Py_CLEAR(spec);
    }
    Py_XDECREF(inner);
    return spec;
}

static PyObject *
get_code(PyObject *spec)
{
    PyObject *loader = PyObject_GetAttrString(spec, "loader");
    PyObject *name = PyObject_GetAttrString(spec, "name");
    PyObject *code = NULL;

    if (loader != NULL && name != NULL && loader != Py_None) {
        code = PyObject_CallMethod(loader, "get_code", "O", name);
        if (code == NULL && PyErr_ExceptionMatches(PyExc_ImportError)) {
            PyErr_Clear();
        }
    }
    if (code == Py_None) {
        Py_CLEAR(code);
    }
    Py_XDECREF(name);
    Py_XDECREF(loader);
    return code;
}

/* dict[key] = spec.attribute */
static int
copy_attribute(PyObject *dict, const char *key, PyObject *spec,
               const char *attribute)
{
    PyObject *value = PyObject_GetAttrString(spec, attribute);
    int rc = value != NULL ? PyDict_SetItemString(dict, key, value) : -1;

    Py_XDECREF(value);
    return rc;
}

static int
set_globals(PyObject *dict, PyObject *spec)
{
    PyObject *argv = PySys_GetObject("argv");
    PyObject *name = PyUnicode_FromString("__main__");
    PyObject *origin = PyObject_GetAttrString(spec, "origin");
    int rc = -1;

    if (name != NULL && origin != NULL && argv != NULL
        && PyDict_SetItemString(dict, "__name__", name) == 0
        && PyDict_SetItemString(dict, "__file__", origin) == 0
        && copy_attribute(dict, "__cached__", spec, "cached") == 0
        && PyDict_SetItemString(dict, "__doc__", Py_None) == 0
        && copy_attribute(dict, "__loader__", spec, "loader") == 0
        && copy_attribute(dict, "__package__", spec, "parent") == 0
        && PyDict_SetItemString(dict, "__spec__", spec) == 0) {
        rc = PySequence_SetItem(argv, 0, origin);
    }
    Py_XDECREF(origin);
    Py_XDECREF(name);
    return rc;
}

static int
run_code(PyObject *spec, PyObject *code)
{
    PyObject *module = PyImport_AddModule("__main__");
    PyObject *dict = module != NULL ? PyModule_GetDict(module) : NULL;
    PyObject *result = NULL;

    if (dict != NULL && set_globals(dict, spec) == 0) {
        result = PyEval_EvalCode(code, dict, dict);
    }
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

static int
run_by_runpy(PyObject *name)
{
    PyObject *runpy = PyImport_ImportModule("runpy");
    PyObject *result
        = runpy != NULL
              ? PyObject_CallMethod(runpy, "_run_module_as_main", "O", name)
              : NULL;

    Py_XDECREF(result);
    Py_XDECREF(runpy);
    return result != NULL ? 0 : -1;
}

int
pexcz_run_module(PyObject *name)
{
    PyObject *spec = find_main_spec(name);
    PyObject *code = spec != NULL ? get_code(spec) : NULL;
    int rc = -1;

    if (code != NULL) {
        rc = run_code(spec, code);
    }
    else if (PyErr_Occurred() == NULL) {
        rc = run_by_runpy(name);
    }
    Py_XDECREF(code);
    Py_XDECREF(spec);
    return rc;
}
