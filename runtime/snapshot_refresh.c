/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_refresh.h"

#include "orig_argv.h"
#include "sys_flags.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Python's global flags are deprecated from 3.12 on. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static PyObject *
loaded_module(const char *name)
{
    PyObject *text = PyUnicode_FromString(name);
    PyObject *module = text != NULL ? PyImport_GetModule(text) : NULL;

    Py_XDECREF(text);
    return module;
}

/* --- arguments and environment ------------------------------------------- */

/* The list `name` of sys gets `first` (unless NULL) and `items`, and stays
 * the same object. */
static int
refill_list(const char *name, const char *first, char *const *items, int count)
{
    PyObject *list = PySys_GetObject(name);
    PyObject *values = PyList_New(0);
    int rc = list != NULL && PyList_Check(list) && values != NULL ? 0 : -1;

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

/* posix.environ, which os.environ shares. */
static int
refresh_environ(void)
{
    PyObject *posix = loaded_module("posix");
    PyObject *dict;
    int rc;

    if (posix == NULL) {
        return PyErr_Occurred() != NULL ? -1 : 0;
    }
    dict = PyObject_GetAttrString(posix, "environ");
    rc = dict != NULL && PyDict_Check(dict) ? fill_environ(dict) : -1;
    Py_XDECREF(dict);
    Py_DECREF(posix);
    return rc;
}

int
pexcz_refresh_arguments(const struct pexcz_python_options *options,
                        const char *argv0)
{
    int program = options->program + 1;

    if (refill_list("argv", argv0, options->argv + program,
                    options->argc - program)
            < 0
        || refill_list("orig_argv", NULL, options->original_argv,
                       options->original_argc)
               < 0
        || set_executable(options->executable) < 0) {
        return -1;
    }
    if (pexcz_orig_argv_put(options->original_argc, options->original_argv)
        < 0) {
        PyErr_NoMemory();
        return -1;
    }
    return refresh_environ();
}

/* --- streams ------------------------------------------------------------- */

/* Calls type(self).__init__ again with these arguments, which are consumed. */
static int
initialise(PyObject *self, PyObject *args)
{
    int rc = args != NULL ? Py_TYPE(self)->tp_init(self, args, NULL) : -1;

    Py_XDECREF(args);
    return rc;
}

/* A FileIO as create_stdio() of pylifecycle.c makes it.  A new one: __init__
 * would keep what it found out about the old descriptor. */
static PyObject *
new_raw(PyObject *type, int fd, const char *name)
{
    PyObject *args = Py_BuildValue("is", fd, fd == STDIN_FILENO ? "rb" : "wb");
    PyObject *kwargs = Py_BuildValue("{s:O}", "closefd", Py_False);
    PyObject *text = PyUnicode_FromString(name);
    PyObject *raw = args != NULL && kwargs != NULL && text != NULL
                        ? PyObject_Call(type, args, kwargs)
                        : NULL;

    if (raw != NULL && PyObject_SetAttrString(raw, "name", text) < 0) {
        Py_CLEAR(raw);
    }
    Py_XDECREF(text);
    Py_XDECREF(kwargs);
    Py_XDECREF(args);
    return raw;
}

/* The stream and its buffer stay the objects that they are. */
static int
refresh_layers(PyObject *text, PyObject *buffer, PyObject *raw, int fd,
               const char *errors)
{
    bool buffered = Py_UnbufferedStdioFlag == 0;
    bool by_line = buffered && (fd == STDERR_FILENO || isatty(fd) == 1);
    PyObject *below = buffered || fd == STDIN_FILENO ? buffer : raw;
    PyObject *size = PyObject_GetAttrString(raw, "_blksize");
    int rc = size != NULL ? initialise(buffer, Py_BuildValue("OO", raw, size))
                          : -1;

    Py_XDECREF(size);
    if (rc < 0) {
        return -1;
    }
    if (below == raw) {
        Py_INCREF(buffer); /* its end would close `raw` */
    }
    return initialise(text, Py_BuildValue("OsssOO", below, "utf-8", errors,
                                          "\n", by_line ? Py_True : Py_False,
                                          buffered ? Py_False : Py_True));
}

static int
refresh_stream(int fd, const char *attribute, const char *name,
               const char *errors)
{
    PyObject *text = PySys_GetObject(attribute);
    PyObject *buffer
        = text != NULL ? PyObject_GetAttrString(text, "buffer") : NULL;
    PyObject *old
        = buffer != NULL ? PyObject_GetAttrString(buffer, "raw") : NULL;
    PyObject *raw
        = old != NULL ? new_raw((PyObject *)Py_TYPE(old), fd, name) : NULL;
    int rc = raw != NULL ? refresh_layers(text, buffer, raw, fd, errors) : -1;

    Py_XDECREF(raw);
    Py_XDECREF(old);
    Py_XDECREF(buffer);
    return rc;
}

/* --- signals ------------------------------------------------------------- */

static int
call_signal(PyObject *module, int number, PyObject *handler)
{
    PyObject *result
        = PyObject_CallMethod(module, "signal", "iO", number, handler);

    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

/* A signal ignored by whoever started us stays so, as Python has it; for the
 * others the handlers of the snapshot go in. */
static int
refresh_signal(PyObject *module, int number, PyObject *ignore)
{
    struct sigaction action;
    PyObject *handler;
    int rc = 0;

    if (sigaction(number, NULL, &action) != 0) {
        return 0;
    }
    if ((action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_IGN) {
        return call_signal(module, number, ignore);
    }
    handler = PyObject_CallMethod(module, "getsignal", "i", number);
    if (handler == NULL) {
        return -1;
    }
    if (handler != Py_None && !PyLong_Check(handler)) {
        rc = call_signal(module, number, handler);
    }
    Py_DECREF(handler);
    return rc;
}

static int
refresh_signals(void)
{
    PyObject *module = loaded_module("_signal");
    PyObject *ignore = PyLong_FromLong((long)(intptr_t)SIG_IGN);
    int rc = module != NULL && ignore != NULL ? 0 : -1;

    (void)PyOS_setsig(SIGPIPE, SIG_IGN);
    (void)PyOS_setsig(SIGXFSZ, SIG_IGN);
    for (int i = 1; i < NSIG && rc == 0; i++) {
        rc = refresh_signal(module, i, ignore);
    }
    Py_XDECREF(ignore);
    Py_XDECREF(module);
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

static int
refresh_time_zone(void)
{
    PyObject *module = loaded_module("time");
    PyObject *result;

    if (module == NULL) {
        return PyErr_Occurred() != NULL ? -1 : 0;
    }
    result = PyObject_CallMethod(module, "tzset", NULL);
    Py_XDECREF(result);
    Py_DECREF(module);
    return result != NULL ? 0 : -1;
}

int
pexcz_refresh_process(const char *stdio_errors)
{
    if (refresh_flags() < 0
        || refresh_stream(STDIN_FILENO, "__stdin__", "<stdin>", stdio_errors)
               < 0
        || refresh_stream(STDOUT_FILENO, "__stdout__", "<stdout>",
                          stdio_errors)
               < 0
        || refresh_stream(STDERR_FILENO, "__stderr__", "<stderr>",
                          "backslashreplace")
               < 0
        || refresh_signals() < 0) {
        return -1;
    }
    return refresh_time_zone();
}
