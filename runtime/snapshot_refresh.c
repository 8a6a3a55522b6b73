/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_refresh.h"

#include "exit.h"
#include "import.h"
#include "orig_argv.h"
#include "preconfig.h"
#include "snapshot_objects.h"
#include "snapshot_streams.h"
#include "sys_flags.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Python's global flags are deprecated from 3.12 on. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* There when the base has the module _sqlite3. */
extern int sqlite3_os_init(void) __attribute__((weak));

/* --- arguments and environment ------------------------------------------- */

/* The list gets `first` (unless NULL) and `items`, and stays the same
 * object. */
static int
refill_list(PyObject *list, const char *first, char *const *items, int count)
{
    PyObject *values = PyList_New(0);
    int rc = values != NULL ? 0 : -1;

    for (int i = first != NULL ? -1 : 0; i < count && rc == 0; i++) {
        PyObject *text = PyUnicode_DecodeFSDefault(i < 0 ? first : items[i]);

        rc = text != NULL ? PyList_Append(values, text) : -1;
        Py_XDECREF(text);
    }
    if (rc == 0) {
        rc = PyList_SetSlice(list, 0, PyList_GET_SIZE(list), values);
    }
    Py_XDECREF(values);
    return rc;
}

static int
set_executable(const char *path)
{
    static const char *const names[] = {"executable", "_base_executable"};
    PyObject *text = PyUnicode_DecodeFSDefault(path);
    int rc = text != NULL ? 0 : -1;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && rc == 0; i++) {
        rc = PySys_SetObject(names[i], text);
    }
    Py_XDECREF(text);
    return rc;
}

/* As convertenviron() of posixmodule.c: the first of two alike counts. */
static int
fill_environ(PyObject *dict)
{
    int rc = 0;

    PyDict_Clear(dict);
    for (char **p = environ; p != NULL && *p != NULL && rc == 0; p++) {
        const char *equals = strchr(*p, '=');
        PyObject *key;
        PyObject *value;

        if (equals == NULL) {
            continue;
        }
        key = PyBytes_FromStringAndSize(*p, equals - *p);
        value = PyBytes_FromString(equals + 1);
        rc = key != NULL && value != NULL
                     && PyDict_SetDefault(dict, key, value) != NULL
                 ? 0
                 : -1;
        Py_XDECREF(value);
        Py_XDECREF(key);
    }
    return rc;
}

int
pexcz_refresh_arguments(const struct pexcz_python_options *options,
                        const char *argv0)
{
    const struct pexcz_snapshot_objects *objects = &pexcz_snapshot_objects;
    int program = options->program + 1;

    if (refill_list(objects->argv, argv0, options->argv + program,
                    options->argc - program)
            < 0
        || refill_list(objects->orig_argv, NULL, options->original_argv,
                       options->original_argc)
               < 0
        || set_executable(options->executable) < 0) {
        return -1;
    }
    if (pexcz_orig_argv_put(options->process_argc, options->process_argv)
        < 0) {
        PyErr_NoMemory();
        return -1;
    }
    return objects->environ != NULL ? fill_environ(objects->environ) : 0;
}

/* --- signals ------------------------------------------------------------- */

