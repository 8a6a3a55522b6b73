/* SPDX-License-Identifier: Apache-2.0 */
#include "lazy_site.h"

#include "python_version.h"
#include "sys_flags.h"

#include <stdbool.h>

/* --- builtins ------------------------------------------------------------ */

static int
add_builtin(const char *name, PyObject *value)
{
    PyObject *builtins = PyImport_ImportModule("builtins");
    int rc = builtins != NULL && value != NULL
                 ? PyObject_SetAttrString(builtins, name, value)
                 : -1;

    Py_XDECREF(builtins);
    Py_XDECREF(value);
    return rc;
}

/* An instance as _Printer(name, text, files, dirs) makes it; its __init__
 * imports os to join the paths.  Steals `text` and `files`. */
static PyObject *
make_printer(PyObject *type, const char *name, PyObject *text, PyObject *files)
{
    PyObject *none = PyTuple_New(0);
    PyObject *printer
        = none != NULL && text != NULL && files != NULL
              ? PyBaseObject_Type.tp_new((PyTypeObject *)type, none, NULL)
              : NULL;
    PyObject *title = PyUnicode_FromString(name);

    if (printer != NULL
        && (title == NULL
            || PyObject_SetAttrString(printer, "_Printer__name", title) < 0
            || PyObject_SetAttrString(printer, "_Printer__data", text) < 0
            || PyObject_SetAttrString(printer, "_Printer__lines", Py_None) < 0
            || PyObject_SetAttrString(printer, "_Printer__filenames", files)
                   < 0)) {
        Py_CLEAR(printer);
    }
    Py_XDECREF(title);
    Py_XDECREF(none);
    Py_XDECREF(files);
    Py_XDECREF(text);
    return printer;
}

/* Where the licence may lie, as setcopyright() of site lists it. */
static PyObject *
licence_files(void)
{
    PyObject *here = PySys_GetObject("_stdlib_dir");

    if (here == NULL || !PyUnicode_Check(here)) {
        return PyList_New(0);
    }
    return Py_BuildValue("[NNNNNN]",
                         PyUnicode_FromFormat("%U/../LICENSE.txt", here),
                         PyUnicode_FromFormat("%U/../LICENSE", here),
                         PyUnicode_FromFormat("%U/LICENSE.txt", here),
                         PyUnicode_FromFormat("%U/LICENSE", here),
                         PyUnicode_FromString("./LICENSE.txt"),
                         PyUnicode_FromString("./LICENSE"));
}

static int
add_printers(PyObject *module)
{
    PyObject *type = PyObject_GetAttrString(module, "_Printer");
    PyObject *copyright = PySys_GetObject("copyright");
    int rc = -1;

    if (type != NULL
        && add_builtin("copyright",
                       make_printer(type, "copyright", Py_XNewRef(copyright),
                                    PyList_New(0)))
               == 0
        && add_builtin("credits",
                       make_printer(type, "credits",
                                    PyUnicode_FromString(PEXCZ_CREDITS),
                                    PyList_New(0)))
               == 0) {
        rc = add_builtin(
            "license",
            make_printer(type, "license",
                         PyUnicode_FromString(
                             "See https://www.python.org/psf/license/"),
                         licence_files()));
    }
    Py_XDECREF(type);
    return rc;
}

static int
add_builtins(void)
{
    static const char end_of_file[] = "Ctrl-D (i.e. EOF)";
    PyObject *module = PyImport_ImportModule("_sitebuiltins");
    int rc = -1;

    if (module != NULL
        && add_builtin("quit", PyObject_CallMethod(module, "Quitter", "ss",
                                                   "quit", end_of_file))
               == 0
        && add_builtin("exit", PyObject_CallMethod(module, "Quitter", "ss",
                                                   "exit", end_of_file))
               == 0
        && add_builtin("help", PyObject_CallMethod(module, "_Helper", NULL))
               == 0) {
        rc = add_printers(module);
    }
    Py_XDECREF(module);
    return rc;
}

/* --- the module ---------------------------------------------------------- */

/* What the import system reads of every module that it hands out again. */
static bool
is_import_attribute(PyObject *name)
{
    return PyUnicode_CompareWithASCIIString(name, "__spec__") == 0
           || PyUnicode_CompareWithASCIIString(name, "__class__") == 0
           || PyUnicode_CompareWithASCIIString(name, "__name__") == 0
           || PyUnicode_CompareWithASCIIString(name, "__path__") == 0;
}

static int
set_class(PyObject *self, PyObject *type)
{
    PyObject *name = PyUnicode_InternFromString("__class__");
    int rc = name != NULL ? PyObject_GenericSetAttr(self, name, type) : -1;

    Py_XDECREF(name);
    return rc;
}

