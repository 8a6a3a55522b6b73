/* SPDX-License-Identifier: Apache-2.0 */
#include "exit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Python's own code for output that could not be flushed at exit. */
#define EXIT_FLUSH_FAILED 120

struct finalisers {
    PyTypeObject *io_base;      /* _io._IOBase */
    PyObject *del;              /* "__del__" */
    PyObject *seen;             /* set of types that have none */
};

/* The exit code of a SystemExit; consumes the exception that is set. */
static int
system_exit_code(void)
{
    PyObject *type;
    PyObject *value;
    PyObject *tb;
    PyObject *code;
    int rc = 0;

    PyErr_Fetch(&type, &value, &tb);
    PyErr_NormalizeException(&type, &value, &tb);
    code = value != NULL ? PyObject_GetAttrString(value, "code") : NULL;
    if (code == NULL) {
        PyErr_Clear();
        code = Py_NewRef(value != NULL ? value : Py_None);
    }
    if (PyLong_Check(code)) {
        rc = (int)PyLong_AsLong(code);
    }
    else if (code != Py_None) {
        PyObject *stream = PySys_GetObject("stderr");

        if (stream != NULL && stream != Py_None) {
            (void)PyFile_WriteObject(code, stream, Py_PRINT_RAW);
        }
        else {
            (void)PyObject_Print(code, stderr, Py_PRINT_RAW);
            (void)fflush(stderr);
        }
        PySys_WriteStderr("\n");
        rc = 1;
    }
    PyErr_Clear();
    Py_DECREF(code);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(tb);
    return rc;
}

/* Prints the exception that is set, if any; the exit code, or -SIGINT after a
 * KeyboardInterrupt. */
static int
report_exception(void)
{
    if (PyErr_Occurred() == NULL) {
        return 0;
    }
    if (PyErr_ExceptionMatches(PyExc_SystemExit)) {
        return system_exit_code();
    }
    if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
        PyErr_Print();
        return -SIGINT;
    }
    PyErr_Print();
    return 1;
}

static void
call_if_loaded(const char *module, const char *function)
{
    PyObject *name = PyUnicode_FromString(module);
    PyObject *mod = name != NULL ? PyImport_GetModule(name) : NULL;

    if (mod != NULL) {
        PyObject *result = PyObject_CallMethod(mod, function, NULL);

        if (result == NULL) {
            PyErr_WriteUnraisable(mod);
        }
        Py_XDECREF(result);
        Py_DECREF(mod);
    }
    Py_XDECREF(name);
    PyErr_Clear();
}