static int
call_signal(int number, PyObject *handler)
{
    PyObject *result = PyObject_CallFunction(pexcz_snapshot_objects.signal,
                                             "iO", number, handler);

    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

/* A signal ignored by whoever started us stays so, as Python has it; for the
 * others the handlers of the snapshot go in. */
static int
refresh_signal(int number)
{
    PyObject *handler = pexcz_snapshot_objects.handlers[number];
    struct sigaction action;
    PyObject *ignore;
    int rc = 0;

    if (sigaction(number, NULL, &action) != 0) {
        return 0;
    }
    if ((action.sa_flags & SA_SIGINFO) != 0 || action.sa_handler != SIG_IGN) {
        return handler != NULL ? call_signal(number, handler) : 0;
    }
    if (pexcz_snapshot_objects.ignored[number] == 0) {
        ignore = PyLong_FromLong((long)(intptr_t)SIG_IGN);
        rc = ignore != NULL ? call_signal(number, ignore) : -1;
        Py_XDECREF(ignore);
    }
    return rc;
}

static int
refresh_signals(void)
{
    int rc = 0;

    (void)PyOS_setsig(SIGPIPE, SIG_IGN);
    (void)PyOS_setsig(SIGXFSZ, SIG_IGN);
    for (int i = 1; i < NSIG && rc == 0; i++) {
        rc = refresh_signal(i);
    }
    return rc;
}

/* --- variables of Python's own ------------------------------------------- */

static bool
is_set(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0';
}

static int
refresh_flags(void)
{
    if (is_set("PYTHONUNBUFFERED")) {
        Py_UnbufferedStdioFlag = 1;
        (void)setvbuf(stdin, NULL, _IONBF, BUFSIZ);
        (void)setvbuf(stdout, NULL, _IONBF, BUFSIZ);
        (void)setvbuf(stderr, NULL, _IONBF, BUFSIZ);
    }
    if (!is_set("PYTHONDONTWRITEBYTECODE")) {
        return 0;
    }
    Py_DontWriteBytecodeFlag = 1;
    return PySys_SetObject("dont_write_bytecode", Py_True) < 0
               ? -1
               : pexcz_set_sys_flag("dont_write_bytecode", 1);
}

/* --- the rest ------------------------------------------------------------ */

/* A snapshot has UTC. */
static int
refresh_time_zone(void)
{
    PyObject *result;

    if (pexcz_snapshot_objects.tzset == NULL) {
        return 0;
    }
    tzset();
    if (timezone == 0 && daylight == 0 && strcmp(tzname[0], "UTC") == 0
        && strcmp(tzname[1], "UTC") == 0) {
        return 0;
    }
    result = PyObject_CallNoArgs(pexcz_snapshot_objects.tzset);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

/* SQLite keeps where temporary files go.  Doing this twice changes nothing
 * else. */
static void
refresh_sqlite(void)
{
    if (pexcz_snapshot_objects.has_sqlite && sqlite3_os_init != NULL
        && (is_set("SQLITE_TMPDIR") || is_set("TMPDIR"))) {
        (void)sqlite3_os_init();
    }
}

int
pexcz_refresh_process(const char *stdio_errors)
{
    refresh_sqlite();
    if (refresh_flags() < 0 || pexcz_streams_refresh(stdio_errors) < 0
        || refresh_signals() < 0) {
        return -1;
    }
    return refresh_time_zone();
}

/* --- before the dump ----------------------------------------------------- */

/* A variable of a module that is loaded, borrowed; NULL, without an exception,
 * when it is not. */
static PyObject *
attribute_of_loaded(const char *module, const char *name)
{
    PyObject *text = PyUnicode_FromString(module);
    PyObject *loaded = text != NULL ? PyImport_GetModule(text) : NULL;
    PyObject *value
        = loaded != NULL ? PyObject_GetAttrString(loaded, name) : NULL;

    Py_XDECREF(value); /* the module has it */
    Py_XDECREF(loaded);
    Py_XDECREF(text);
    PyErr_Clear();
    return value;
}

static bool
find_handlers(void)
{
    struct pexcz_snapshot_objects *objects = &pexcz_snapshot_objects;
    PyObject *getsignal = attribute_of_loaded("_signal", "getsignal");

    objects->signal = attribute_of_loaded("_signal", "signal");
    for (int i = 1; i < NSIG && getsignal != NULL; i++) {
        PyObject *handler = PyObject_CallFunction(getsignal, "i", i);

        if (handler != NULL && PyCallable_Check(handler)) {
            objects->handlers[i] = handler; /* signalmodule.c has it */
        }
        objects->ignored[i]
            = handler != NULL && PyLong_Check(handler)
              && PyLong_AsLong(handler) == (long)(intptr_t)SIG_IGN;
        Py_XDECREF(handler);
        PyErr_Clear();
    }
    return getsignal != NULL && objects->signal != NULL;
}

static bool
find_lists(void)
{
    struct pexcz_snapshot_objects *objects = &pexcz_snapshot_objects;

    objects->argv = PySys_GetObject("argv");
    objects->orig_argv = PySys_GetObject("orig_argv");
    objects->environ = attribute_of_loaded("posix", "environ");
    return objects->argv != NULL && PyList_Check(objects->argv)
           && objects->orig_argv != NULL && PyList_Check(objects->orig_argv)
           && (objects->environ == NULL || PyDict_Check(objects->environ));
}

/* print(file=io.StringIO()): Python's own notes its parameters when it is
 * first called. */
static int
rehearse_print(void)
{
    PyObject *print = PyDict_GetItemString(PyEval_GetBuiltins(), "print");
    PyObject *io;
    PyObject *kwargs;
    PyObject *result = NULL;

    if (print == NULL || !PyCFunction_Check(print)) {
        return 0;
    }
    io = pexcz_import("_io");
    kwargs = io != NULL ? Py_BuildValue(
                 "{sN}", "file", PyObject_CallMethod(io, "StringIO", NULL))
                        : NULL;
    if (kwargs != NULL) {
        result = PyObject_VectorcallDict(print, NULL, 0, kwargs);
    }
    Py_XDECREF(kwargs);
    Py_XDECREF(io);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

int
pexcz_refresh_rehearse(void)
{
    static char variable[] = "NAME=value";
    static char *argv[] = {variable, variable, NULL};
    static const char *const errors[] = {"strict", "surrogateescape"};
    struct pexcz_snapshot_objects *objects = &pexcz_snapshot_objects;
    const struct pexcz_python_options options = {
        .executable = "",
        .argv = argv,
        .argc = 2,
        .original_argv = argv,
        .original_argc = 2,
        .process_argv = argv,
        .process_argc = 2,
    };
    int rc = setenv("TZ", "UTC0", 1);

    for (size_t i = 0; i < 2 && rc == 0; i++) {
        rc = pexcz_refresh_arguments(&options, variable);
        if (rc == 0) {
            rc = pexcz_refresh_process(errors[i]);
        }
    }
    if (rc == 0) {
        rc = rehearse_print();
        pexcz_exit_rehearse();
    }
    if (rc == 0 && objects->tzset != NULL) {
        Py_XDECREF(PyObject_CallNoArgs(objects->tzset));
    }
    (void)unsetenv("TZ");
    if (objects->environ != NULL) {
        PyDict_Clear(objects->environ);
    }
    if (rc == 0) {
        rc = pexcz_orig_argv_put(0, argv);
    }
    if (rc == 0) {
        rc = refill_list(objects->argv, NULL, NULL, 0);
    }
    if (rc == 0) {
        rc = refill_list(objects->orig_argv, NULL, NULL, 0);
    }
    PyErr_Clear();
    return rc;
}

int
pexcz_refresh_prepare(struct pexcz_error *err)
{
    PyPreConfig preconfig;
    int rc = pexcz_streams_prepare(err);

    if (rc < 0) {
        return rc;
    }
    pexcz_preconfig_get(&preconfig);
    pexcz_snapshot_objects.utf8_mode = preconfig.utf8_mode;
    pexcz_snapshot_objects.tzset = attribute_of_loaded("time", "tzset");
    pexcz_snapshot_objects.has_sqlite
        = attribute_of_loaded("_sqlite3", "connect") != NULL;
    if (!find_lists() || !find_handlers() || pexcz_refresh_rehearse() < 0) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "the imports changed what belongs to sys");
    }
    return PEXCZ_OK;
}
