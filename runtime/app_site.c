/* SPDX-License-Identifier: Apache-2.0 */
#include "app_site.h"

#include "exe_layout.h"
#include "lazy_site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static PyObject *
text_of(struct pexcz_slice value)
{
    return PyUnicode_DecodeUTF8((const char *)value.ptr, (Py_ssize_t)value.len,
                                "surrogateescape");
}

static int
call_site(PyObject *site, const char *name)
{
    PyObject *result = PyObject_CallMethod(site, name, NULL);

    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

static int
add_search_path(const struct pexcz_blob *app)
{
    PyObject *path = PySys_GetObject("path");
    uint32_t cursor = 0;
    uint32_t key;
    struct pexcz_slice value;

    while (pexcz_blob_boot_next(app, &cursor, &key, &value)) {
        PyObject *text;
        PyObject *item;
        int rc;

        if (key != PEXCZ_BOOT_SEARCH_PATH) {
            continue;
        }
        text = text_of(value);
        item = text != NULL ? PyUnicode_FromFormat("%s/%U", PEXCZ_PREFIX, text)
                            : NULL;
        rc = item != NULL ? PyList_Append(path, item) : -1;
        Py_XDECREF(text);
        Py_XDECREF(item);
        if (rc < 0) {
            return -1;
        }
    }
    return 0;
}

/* A copy of what lines of .pth files see: the globals of site.  Not by way of
 * `__dict__`, which asks for the user's folders, too. */
static PyObject *
site_globals(void)
{
    PyObject *site = PyImport_ImportModule("site");
    PyObject *loaded
        = site != NULL ? PyObject_GetAttrString(site, "main") : NULL;
    PyObject *copy
        = loaded != NULL ? PyDict_Copy(PyModule_GetDict(site)) : NULL;

    Py_XDECREF(loaded);
    Py_XDECREF(site);
    return copy;
}

/*
 * The function that runs a line.  Lines that setuptools writes for namespace
 * packages look for `sitedir` among the variables of their caller, which is
 * site.addpackage().
 */
static PyObject *
line_runner(void)
{
    static const char text[]
        = "def addpackage(sitedir, line):\n    exec(line)\n";
    PyObject *dict = site_globals();
    PyObject *done
        = dict != NULL ? PyRun_String(text, Py_file_input, dict, dict) : NULL;
    PyObject *runner
        = done != NULL ? PyDict_GetItemString(dict, "addpackage") : NULL;

    Py_XINCREF(runner);
    Py_XDECREF(done);
    Py_XDECREF(dict);
    return runner;
}

/* PEXCZ_PREFIX "/lib/pythonX.Y/site-packages" */
static PyObject *
site_packages(const struct pexcz_blob *app)
{
    struct pexcz_slice inner = {0};
    PyObject *text;
    PyObject *whole;

    (void)pexcz_blob_boot_get(app, PEXCZ_BOOT_SEARCH_PATH, &inner);
    text = text_of(inner);
    whole = text != NULL ? PyUnicode_FromFormat("%s/%U", PEXCZ_PREFIX, text)
                         : NULL;
    Py_XDECREF(text);
    return whole;
}

/* A line that fails is reported and the others still run, as site does. */
static int
run_startup_lines(const struct pexcz_blob *app)
{
    PyObject *runner = NULL;
    PyObject *sitedir = NULL;
    uint32_t cursor = 0;
    uint32_t key;
    struct pexcz_slice value;
    int rc = 0;

    while (rc == 0 && pexcz_blob_boot_next(app, &cursor, &key, &value)) {
        PyObject *line;
        PyObject *result = NULL;

        if (key != PEXCZ_BOOT_STARTUP_LINE) {
            continue;
        }
        if (runner == NULL) {
            runner = line_runner();
            sitedir = runner != NULL ? site_packages(app) : NULL;
        }
        line = sitedir != NULL ? text_of(value) : NULL;
        if (line == NULL) {
            rc = -1;
            continue;
        }
        result = PyObject_CallFunctionObjArgs(runner, sitedir, line, NULL);
        if (result == NULL) {
            PySys_FormatStderr("Error processing line of a .pth file: %U\n",
                               line);
            PyErr_Print();
        }
        Py_XDECREF(result);
        Py_DECREF(line);
    }
    Py_XDECREF(runner);
    Py_XDECREF(sitedir);
    return rc;
}

/* sitecustomize and usercustomize of the application, when it has them. */
static int
run_customize(const struct pexcz_blob *app, const char *name,
              const char *function)
{
    char stem[PEXCZ_MAX_PATH];
    struct pexcz_slice site;
    struct pexcz_slice whole;
    struct pexcz_module module;
    PyObject *mod;
    int rc;
    int n;

    if (!pexcz_blob_boot_get(app, PEXCZ_BOOT_SEARCH_PATH, &site)) {
        return 0;
    }
    n = snprintf(stem, sizeof(stem), "%.*s/%s", (int)site.len,
                 (const char *)site.ptr, name);
    if (n < 0 || (size_t)n >= sizeof(stem)) {
        return 0;
    }
    whole = pexcz_slice_make(stem, (size_t)n);
    if (!pexcz_blob_find_module(app, whole, pexcz_blob_hash(whole), &module)) {
        return 0;
    }
    mod = PyImport_ImportModule("site");
    rc = mod != NULL ? call_site(mod, function) : -1;
    Py_XDECREF(mod);
    return rc;
}

static int
set_argv0(const char *argv0)
{
    PyObject *argv = PySys_GetObject("argv");
    PyObject *name = PyUnicode_DecodeFSDefault(argv0);

    if (name == NULL || argv == NULL || !PyList_Check(argv)
        || PyList_GET_SIZE(argv) == 0) {
        Py_XDECREF(name);
        return -1;
    }
    return PyList_SetItem(argv, 0, name);
}

int
pexcz_app_paths(const struct pexcz_blob *app, const char *argv0)
{
    if (set_argv0(argv0) < 0 || pexcz_lazy_site_install() < 0) {
        return -1;
    }
    return add_search_path(app);
}

int
pexcz_app_startup(const struct pexcz_blob *app)
{
    if (run_startup_lines(app) < 0
        || run_customize(app, "sitecustomize", "execsitecustomize") < 0) {
        return -1;
    }
    return run_customize(app, "usercustomize", "execusercustomize");
}

int
pexcz_app_site(const struct pexcz_blob *app, const char *argv0)
{
    return pexcz_app_paths(app, argv0) < 0 ? -1 : pexcz_app_startup(app);
}