/* 1 when tearing the object down can be noticed, 0 not, -1 exception. */
static int
is_noticeable(struct finalisers *f, PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    PyObject *method;
    int rc;

    if (PyGen_CheckExact(o) || PyCoro_CheckExact(o)
        || PyAsyncGen_CheckExact(o)) {
        return ((PyGenObject *)o)->gi_frame_state == -1; /* FRAME_SUSPENDED */
    }
    rc = PySet_Contains(f->seen, (PyObject *)type);
    if (rc != 0) {
        return rc < 0 ? -1 : 0;
    }
    if (PyType_IsSubtype(type, f->io_base)) {
        /* io's own classes are flushed, not torn down. */
        return (type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0
               && strncmp(type->tp_name, "_io.", 4) != 0;
    }
    method = _PyType_Lookup(type, f->del);
    if (method != NULL || type->tp_del != NULL
        || strcmp(type->tp_name, "sqlite3.Connection") == 0) {
        return 1;
    }
    return PySet_Add(f->seen, (PyObject *)type);
}

/* Whether any object that the collector knows has a noticeable finaliser; true
 * when that cannot be found out. */
static bool
needs_teardown(void)
{
    struct finalisers f = {0};
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *io = PyImport_ImportModule("_io");
    PyObject *base = io != NULL ? PyObject_GetAttrString(io, "_IOBase") : NULL;
    PyObject *all = gc != NULL
                        ? PyObject_CallMethod(gc, "get_objects", NULL)
                        : NULL;
    bool found = true;

    f.del = PyUnicode_InternFromString("__del__");
    f.seen = PySet_New(NULL);
    if (all != NULL && base != NULL && f.del != NULL && f.seen != NULL) {
        f.io_base = (PyTypeObject *)base;
        found = false;
        for (Py_ssize_t i = 0; !found && i < PyList_GET_SIZE(all); i++) {
            found = is_noticeable(&f, PyList_GET_ITEM(all, i)) != 0;
        }
    }
    PyErr_Clear();
    Py_XDECREF(all);
    Py_XDECREF(f.seen);
    Py_XDECREF(f.del);
    Py_XDECREF(base);
    Py_XDECREF(io);
    Py_XDECREF(gc);
    return found;
}

/* Flushes every open writer that is not one of the standard streams: text
 * layers first, so that their bytes reach the buffers below. */
static void
flush_writers(void)
{
    static const char *const classes[]
        = {"TextIOWrapper", "BufferedWriter", "BufferedRandom"};
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *io = PyImport_ImportModule("_io");
    PyObject *all = gc != NULL
                        ? PyObject_CallMethod(gc, "get_objects", NULL)
                        : NULL;

    for (size_t k = 0; all != NULL && io != NULL && k < 3; k++) {
        PyObject *type = PyObject_GetAttrString(io, classes[k]);

        for (Py_ssize_t i = 0; type != NULL && i < PyList_GET_SIZE(all); i++) {
            PyObject *o = PyList_GET_ITEM(all, i);

            if (Py_IS_TYPE(o, (PyTypeObject *)type)) {
                Py_XDECREF(PyObject_CallMethod(o, "flush", NULL));
                PyErr_Clear(); /* closed, or not a writer */
            }
        }
        Py_XDECREF(type);
    }
    Py_XDECREF(all);
    Py_XDECREF(io);
    Py_XDECREF(gc);
    PyErr_Clear();
}

/* 0, or -1 after a report as Python's own. */
static int
flush_stream(const char *name, bool report)
{
    PyObject *stream = PySys_GetObject(name);
    PyObject *closed;
    PyObject *result;
    int is_closed;

    if (stream == NULL || stream == Py_None) {
        return 0;
    }
    closed = PyObject_GetAttrString(stream, "closed");
    is_closed = closed != NULL ? PyObject_IsTrue(closed) : 0;
    Py_XDECREF(closed);
    PyErr_Clear();
    if (is_closed == 1) {
        return 0;
    }
    result = PyObject_CallMethod(stream, "flush", NULL);
    if (result == NULL) {
        if (report) {
            PyErr_WriteUnraisable(stream);
        }
        PyErr_Clear();
        return -1;
    }
    Py_DECREF(result);
    return 0;
}

static _Noreturn void
leave(int code)
{
    if (code == -SIGINT) {
        /* As Python: so that shells see the interrupt. */
        (void)signal(SIGINT, SIG_DFL);
        (void)kill(getpid(), SIGINT);
        code = SIGINT + 128;
    }
    exit(code);
}

void
pexcz_exit(bool foreign)
{
    int code = report_exception();
    int failed;

    if (foreign) {
        if (Py_FinalizeEx() < 0) {
            code = EXIT_FLUSH_FAILED;
        }
        leave(code);
    }
    call_if_loaded("threading", "_shutdown");
    call_if_loaded("atexit", "_run_exitfuncs");
    if (needs_teardown()) {
        if (Py_FinalizeEx() < 0) {
            code = EXIT_FLUSH_FAILED;
        }
        leave(code);
    }
    failed = flush_stream("stdout", true);
    (void)flush_stream("stderr", false);
    flush_writers();
    leave(failed < 0 ? EXIT_FLUSH_FAILED : code);
}
