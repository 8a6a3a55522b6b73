/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_role.h"

#include "app_environment.h"
#include "app_site.h"
#include "callbacks.h"
#include "command.h"
#include "exe_layout.h"
#include "heap_signatures.h"
#include "library_absent.h"
#include "library_construct.h"
#include "library_crash.h"
#include "library_direct.h"
#include "library_settle.h"
#include "library_watch.h"
#include "python_version.h"
#include "snapshot.h"
#include "snapshot_environment.h"
#include "snapshot_home.h"
#include "snapshot_home_texts.h"
#include "snapshot_home_watch.h"
#include "snapshot_kernel.h"
#include "standby.h"
#include "vfs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#define FIXED_ARGUMENTS 5

static _Noreturn void
give_up(const struct pexcz_error *err)
{
    (void)dprintf(STDERR_FILENO, "%s\n", err->msg);
    _exit(1);
}

bool
pexcz_is_snapshot_role(const struct pexcz_located *located, int argc,
                       char *const *argv)
{
    return located->has_app && argc >= FIXED_ARGUMENTS
           && strcmp(argv[0], PEXCZ_SNAPSHOT_PROGRAM) == 0
           && pexcz_trusts_environment();
}

/* The application's blob, for the function `startup` of the script. */
static const struct pexcz_blob *startup_app;

