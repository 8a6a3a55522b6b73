/* SPDX-License-Identifier: Apache-2.0 */
#include "entry_point.h"
#include "config_in_use.h"
#include "entry_frame.h"
#include "pex_helper.h"

#include "exe_layout.h"
#include "import.h"
#include "run_module.h"
#include "snapshot_rehearsal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static PyObject *
text_of(struct pexcz_slice value)
{
    return PyUnicode_DecodeUTF8((const char *)value.ptr, (Py_ssize_t)value.len,
                                "surrogateescape");
}

static int
run_module(struct pexcz_slice name)
{
    PyObject *text = text_of(name);
    int rc = text == NULL                   ? -1
             : pexcz_rehearsal_has_script() ? pexcz_rehearsal_run_script()
                                            : pexcz_run_module(text);

    Py_XDECREF(text);
    return rc;
}

static int
set_argv0(PyObject *name)
{
    PyObject *argv = PySys_GetObject("argv");

    if (argv == NULL || !PyList_Check(argv) || PyList_GET_SIZE(argv) == 0) {
        PyErr_SetString(PyExc_RuntimeError, "sys.argv is not there");
        return -1;
    }
    return PyList_SetItem(argv, 0, Py_NewRef(name));
}

/* sys.exit(MODULE.ATTR()) */
static int
run_call(struct pexcz_slice name, struct pexcz_slice attributes)
{
    PyObject *text = text_of(name);
    PyObject *value = text != NULL ? pexcz_import_text(text) : NULL;
    const char *p = (const char *)attributes.ptr;
    const char *end = p + attributes.len;
    PyObject *result;

    Py_XDECREF(text);
    while (value != NULL && p <= end) {
        const char *dot = memchr(p, '.', (size_t)(end - p));
        size_t n = dot != NULL ? (size_t)(dot - p) : (size_t)(end - p);
        PyObject *attr = text_of(pexcz_slice_make(p, n));

        Py_SETREF(value, attr != NULL ? PyObject_GetAttr(value, attr) : NULL);
        Py_XDECREF(attr);
        p += n + 1;
    }
    if (value == NULL) {
        return -1;
    }
    if (pexcz_rehearsal_has_script()) {
        Py_DECREF(value);
        return pexcz_rehearsal_run_script();
    }
    result = pexcz_entry_frame_call(value);
    Py_DECREF(value);
    if (result == NULL) {
        return -1;
    }
    /* The end of a program whose result is None needs no exception, unless it
     * would be shown. */
    if (getenv("PYTHONINSPECT") == NULL
        && (result != Py_None || pexcz_config_in_use()->inspect != 0)) {
        PyErr_SetObject(PyExc_SystemExit, result);
    }
    Py_DECREF(result);
    return PyErr_Occurred() != NULL ? -1 : 0;
}

/* The attributes of __main__ that `python FILE` sets. */
static int
set_main_file(PyObject *dict, PyObject *file)
{
    PyObject *external = PyImport_ImportModule("_frozen_importlib_external");
    PyObject *loader = external != NULL
                           ? PyObject_CallMethod(external, "SourceFileLoader",
                                                 "sO", "__main__", file)
                           : NULL;
    int rc = -1;

    if (loader != NULL && PyDict_SetItemString(dict, "__file__", file) == 0
        && PyDict_SetItemString(dict, "__cached__", Py_None) == 0) {
        rc = PyDict_SetItemString(dict, "__loader__", loader);
    }
    Py_XDECREF(loader);
    Py_XDECREF(external);
    return rc;
}

