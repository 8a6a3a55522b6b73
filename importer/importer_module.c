/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module _pexcz: state, installation.
 */
#include "importer.h"

#include "gc_credit.h"
#include "importer_state.h"

/* A fact of the process, the same for all its interpreters: the one variable
 * of this folder. */
static struct {
    const struct pexcz_tree *tree;
} process;

const struct pexcz_tree *
pexcz_importer_tree(void)
{
    return process.tree;
}

/* --- arguments ---------------------------------------------------------- */

static int
bad_args(const char *function, const char *what)
{
    (void)PyErr_Format(PyExc_TypeError, "%s() %s", function, what);
    return -1;
}

int
pexcz_importer_args(const char *function, PyObject *const *args,
                    Py_ssize_t nargs, PyObject *kwnames,
                    PyObject *const *names, Py_ssize_t min, Py_ssize_t max,
                    PyObject **values)
{
    Py_ssize_t nkw = kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0;
    unsigned needed = (1u << min) - 1;
    unsigned given;

    if (nargs + nkw > max) {
        return bad_args(function, "takes fewer arguments");
    }
    given = (1u << nargs) - 1;
    for (Py_ssize_t i = 0; i < nargs; i++) {
        values[i] = args[i];
    }
    for (Py_ssize_t k = 0; k < nkw; k++) {
        PyObject *key = PyTuple_GET_ITEM(kwnames, k);
        Py_ssize_t i = 0;

        while (i < max && PyUnicode_Compare(key, names[i]) != 0) {
            i++;
        }
        if (i == max) {
            return bad_args(function, "got an unexpected keyword argument");
        }
        if ((given & 1u << i) != 0) {
            return bad_args(function, "got multiple values for an argument");
        }
        given |= 1u << i;
        values[i] = args[nargs + k];
    }
    if ((given & needed) != needed) {
        return bad_args(function, "is missing a required argument");
    }
    return 0;
}

/* --- errors ------------------------------------------------------------- */

void
pexcz_importer_fail(PyObject *name, PyObject *path,
                    const struct pexcz_error *err)
{
    PyObject *message;

    if (err->code == PEXCZ_E_NOMEM) {
        (void)PyErr_NoMemory();
        return;
    }
    message
        = PyUnicode_FromFormat("cannot load module %R: %s", name, err->msg);
    if (message != NULL) {
        (void)PyErr_SetImportError(message, name, path);
        Py_DECREF(message);
    }
}

/* --- state -------------------------------------------------------------- */

struct wanted {
    PyObject **slot;
    const char *attribute;
};

static int
get_all(const char *module_name, const struct wanted *wanted)
{
    PyObject *module = PyImport_ImportModule(module_name);

    for (; module != NULL && wanted->slot != NULL; wanted++) {
        *wanted->slot = PyObject_GetAttrString(module, wanted->attribute);
        if (*wanted->slot == NULL) {
            Py_CLEAR(module);
        }
    }
    Py_XDECREF(module);
    return module != NULL ? 0 : -1;
}

/*
 * _frozen_importlib_external is a frozen module: it is there before Python's
 * main initialisation imports it.
 */
static int
get_importlib(struct pexcz_importer_state *state)
{
    PyObject *magic = NULL;
    const struct wanted bootstrap[] = {
        {&state->module_spec, "ModuleSpec"},
        {&state->call_trimmed, "_call_with_frames_removed"},
        {&state->builtin_importer, "BuiltinImporter"},
        {&state->frozen_importer, "FrozenImporter"},
        {NULL, NULL},
    };
    const struct wanted external[] = {
        {&state->path_finder, "PathFinder"},
        {&state->namespace_path, "_NamespacePath"},
        {&state->file_finder, "FileFinder"},
        {&state->source_file_loader, "SourceFileLoader"},
        {&state->sourceless_file_loader, "SourcelessFileLoader"},
        {&state->extension_file_loader, "ExtensionFileLoader"},
        {&magic, "MAGIC_NUMBER"},
        {NULL, NULL},
    };
    pexcz_le32 number;

    if (get_all("_frozen_importlib", bootstrap) < 0
        || get_all("_frozen_importlib_external", external) < 0) {
        return -1;
    }
    /* PyImport_GetMagicNumber() does not work as early as this. */
    if (!PyBytes_Check(magic) || PyBytes_GET_SIZE(magic) != sizeof(number)) {
        Py_DECREF(magic);
        PyErr_SetString(PyExc_ImportError, "odd importlib.MAGIC_NUMBER");
        return -1;
    }
    memcpy(&number, PyBytes_AS_STRING(magic), sizeof(number));
    state->gc_credit = PEXCZ_GC_CREDIT_TOTAL;
    state->magic = pexcz_le32_get(number);
    Py_DECREF(magic);
    return 0;
}