static PyObject *
startup(PyObject *self, PyObject *args)
{
    (void)self;
    (void)args;
    if (pexcz_app_startup(startup_app) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* library(path): why the shared object cannot be in the snapshot, or None. */
static PyObject *
library(PyObject *self, PyObject *path)
{
    const char *text = PyUnicode_AsUTF8(path);
    size_t skip = strlen(PEXCZ_PREFIX) + 1;
    const char *why = NULL;
    bool is_packed;

    (void)self;
    if (text == NULL) {
        return NULL;
    }
    is_packed = strncmp(text, PEXCZ_PREFIX "/", skip) == 0;
    if (is_packed && pexcz_library_open(text + skip, &why) != NULL) {
        Py_RETURN_NONE;
    }
    return PyUnicode_FromString(why != NULL ? why
                                : is_packed ? "is left to ld.so"
                                            : "is a file of the machine");
}

/* refuse_library(path): ld.so is to load it. */
static PyObject *
refuse_library(PyObject *self, PyObject *path)
{
    const char *text = PyUnicode_AsUTF8(path);
    size_t skip = strlen(PEXCZ_PREFIX) + 1;

    (void)self;
    if (text == NULL) {
        return NULL;
    }
    if (strncmp(text, PEXCZ_PREFIX "/", skip) == 0) {
        pexcz_library_refuse(text + skip);
    }
    Py_RETURN_NONE;
}

/* watch_libraries(report): report(name) for each function of libc that a
 * library calls and that is not a mere computation, "$NAME" for getenv(). */
static PyObject *
watch_libraries(PyObject *self, PyObject *report)
{
    (void)self;
    pexcz_library_watch(Py_NewRef(report));
    Py_RETURN_NONE;
}

/* look_for(path): the snapshot is good for processes that do not find a file
 * there, as this one does not. */
static PyObject *
look_for(PyObject *self, PyObject *path)
{
    const char *text = PyUnicode_AsUTF8(path);

    (void)self;
    if (text == NULL) {
        return NULL;
    }
    if (text[0] == '~' ? !pexcz_library_absent_at_home(text)
                       : pexcz_library_access(text, F_OK) == 0) {
        return PyErr_Format(PyExc_RuntimeError, "%s is there", text);
    }
    Py_RETURN_NONE;
}

/* needs_cwd(): the snapshot is good for processes that have a working
 * directory only. */
static PyObject *
needs_cwd(PyObject *self, PyObject *args)
{
    (void)self;
    (void)args;
    pexcz_snapshot_need_cwd();
    Py_RETURN_NONE;
}

/* needs_encoding(): the snapshot is good for locales of UTF-8 only, not for
 * others in which Python reads and writes it. */
static PyObject *
needs_encoding(PyObject *self, PyObject *args)
{
    (void)self;
    (void)args;
    pexcz_snapshot_need_encoding();
    Py_RETURN_NONE;
}

/* home(): what $HOME is, None when the application has another one. */
static PyObject *
home(PyObject *self, PyObject *args)
{
    (void)self;
    (void)args;
    return pexcz_snapshot_home_get();
}

/* home_samples(): the homes that the imports are tried with. */
static PyObject *
home_samples(PyObject *self, PyObject *args)
{
    (void)self;
    (void)args;
    return pexcz_snapshot_home_get_samples();
}

/* is_home_text(object): whether the home in it can be replaced. */
static PyObject *
is_home_text(PyObject *self, PyObject *object)
{
    (void)self;
    return pexcz_snapshot_home_is_text(object);
}

/* has_home(object): whether it is a text with the home's component in it. */
static PyObject *
has_home(PyObject *self, PyObject *object)
{
    (void)self;
    return PyBool_FromLong(pexcz_snapshot_home_is_in(object));
}

/* can_be_home(text): whether a start may have such a home. */
static PyObject *
can_be_home(PyObject *self, PyObject *text)
{
    const char *path = PyUnicode_AsUTF8(text);

    (void)self;
    return path != NULL ? PyBool_FromLong(pexcz_snapshot_home_fits(path))
                        : NULL;
}

/* watch_texts(report), tell_text(kind, text, other) and replace_method(type,
 * name, function): snapshot_home_watch.h */
static PyObject *
watch_texts(PyObject *self, PyObject *report)
{
    (void)self;
    pexcz_snapshot_home_watch(Py_NewRef(report));
    Py_RETURN_NONE;
}

static PyObject *
tell_text(PyObject *self, PyObject *args)
{
    const char *kind;
    PyObject *text;
    PyObject *other;

    (void)self;
    if (!PyArg_ParseTuple(args, "sOO", &kind, &text, &other)
        || pexcz_snapshot_home_tell(kind, text, other) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
replace_method(PyObject *self, PyObject *args)
{
    PyTypeObject *type;
    PyObject *name;
    PyObject *function;

    (void)self;
    if (!PyArg_ParseTuple(args, "O!UO", &PyType_Type, &type, &name, &function)
        || pexcz_snapshot_home_replace_method(type, name, function) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* needs_home(lists): the imports have read it; what of it is in these lists is
 * replaced at start. */
static PyObject *
needs_home(PyObject *self, PyObject *lists)
{
    (void)self;
    pexcz_snapshot_home_need(lists);
    Py_RETURN_NONE;
}

/* kernel(): the version of the kernel that modules are told. */
static PyObject *
ask_kernel(PyObject *self, PyObject *args)
{
    (void)self;
    (void)args;
    return PyUnicode_FromString(pexcz_snapshot_kernel_ask());
}

/* signatures(objects): heap_signatures.h */
static PyObject *
signatures(PyObject *self, PyObject *objects)
{
    (void)self;
    return pexcz_heap_signatures(objects);
}

/* stand_by(list): standby.h */
static PyObject *
stand_by(PyObject *self, PyObject *list)
{
    (void)self;
    if (pexcz_standby_set(list) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"can_be_home", can_be_home, METH_O, NULL},
    {"has_home", has_home, METH_O, NULL},
    {"home", home, METH_NOARGS, NULL},
    {"home_samples", home_samples, METH_NOARGS, NULL},
    {"is_home_text", is_home_text, METH_O, NULL},
    {"kernel", ask_kernel, METH_NOARGS, NULL},
    {"look_for", look_for, METH_O, NULL},
    {"needs_cwd", needs_cwd, METH_NOARGS, NULL},
    {"needs_encoding", needs_encoding, METH_NOARGS, NULL},
    {"needs_home", needs_home, METH_O, NULL},
    {"signatures", signatures, METH_O, NULL},
    {"stand_by", stand_by, METH_O, NULL},
    {"startup", startup, METH_NOARGS, NULL},
    {"library", library, METH_O, NULL},
    {"refuse_library", refuse_library, METH_O, NULL},
    {"replace_method", replace_method, METH_VARARGS, NULL},
    {"tell_text", tell_text, METH_VARARGS, NULL},
    {"watch_texts", watch_texts, METH_O, NULL},
    {"watch_libraries", watch_libraries, METH_O, NULL},
};

/* Puts the functions into the script's globals. */
static int
add_functions(PyObject *globals)
{
    int rc = 0;

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]) && rc == 0;
         i++) {
        PyObject *function = PyCFunction_New(&methods[i], NULL);

        rc = function != NULL
                 ? PyDict_SetItemString(globals, methods[i].ml_name, function)
                 : -1;
        Py_XDECREF(function);
    }
    return rc;
}

static void
note_gate(char *names)
{
    for (char *name = strtok(names, ","); name != NULL;
         name = strtok(NULL, ",")) {
        pexcz_snapshot_environment_note(name);
    }
}

/* sys.exit(message) too: exit() would run handlers whose addresses cannot be
 * told any more, see library_settle.c. */
static void
report_failure(void)
{
    PyObject *type;
    PyObject *value;
    PyObject *traceback;

    if (PyErr_ExceptionMatches(PyExc_SystemExit) == 0) {
        PyErr_Print();
        return;
    }
    PyErr_Fetch(&type, &value, &traceback);
    PySys_FormatStderr("%S\n", value);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
}

static int
run_script(const char *text, char *const *arguments, int count)
{
    PyObject *globals = PyDict_New();
    PyObject *list = PyList_New(0);
    PyObject *result = NULL;

    for (int i = 0; list != NULL && i < count; i++) {
        PyObject *item = PyUnicode_DecodeFSDefault(arguments[i]);

        if (item == NULL || PyList_Append(list, item) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
    }
    if (globals != NULL && list != NULL
        && PyDict_SetItemString(globals, "__builtins__", PyEval_GetBuiltins())
               == 0
        && add_functions(globals) == 0
        && PyDict_SetItemString(globals, "arguments", list) == 0) {
        result = PyRun_String(text, Py_file_input, globals, globals);
    }
    if (result == NULL) {
        report_failure();
    }
    Py_XDECREF(list);
    Py_XDECREF(globals);
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

/* Options of the PEX by which every block of memory has a header, or each
 * import is told: those are for a process that does the imports itself. */
static void
refuse_options(void)
{
    const PyConfig *config
        = _PyInterpreterState_GetConfig(PyInterpreterState_Get());
    const char *option = config->dev_mode != 0      ? "-X dev"
                         : config->tracemalloc != 0 ? "-X tracemalloc"
                         : config->import_time != 0 ? "-X importtime"
                         : config->verbose != 0     ? "-v"
                                                    : NULL;
    struct pexcz_error err;

    if (option != NULL) {
        (void)pexcz_fail(&err, PEXCZ_E_UNSUPPORTED, 0,
                         "the PEX runs its Python with %s", option);
        give_up(&err);
    }
}

static enum pexcz_places
places_of(const char *text)
{
    return strcmp(text, "record") == 0 ? PEXCZ_PLACES_RECORD
           : strcmp(text, "use") == 0  ? PEXCZ_PLACES_USE
                                       : PEXCZ_PLACES_NONE;
}

static void
boot(const struct pexcz_located *located, bool dump, const char *places)
{
    static char executable[] = PEXCZ_SNAPSHOT_EXECUTABLE;
    static char *argv[] = {executable, NULL};
    struct pexcz_pex_variables variables = {0};
    struct pexcz_command command = {
        .role = PEXCZ_ROLE_APPLICATION,
        .name = PEXCZ_SNAPSHOT_ARGV0,
    };
    struct pexcz_python_options options = {
        .tree = &located->tree,
        .executable = executable,
        .original_argc = 1,
        .original_argv = argv,
        .environment = true,
        .hash_seed = pexcz_snapshot_hash_seed(located->app.id),
    };
    struct pexcz_error err;
    PyStatus status;

    if (pexcz_app_environment(&located->app, &variables, executable, &err)
        < 0) {
        give_up(&err);
    }
    options.argv = pexcz_command_argv(&command, &located->app, false,
                                      &options.argc, &options.program);
    if (options.argv == NULL) {
        (void)pexcz_fail(&err, PEXCZ_E_NOMEM, 0, "out of memory");
        give_up(&err);
    }
    pexcz_snapshot_home_begin();
    if (dump && pexcz_snapshot_begin(places_of(places), &err) < 0) {
        give_up(&err);
    }
    status = pexcz_python_preconfigure(&options);
    if (!PyStatus_Exception(status)) {
        status = pexcz_python_start(&options);
    }
    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status);
    }
    refuse_options();
    pexcz_snapshot_environment_watch();
    if (pexcz_snapshot_home_started() < 0
        || pexcz_app_paths(&located->app, PEXCZ_SNAPSHOT_ARGV0) < 0) {
        PyErr_Print();
        _exit(1);
    }
}

struct role {
    const struct pexcz_located *located;
    int argc;
    char **argv;
};

static void
make(void *argument)
{
    const struct role *r = argument;
    bool dump = r->argv[1][0] != '-';
    struct pexcz_error err;

    pexcz_callbacks_begin();

    /* Numbers above 256 are objects in the heap, small ones are not: it must
     * not show in the snapshot who packs. */
    pexcz_vfs_set_owner(0, 0);
    boot(r->located, dump, r->argv[2]);
    if (strchr(r->argv[1], ',') == NULL) {
        /* Not before Python has noted which handlers there are. */
        pexcz_library_crash_begin();
    }
    note_gate(r->argv[3]);
    if (run_script(r->argv[4], r->argv + FIXED_ARGUMENTS,
                   r->argc - FIXED_ARGUMENTS)
        < 0) {
        _exit(1);
    }
    if (dump && pexcz_snapshot_write(r->located, atoi(r->argv[1]), &err) < 0) {
        give_up(&err);
    }
    _exit(0);
}

_Noreturn void
pexcz_snapshot_role(const struct pexcz_located *located, int argc, char **argv)
{
    struct role role = {located, argc, argv};
    bool second = strchr(argv[1], '+') != NULL;
    struct pexcz_error err;

    /* The packer may be killed, and the imports may take for ever. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!PEXCZ_HAS_SNAPSHOT) {
        (void)pexcz_fail(&err, PEXCZ_E_UNSUPPORTED, 0,
                         "heap snapshots cannot be made with Python %d.%d",
                         PY_MAJOR_VERSION, PY_MINOR_VERSION);
        give_up(&err);
    }
    if (chdir("/") != 0) {
        (void)pexcz_fail(&err, PEXCZ_E_IO, errno, "/");
        give_up(&err);
    }
    startup_app = &located->app;
    pexcz_snapshot_kernel_begin(second);
    pexcz_library_absent_begin();
    if (strchr(argv[1], ',') == NULL) {
        pexcz_libraries_begin(located);
        pexcz_library_construct_begin(second);
        pexcz_library_watch(NULL);
        pexcz_library_settle_begin(second, make, &role);
    }
    make(&role);
    _exit(0);
}
