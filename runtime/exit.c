/* SPDX-License-Identifier: Apache-2.0 */
#include "exit.h"

#include "frozen.h"
#include "import.h"
#include "live_objects.h"
#include "python_version.h"
#include "snapshot_rehearsal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Python's own code for output that could not be flushed at exit. */
#define EXIT_FLUSH_FAILED 120

/* A new reference, or NULL with an exception. */
static PyObject *
call_method(PyObject *o, const char *name)
{
    PyObject *method = pexcz_attribute(o, name);
    PyObject *result = method != NULL ? PyObject_CallNoArgs(method) : NULL;

    Py_XDECREF(method);
    return result;
}

static void
call_if_loaded(const char *module, const char *function, const char *when)
{
    PyObject *name = PyUnicode_FromString(module);
    PyObject *mod = name != NULL ? PyImport_GetModule(name) : NULL;

    if (mod != NULL) {
        PyObject *result = call_method(mod, function);

        if (result == NULL) {
            pexcz_report_unraisable(mod, when);
        }
        Py_XDECREF(result);
        Py_DECREF(mod);
    }
    Py_XDECREF(name);
    PyErr_Clear();
}

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

/* PYTHONINSPECT, `-i`: as in Python, looked at when the program is over. */
static bool
is_inspected(const PyConfig *config)
{
    const char *value = getenv("PYTHONINSPECT");

    return config->inspect != 0
           || (config->use_environment != 0 && value != NULL
               && value[0] != '\0');
}

/* A prompt behind the program, if there is somebody to type; the exit code. */
static int
inspect(PyConfig *config, int code)
{
    PyObject *hook;

    config->inspect = 0; /* SystemExit counts again */
    if (isatty(STDIN_FILENO) == 0 && config->interactive == 0) {
        return code;
    }
    call_if_loaded("site", "enablerlcompleter", "before the prompt");
    hook = PySys_GetObject("__interactivehook__");
    if (hook != NULL) {
        PyObject *result = PyObject_CallNoArgs(hook);

        if (result == NULL) {
            PySys_WriteStderr("Failed calling sys.__interactivehook__\n");
            PyErr_Print();
        }
        Py_XDECREF(result);
    }
    return PyRun_AnyFileFlags(stdin, "<stdin>", NULL) != 0;
}

/* Prints the exception that is set, if any, and gives the exit code;
 * *ret_interrupted: it was a KeyboardInterrupt. */
static int
report_exception(bool *ret_interrupted)
{
    PyConfig *config = (PyConfig *)(uintptr_t)_PyInterpreterState_GetConfig(
        PyInterpreterState_Get());
    bool inspected = is_inspected(config);
    int code = 0;

    *ret_interrupted = false;
    config->inspect = inspected; /* PyErr_Print() shows SystemExit then */
    if (PyErr_Occurred() != NULL && !inspected
        && PyErr_ExceptionMatches(PyExc_SystemExit)) {
        return system_exit_code();
    }
    if (PyErr_Occurred() != NULL) {
        *ret_interrupted
            = PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) != 0;
        PyErr_Print();
        code = 1;
    }
    return inspected ? inspect(config, code) : code;
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
    closed = pexcz_attribute(stream, "closed");
    is_closed = closed != NULL ? PyObject_IsTrue(closed) : 0;
    Py_XDECREF(closed);
    PyErr_Clear();
    if (is_closed == 1) {
        return 0;
    }
    result = call_method(stream, "flush");
    if (result == NULL) {
        if (report) {
            pexcz_report_unraisable(stream, "on flushing sys.stdout");
        }
        PyErr_Clear();
        return -1;
    }
    Py_DECREF(result);
    return 0;
}

void
pexcz_exit_rehearse(void)
{
    (void)flush_stream("stdout", false);
    (void)flush_stream("stderr", false);
}

/* An open file that teardown closes is worth a ResourceWarning to whoever
 * asked for warnings. */
static bool
wants_warnings(void)
{
    const PyConfig *config
        = _PyInterpreterState_GetConfig(PyInterpreterState_Get());

    return config->dev_mode != 0 || config->warnoptions.length != 0;
}

/* The collector has to see all objects, those of a snapshot too. */
static int
tear_down(void)
{
    pexcz_rehearsal_end(); /* this writes to all */
    pexcz_frozen_release();
    return Py_FinalizeEx();
}

/* What Py_FinalizeEx() does that can be noticed; its result. */
static int
finish(bool (*is_noticeable)(void))
{
    PyObject *writers;
    int rc;

    if (wants_warnings()) {
        return tear_down();
    }
    call_if_loaded("threading", "_shutdown", "on threading shutdown");
    call_if_loaded("atexit", "_run_exitfuncs", "at exit");
    if ((is_noticeable != NULL && is_noticeable())
        || pexcz_live_objects_need_teardown(true, &writers)) {
        return tear_down();
    }
    rc = flush_stream("stdout", true);
    (void)flush_stream("stderr", false);
    pexcz_live_objects_flush(writers);
    Py_DECREF(writers);
    return rc;
}

void
pexcz_exit(bool (*is_noticeable)(void))
{
    bool interrupted;
    int code = report_exception(&interrupted);

    pexcz_rehearsal_note_lookups();
    if (finish(is_noticeable) < 0) {
        code = EXIT_FLUSH_FAILED;
    }
    if (interrupted) {
        /* As Python, so that a shell sees the interrupt. */
        (void)signal(SIGINT, SIG_DFL);
        (void)kill(getpid(), SIGINT);
        code = SIGINT + 128;
    }
    exit(code);
}