static int
get_imp(struct pexcz_importer_state *state)
{
    PyObject *imp = PyImport_ImportModule("_imp");
    PyObject *names = NULL;
    PyObject *suffixes = NULL;
    PyObject *more = NULL;
    int rc = -1;

    if (imp == NULL) {
        return -1;
    }
    state->is_frozen = PyObject_GetAttrString(imp, "is_frozen");
    names = PyObject_CallMethod(imp, "_frozen_module_names", NULL);
    suffixes = PyObject_CallMethod(imp, "extension_suffixes", NULL);
    more = Py_BuildValue("[ss]", ".py", ".pyc");
    if (state->is_frozen == NULL || names == NULL || suffixes == NULL
        || more == NULL) {
        goto out;
    }
    Py_SETREF(suffixes, PySequence_Concat(suffixes, more));
    if (suffixes == NULL) {
        goto out;
    }
    state->suffixes = PySequence_Tuple(suffixes);
    state->frozen_names = PyFrozenSet_New(names);
    rc = state->suffixes != NULL && state->frozen_names != NULL ? 0 : -1;

out:
    Py_DECREF(imp);
    Py_XDECREF(names);
    Py_XDECREF(suffixes);
    Py_XDECREF(more);
    return rc;
}

static int
get_sys(struct pexcz_importer_state *state)
{
    PyObject *sys = PyImport_ImportModule("sys");
    PyObject *names = NULL;

    if (sys == NULL) {
        return -1;
    }
    state->sys_dict = Py_NewRef(PyModule_GetDict(sys));
    names = PyObject_GetAttrString(sys, "builtin_module_names");
    Py_DECREF(sys);
    if (names == NULL) {
        return -1;
    }
    state->builtin_names = PyFrozenSet_New(names);
    Py_DECREF(names);
    return state->builtin_names != NULL ? 0 : -1;
}

/* FileFinder's list of (suffix, loader), with our loaders in it. */
static int
make_loader_details(struct pexcz_importer_state *state)
{
    Py_ssize_t n = PyTuple_GET_SIZE(state->suffixes);

    state->loader_details = PyList_New(0);
    for (Py_ssize_t i = 0; state->loader_details != NULL && i < n; i++) {
        PyObject *loader = i == n - 1   ? state->sourceless_loader_type
                           : i == n - 2 ? state->source_loader_type
                                        : state->extension_file_loader;
        PyObject *pair
            = PyTuple_Pack(2, PyTuple_GET_ITEM(state->suffixes, i), loader);

        if (pair == NULL || PyList_Append(state->loader_details, pair) < 0) {
            Py_CLEAR(state->loader_details);
        }
        Py_XDECREF(pair);
    }
    return state->loader_details != NULL ? 0 : -1;
}

static int
intern_names(struct pexcz_importer_state *state)
{
#define INTERN(id, text)                                                      \
    state->str_##id = PyUnicode_InternFromString(text);                       \
    if (state->str_##id == NULL) {                                            \
        return -1;                                                            \
    }
    PEXCZ_IMPORTER_NAMES(INTERN)
#undef INTERN
    return 0;
}

/* --- functions ---------------------------------------------------------- */

static PyObject *
module_path_hook(PyObject *module, PyObject *path)
{
    return pexcz_importer_path_hook(PyModule_GetState(module), path);
}

static bool
is_installed(PyObject *list, PyTypeObject *type)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        if (Py_IS_TYPE(PyList_GET_ITEM(list, i), type)) {
            return true;
        }
    }
    return false;
}