/* As `python FILE`, but sys.argv[0] is the script's name, as Pex has it. */
static int
run_python_script(const char *path, const char *name, FILE *stream)
{
    PyObject *module = PyImport_AddModule("__main__");
    PyObject *dict = module != NULL ? PyModule_GetDict(module) : NULL;
    PyObject *file = PyUnicode_DecodeFSDefault(path);
    PyObject *argv0 = PyUnicode_DecodeFSDefault(name);
    PyObject *result = NULL;

    if (dict == NULL || file == NULL || argv0 == NULL
        || set_main_file(dict, file) < 0 || set_argv0(argv0) < 0) {
        (void)fclose(stream);
    }
    else {
        result = PyRun_FileEx(stream, path, Py_file_input, dict, dict, 1);
    }
    Py_XDECREF(argv0);
    Py_XDECREF(file);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

/* Becomes the program, which is not a Python script, with our arguments. */
static int
exec_program(const char *path)
{
#ifdef PEXCZ_LIBRARY /* this process is somebody else's */
    PyErr_Format(PyExc_NotImplementedError,
                 "the entry point %s is not a Python program", path);
    return -1;
#else
    PyObject *os = PyImport_ImportModule("os");
    PyObject *argv = PySys_GetObject("argv");
    PyObject *args
        = argv != NULL ? PyList_GetSlice(argv, 1, PY_SSIZE_T_MAX) : NULL;
    PyObject *file = PyUnicode_DecodeFSDefault(path);

    if (os != NULL && args != NULL && file != NULL
        && PyList_Insert(args, 0, file) == 0) {
        Py_XDECREF(PyObject_CallMethod(os, "execv", "OO", file, args));
    }
    Py_XDECREF(file);
    Py_XDECREF(args);
    Py_XDECREF(os);
    return -1;
#endif
}

/* An ELF file, or a script of another interpreter. */
static bool
is_other_program(char *start, size_t n)
{
    if (n >= 4 && memcmp(start, "\177ELF", 4) == 0) {
        return true;
    }
    if (n < 2 || memcmp(start, "#!", 2) != 0) {
        return false;
    }
    start[strcspn(start, "\r\n")] = '\0';
    return strstr(start, "python") == NULL && strstr(start, "pypy") == NULL;
}

/* `path` is under the root. */
static int
run_script(struct pexcz_slice path)
{
    char file[PEXCZ_MAX_PATH + sizeof(PEXCZ_PREFIX) + 1];
    char start[256] = "";
    size_t n;
    FILE *stream;

    if (pexcz_rehearsal_has_script()) {
        return pexcz_rehearsal_run_script();
    }
    (void)snprintf(file, sizeof(file), "%s/%.*s", PEXCZ_PREFIX, (int)path.len,
                   (const char *)path.ptr);
    stream = fopen(file, "rbe");
    if (stream == NULL) {
        PyErr_SetFromErrnoWithFilename(PyExc_OSError, file);
        return -1;
    }
    n = fread(start, 1, sizeof(start) - 1, stream);
    if (is_other_program(start, n)) {
        (void)fclose(stream);
        return exec_program(file);
    }
    rewind(stream);
    return run_python_script(file, strrchr(file, '/') + 1, stream);
}

static struct pexcz_slice
trimmed(const char *start, const char *end)
{
    while (start < end && strchr(" \t\r\n\v\f", *start) != NULL) {
        start++;
    }
    while (end > start && strchr(" \t\r\n\v\f", end[-1]) != NULL) {
        end--;
    }
    return pexcz_slice_make(start, (size_t)(end - start));
}

/* "mod" or "mod:attr.attr", behind it perhaps extras in brackets. */
static int
run_text(struct pexcz_slice text)
{
    const char *start = (const char *)text.ptr;
    const char *bracket = memchr(start, '[', text.len);
    const char *end = bracket != NULL ? bracket : start + text.len;
    const char *colon = memchr(start, ':', (size_t)(end - start));
    struct pexcz_slice module = trimmed(start, colon != NULL ? colon : end);
    struct pexcz_slice attributes
        = colon != NULL ? trimmed(colon + 1, end) : pexcz_slice_make(end, 0);
    PyObject *shown;

    if (module.len == 0 || (colon != NULL && attributes.len == 0)) {
        shown = text_of(text);
        if (shown != NULL) {
            PyErr_Format(PyExc_SystemExit,
                         "Invalid entry point specification: %R.", shown);
            Py_DECREF(shown);
        }
        return -1;
    }
    return colon != NULL ? run_call(module, attributes) : run_module(module);
}

static int
fail_without_script(const char *name)
{
    PyObject *hint = pexcz_helper_call(PEXCZ_HELPER_RUN, "near_script", "(N)",
                                       pexcz_helper_text(name));

    if (hint != NULL) {
        PyErr_Format(PyExc_SystemExit, "Could not find script '%s' in pex!%S",
                     name, hint);
        Py_DECREF(hint);
    }
    return -1;
}

/* PEX_SCRIPT: a console script of a distribution, else a file under bin/. */
static int
run_named_script(const struct pexcz_blob *app, const char *name)
{
    char path[PEXCZ_MAX_PATH];
    PyObject *found = pexcz_helper_call(PEXCZ_HELPER_RUN, "console_script",
                                        "(N)", pexcz_helper_text(name));
    struct pexcz_slice whole;
    struct pexcz_entry entry;
    int rc;

    if (found == NULL || found != Py_None) {
        const char *text = found != NULL ? PyUnicode_AsUTF8(found) : NULL;

        rc = text != NULL ? run_text(pexcz_slice_str(text)) : -1;
        Py_XDECREF(found);
        return rc;
    }
    Py_DECREF(found);
    rc = snprintf(path, sizeof(path), "bin/%s", name);
    whole = pexcz_slice_make(path, (size_t)rc);
    if ((size_t)rc < sizeof(path) && strchr(name, '/') == NULL
        && pexcz_blob_find(app, whole, pexcz_blob_hash(whole), &entry)) {
        return run_script(whole);
    }
    return fail_without_script(name);
}

int
pexcz_run_entry_point(const struct pexcz_blob *app,
                      const struct pexcz_command *command,
                      const struct pexcz_pex_variables *variables)
{
    struct pexcz_slice module;
    struct pexcz_slice attribute;
    struct pexcz_slice script;

    if (variables->script != NULL) {
        return run_named_script(app, variables->script);
    }
    if (variables->module != NULL) {
        return run_text(pexcz_slice_str(variables->module));
    }
    if (command->entry.len != 0) {
        return run_text(command->entry);
    }
    if (pexcz_blob_boot_get(app, PEXCZ_BOOT_ENTRY_SCRIPT, &script)) {
        return run_script(script);
    }
    if (!pexcz_blob_boot_get(app, PEXCZ_BOOT_ENTRY_MODULE, &module)) {
        PyErr_SetString(PyExc_RuntimeError, "the PEX has no entry point");
        return -1;
    }
    return pexcz_blob_boot_get(app, PEXCZ_BOOT_ENTRY_ATTR, &attribute)
               ? run_call(module, attribute)
               : run_module(module);
}