/* What getusersitepackages() finds: it asks for the home, so not before
 * somebody wants to know.  The module is an ordinary one afterwards. */
static int
finish(PyObject *self, PyObject *name)
{
    PyObject *found;

    if (PyUnicode_CompareWithASCIIString(name, "USER_SITE") != 0
        && PyUnicode_CompareWithASCIIString(name, "USER_BASE") != 0
        && PyUnicode_CompareWithASCIIString(name, "__dict__") != 0) {
        return 0;
    }
    if (set_class(self, (PyObject *)&PyModule_Type) < 0) {
        return -1;
    }
    found = PyObject_CallMethod(self, "getusersitepackages", NULL);
    Py_XDECREF(found);
    return found != NULL ? 0 : -1;
}

static PyObject *
loaded_getattro(PyObject *self, PyObject *name)
{
    return finish(self, name) < 0 ? NULL
                                  : PyModule_Type.tp_getattro(self, name);
}

static int
loaded_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    return finish(self, name) < 0 ? -1
                                  : PyObject_GenericSetAttr(self, name, value);
}

static PyType_Slot loaded_slots[] = {
    {Py_tp_getattro, loaded_getattro},
    {Py_tp_setattro, loaded_setattro},
    {0, NULL},
};

static PyType_Spec loaded_spec = {
    .name = "_pexcz.LoadedSite",
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = loaded_slots,
};

/* Importing `site` does not run its main() while no_site is set. */
static int
execute(PyObject *self)
{
    PyObject *loader = PyObject_GetAttrString(self, "__loader__");
    PyObject *done = NULL;
    int rc;

    if (loader != NULL && pexcz_set_sys_flag("no_site", 1) == 0) {
        done = PyObject_CallMethod(loader, "exec_module", "O", self);
        if (pexcz_set_sys_flag("no_site", 0) < 0) {
            Py_CLEAR(done);
        }
    }
    rc = done != NULL
             ? PyObject_SetAttrString(self, "ENABLE_USER_SITE", Py_False)
             : -1;
    Py_XDECREF(done);
    Py_XDECREF(loader);
    return rc;
}

/* Gives it its content. */
static int
load(PyObject *self)
{
    PyObject *type;
    int rc = -1;

    if (set_class(self, (PyObject *)&PyModule_Type) < 0 || execute(self) < 0) {
        return -1;
    }
    type = PyType_FromSpecWithBases(&loaded_spec, (PyObject *)&PyModule_Type);
    if (type != NULL) {
        rc = set_class(self, type);
        Py_DECREF(type);
    }
    return rc;
}

static PyObject *
lazy_getattro(PyObject *self, PyObject *name)
{
    if (is_import_attribute(name)) {
        return PyModule_Type.tp_getattro(self, name);
    }
    return load(self) < 0 ? NULL : PyObject_GetAttr(self, name);
}

static int
lazy_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    if (is_import_attribute(name)) {
        return PyObject_GenericSetAttr(self, name, value);
    }
    return load(self) < 0 ? -1 : PyObject_SetAttr(self, name, value);
}

static PyType_Slot lazy_slots[] = {
    {Py_tp_getattro, lazy_getattro},
    {Py_tp_setattro, lazy_setattro},
    {0, NULL},
};

static PyType_Spec lazy_spec = {
    .name = "_pexcz.LazySite",
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = lazy_slots,
};

static int
add_module(void)
{
    PyObject *importlib = PyImport_ImportModule("_frozen_importlib");
    PyObject *type
        = PyType_FromSpecWithBases(&lazy_spec, (PyObject *)&PyModule_Type);
    PyObject *spec = importlib != NULL ? PyObject_CallMethod(
                         importlib, "_find_spec", "sO", "site", Py_None)
                                       : NULL;
    PyObject *module
        = spec != NULL
              ? PyObject_CallMethod(importlib, "module_from_spec", "O", spec)
              : NULL;
    int rc = -1;

    if (module != NULL && type != NULL
        && PyObject_SetAttrString(module, "__class__", type) == 0) {
        rc = PyDict_SetItemString(PyImport_GetModuleDict(), "site", module);
    }
    Py_XDECREF(module);
    Py_XDECREF(spec);
    Py_XDECREF(type);
    Py_XDECREF(importlib);
    return rc;
}

int
pexcz_lazy_site_install(void)
{
    if (add_builtins() < 0 || pexcz_set_sys_flag("no_site", 0) < 0) {
        return -1;
    }
    return add_module();
}