static PyObject *
module_install(PyObject *module, PyObject *unused)
{
    struct pexcz_importer_state *state = PyModule_GetState(module);
    PyTypeObject *type = (PyTypeObject *)state->finder_type;
    PyObject *meta_path
        = PyDict_GetItemWithError(state->sys_dict, state->str_meta_path);
    PyObject *finder = NULL;
    int rc;

    (void)unused;
    if (meta_path == NULL || !PyList_Check(meta_path)) {
        if (PyErr_Occurred() == NULL) {
            PyErr_SetString(PyExc_RuntimeError, "sys.meta_path is no list");
        }
        return NULL;
    }
    if (is_installed(meta_path, type)) {
        Py_RETURN_NONE;
    }
    finder = PyObject_CallNoArgs(state->finder_type);
    if (finder == NULL) {
        return NULL;
    }
    rc = PyList_Insert(meta_path, 0, finder);
    Py_DECREF(finder);
    return rc == 0 ? Py_NewRef(Py_None) : NULL;
}

static PyMethodDef module_functions[] = {
    {"install", module_install, METH_NOARGS,
     PyDoc_STR("install($module)\n--\n\n"
               "Put the finder first on sys.meta_path, unless it is there.")},
    {"path_hook", module_path_hook, METH_O,
     PyDoc_STR("path_hook($module, path, /)\n--\n\n"
               "The path hook for directories of the packed tree.")},
    {NULL, NULL, 0, NULL},
};

/* --- the module ---------------------------------------------------------- */

static int
module_exec(PyObject *module)
{
    struct pexcz_importer_state *state = PyModule_GetState(module);
    const struct wanted builtins[] = {{&state->exec, "exec"}, {NULL, NULL}};

    if (process.tree == NULL) {
        PyErr_SetString(PyExc_ImportError, "this process has no packed tree");
        return -1;
    }
    /* Not in the definition: Python lists modules that have functions there as
     * extension modules when it dies. */
    if (PyModule_AddFunctions(module, module_functions) < 0) {
        return -1;
    }
    if (intern_names(state) < 0 || get_all("builtins", builtins) < 0
        || get_importlib(state) < 0 || get_imp(state) < 0
        || get_sys(state) < 0) {
        return -1;
    }
    state->module_spec_kw = Py_BuildValue("(s)", "origin");
    state->empty_tuple = PyTuple_New(0);
    state->minus_one = PyLong_FromLong(-1);
    state->path_hook = PyObject_GetAttrString(module, "path_hook");
    if (state->module_spec_kw == NULL || state->empty_tuple == NULL
        || state->minus_one == NULL || state->path_hook == NULL
        || pexcz_importer_add_finders(module, state) < 0
        || pexcz_importer_add_loaders(module, state) < 0) {
        return -1;
    }
    return make_loader_details(state);
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    const struct pexcz_importer_state *state = PyModule_GetState(module);

    if (state == NULL) {
        return 0;
    }
#define VISIT(id) Py_VISIT(state->id);
    PEXCZ_IMPORTER_OBJECTS(VISIT)
#undef VISIT
    return 0;
}

static int
module_clear(PyObject *module)
{
    /* Finder and loaders may be called until the interpreter is gone: the
     * objects that they use leave with the module itself. */
    (void)module;
    return 0;
}

static void
module_free(void *module)
{
    struct pexcz_importer_state *state = PyModule_GetState(module);

    if (state == NULL) {
        return;
    }
#define CLEAR(id, text) Py_CLEAR(state->str_##id);
    PEXCZ_IMPORTER_NAMES(CLEAR)
#undef CLEAR
#define CLEAR(id) Py_CLEAR(state->id);
    PEXCZ_IMPORTER_OBJECTS(CLEAR)
#undef CLEAR
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)(uintptr_t)module_exec},
#if PY_VERSION_HEX >= 0x030c0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef module_def = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_pexcz",
    .m_doc = PyDoc_STR("Imports from the packed tree."),
    .m_size = sizeof(struct pexcz_importer_state),
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

const struct pexcz_importer_state *
pexcz_importer_state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &module_def);

    return module != NULL ? PyModule_GetState(module) : NULL;
}

PyMODINIT_FUNC
PyInit__pexcz(void)
{
    return PyModuleDef_Init(&module_def);
}

int
pexcz_importer_install(const struct pexcz_tree *tree)
{
    PyObject *module;
    PyObject *result = NULL;

    if (tree != NULL) {
        process.tree = tree;
    }
    module = PyImport_ImportModule("_pexcz");
    if (module != NULL) {
        result = module_install(module, NULL);
        Py_DECREF(module);
    }
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}
