/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finder, for sys.meta_path, walks a search path as PathFinder does;
 * FileFinder, heir of importlib's, stands for one directory of the tree in
 * sys.path_importer_cache and serves PathFinder as well.
 */
#include "importer_state.h"

/* A borrowed attribute of sys, as Python code sees it; NULL: not there (or
 * an exception). */
static PyObject *
sys_get(const struct pexcz_importer_state *state, PyObject *name)
{
    return PyDict_GetItemWithError(state->sys_dict, name);
}

/* --- path hook ---------------------------------------------------------- */

static PyObject *
new_path_entry_finder(const struct pexcz_importer_state *state, PyObject *path)
{
    PyTypeObject *type = (PyTypeObject *)state->path_entry_finder_type;
    PyObject *self = type->tp_new(type, state->empty_tuple, NULL);
    PyObject *loaders = NULL;
    PyObject *cache = NULL;
    PyObject *relaxed = NULL;
    bool done = false;

    if (self == NULL) {
        return NULL;
    }
    /* All that FileFinder.__init__() sets, for its methods. */
    loaders = PyList_GetSlice(state->loader_details, 0, PY_SSIZE_T_MAX);
    cache = PySet_New(NULL);
    relaxed = PySet_New(NULL);
    done = loaders != NULL && cache != NULL && relaxed != NULL
           && PyObject_SetAttr(self, state->str_loaders, loaders) == 0
           && PyObject_SetAttr(self, state->str_path, path) == 0
           && PyObject_SetAttr(self, state->str_path_mtime, state->minus_one)
                  == 0
           && PyObject_SetAttr(self, state->str_path_cache, cache) == 0
           && PyObject_SetAttr(self, state->str_relaxed_path_cache, relaxed)
                  == 0;
    Py_XDECREF(loaders);
    Py_XDECREF(cache);
    Py_XDECREF(relaxed);
    if (!done) {
        Py_CLEAR(self);
    }
    return self;
}

static bool
is_tree_directory(PyObject *path)
{
    struct pexcz_slice inner;
    struct pexcz_node node;

    return pexcz_importer_tree_path(path, &inner)
           && pexcz_tree_find(pexcz_importer_tree(), inner, &node)
           && node.entry.kind == PEXCZ_KIND_DIR;
}

PyObject *
pexcz_importer_path_hook(const struct pexcz_importer_state *state,
                         PyObject *path)
{
    if (!is_tree_directory(path)) {
        PyObject *message
            = PyUnicode_FromString("only directories of the tree");

        if (message != NULL) {
            (void)PyErr_SetImportError(message, NULL, path);
            Py_DECREF(message);
        }
        return NULL;
    }
    return new_path_entry_finder(state, path);
}

/*
 * Python puts zipimport's hook first when it initialises; ours goes before it
 * once, before any program runs, and stays where a program moves it.
 */
static int
place_hook(struct pexcz_importer_state *state, PyObject *hooks)
{
    Py_ssize_t n = PyList_GET_SIZE(hooks);

    state->hook_placed = true;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (PyList_GET_ITEM(hooks, i) == state->path_hook) {
            if (i == 0) {
                return 0;
            }
            if (PySequence_DelItem(hooks, i) < 0) {
                return -1;
            }
            break;
        }
    }
    return PyList_Insert(hooks, 0, state->path_hook);
}

/*
 * The path entry finder of `entry`, as PathFinder._path_importer_cache();
 * new reference, None if there is none.
 */
static PyObject *
finder_of_entry(struct pexcz_importer_state *state, PyObject *entry)
{
    PyObject *cache = sys_get(state, state->str_path_importer_cache);
    PyObject *hooks = sys_get(state, state->str_path_hooks);
    PyObject *finder = NULL;

    if (PyErr_Occurred() != NULL) {
        return NULL;
    }
    if (cache == NULL || !PyDict_CheckExact(cache) || hooks == NULL
        || !PyList_CheckExact(hooks) || PyUnicode_GET_LENGTH(entry) == 0) {
        return PyObject_CallMethodOneArg(state->path_finder,
                                         state->str_query_cache, entry);
    }
    /* Python code that runs meanwhile may replace either. */
    Py_INCREF(cache);
    Py_INCREF(hooks);
    finder = Py_XNewRef(PyDict_GetItemWithError(cache, entry));
    if (finder != NULL || PyErr_Occurred() != NULL
        || (!state->hook_placed && place_hook(state, hooks) < 0)) {
        goto out;
    }
    if (PyList_GET_SIZE(hooks) != 0
        && PyList_GET_ITEM(hooks, 0) == state->path_hook
        && is_tree_directory(entry)) {
        finder = new_path_entry_finder(state, entry);
        if (finder != NULL && PyDict_SetItem(cache, entry, finder) < 0) {
            Py_CLEAR(finder);
        }
    }
    else {
        finder = PyObject_CallMethodOneArg(state->path_finder,
                                           state->str_query_cache, entry);
    }

out:
    Py_DECREF(cache);
    Py_DECREF(hooks);
    return finder;
}

/* --- path entry finder -------------------------------------------------- */

static PyObject *
entry_find_spec(PyObject *self, PyTypeObject *cls, PyObject *const *args,
                Py_ssize_t nargs, PyObject *kwnames)
{
    const struct pexcz_importer_state *state = PyType_GetModuleState(cls);
    PyObject *names[] = {state->str_fullname, state->str_target};
    PyObject *values[] = {NULL, NULL};
    PyObject *found = NULL;

    if (pexcz_importer_args("find_spec", args, nargs, kwnames, names, 1, 2,
                            values)
        < 0) {
        return NULL;
    }
    if (!PyUnicode_Check(values[0])) {
        return PyErr_Format(PyExc_TypeError,
                            "find_spec() argument 'fullname' must be str, "
                            "not %.200s",
                            Py_TYPE(values[0])->tp_name);
    }
    switch (pexcz_importer_find(state, self, values[0], &found)) {
    case PEXCZ_FOUND_ERROR:
        return NULL;
    case PEXCZ_FOUND_NOTHING:
        Py_RETURN_NONE;
    case PEXCZ_FOUND_SPEC:
        return found;
    case PEXCZ_FOUND_PORTION:
        break;
    }
    return pexcz_importer_namespace_spec(state, values[0],
                                         Py_BuildValue("[N]", found));
}

static PyMethodDef entry_methods[] = {
    {"find_spec", (PyCFunction)(void (*)(void))entry_find_spec,
     METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("find_spec($self, fullname, target=None)\n--\n\n"
               "Find a module in this directory of the tree.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot entry_slots[] = {
    {Py_tp_methods, entry_methods},
    {Py_tp_doc, (void *)(uintptr_t) "Finds modules in one directory of the "
                                    "packed tree."},
    {0, NULL},
};

static PyType_Spec entry_spec = {
    .name = "_pexcz.FileFinder",
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = entry_slots,
};

/* --- meta path finder --------------------------------------------------- */

/*
 * CPython forgets the standard library's directory when an embedder presets
 * the search path; its frozen modules then have no __file__.  They are
 * imported after this finder's first call, so that is early enough.
 */
static int
set_stdlib_dir(struct pexcz_importer_state *state)
{
    PyObject *known = sys_get(state, state->str_stdlib_dir);
    PyObject *dir;
    int rc;

    if (known != Py_None) {
        state->stdlib_dir_set = PyErr_Occurred() == NULL;
        return state->stdlib_dir_set ? 0 : -1;
    }
    dir = PyUnicode_FromString(PEXCZ_PREFIX "/lib/python" Py_STRINGIFY(
        PY_MAJOR_VERSION) "." Py_STRINGIFY(PY_MINOR_VERSION));
    if (dir == NULL) {
        return -1;
    }
    rc = PyDict_SetItem(state->sys_dict, state->str_stdlib_dir, dir);
    Py_DECREF(dir);
    state->stdlib_dir_set = rc == 0;
    return rc;
}

/*
 * Whether PathFinder would be the next to answer.  A finder that a program
 * put between this one and PathFinder has precedence over PathFinder, so then
 * this one stands back: PathFinder will come to the same spec.
 */
static bool
is_next(const struct pexcz_importer_state *state, PyObject *self)
{
    PyObject *list = sys_get(state, state->str_meta_path);
    bool after = false;

    if (list == NULL || !PyList_Check(list)) {
        PyErr_Clear();
        return true;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *item = PyList_GET_ITEM(list, i);

        if (item == self) {
            after = true;
        }
        else if (after && item == state->path_finder) {
            return true;
        }
        else if (after && item != state->builtin_importer
                 && item != state->frozen_importer) {
            return false;
        }
    }
    return true;
}

/* 1: BuiltinImporter or FrozenImporter will answer; -1: exception. */
static int
is_not_a_file(const struct pexcz_importer_state *state, PyObject *fullname,
              bool top)
{
    PyObject *frozen;
    int rc = top ? PySet_Contains(state->builtin_names, fullname) : 0;

    if (rc == 0) {
        rc = PySet_Contains(state->frozen_names, fullname);
        if (rc == 1) { /* -X frozen_modules=off says otherwise */
            frozen = PyObject_CallOneArg(state->is_frozen, fullname);
            rc = frozen == NULL ? -1 : PyObject_IsTrue(frozen);
            Py_XDECREF(frozen);
        }
    }
    return rc;
}

/*
 * Takes in what a path entry finder found.  1: *spec is the module's; 0: go
 * on, with its portions added to `locations`; -1: exception.  Steals `spec`.
 */
static int
take_spec(const struct pexcz_importer_state *state, PyObject *spec,
          PyObject *locations, PyObject **ret)
{
    PyObject *loader;
    PyObject *portions;
    PyObject *added = NULL;

    if (spec == NULL) {
        return -1;
    }
    if (spec == Py_None) {
        Py_DECREF(spec);
        return 0;
    }
    loader = PyObject_GetAttr(spec, state->str_loader);
    if (loader == NULL) {
        Py_DECREF(spec);
        return -1;
    }
    Py_DECREF(loader);
    if (loader != Py_None) {
        *ret = spec;
        return 1;
    }
    portions = PyObject_GetAttr(spec, state->str_search_locations);
    Py_DECREF(spec);
    if (portions == Py_None) {
        PyErr_SetString(PyExc_ImportError, "spec missing loader");
    }
    else if (portions != NULL) {
        added = PySequence_InPlaceConcat(locations, portions);
    }
    Py_XDECREF(portions);
    Py_XDECREF(added);
    return added != NULL ? 0 : -1;
}

/* Whether `finder` has a method find_spec; -1: exception. */
static int
can_find_specs(const struct pexcz_importer_state *state, PyObject *finder)
{
    PyObject *method = PyObject_GetAttr(finder, state->str_find_spec);

    Py_XDECREF(method);
    if (method == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return -1;
        }
        PyErr_Clear();
    }
    return method != NULL;
}

/* Asks the finder of one path entry; as take_spec(), and 2: not a finder
 * that this version of Python documents, PathFinder must deal with it. */
static int
ask_finder(const struct pexcz_importer_state *state, PyObject *finder,
           PyObject *fullname, PyObject *target, PyObject *locations,
           PyObject **ret)
{
    PyObject *args[] = {finder, fullname, target};
    PyObject *found = NULL;
    int rc;

    if ((PyObject *)Py_TYPE(finder) != state->path_entry_finder_type) {
        rc = can_find_specs(state, finder);
        if (rc != 1) {
            return rc < 0 ? -1 : 2;
        }
        return take_spec(
            state,
            PyObject_VectorcallMethod(state->str_find_spec, args, 3, NULL),
            locations, ret);
    }
    switch (pexcz_importer_find(state, finder, fullname, &found)) {
    case PEXCZ_FOUND_ERROR:
        return -1;
    case PEXCZ_FOUND_NOTHING:
        return 0;
    case PEXCZ_FOUND_SPEC:
        return take_spec(state, found, locations, ret);
    case PEXCZ_FOUND_PORTION:
        break;
    }
    rc = PyList_Append(locations, found);
    Py_DECREF(found);
    return rc;
}

/* PathFinder's spec of a namespace package. */
static PyObject *
namespace_package(const struct pexcz_importer_state *state, PyObject *fullname,
                  PyObject *locations)
{
    PyObject *get_spec
        = PyObject_GetAttr(state->path_finder, state->str_get_spec);
    PyObject *path = NULL;

    if (get_spec != NULL) {
        path = PyObject_CallFunctionObjArgs(state->namespace_path, fullname,
                                            locations, get_spec, NULL);
        Py_DECREF(get_spec);
    }
    return pexcz_importer_namespace_spec(state, fullname, path);
}

/* PathFinder.find_spec(); None also leaves the question to PathFinder. */
static PyObject *
search(struct pexcz_importer_state *state, PyObject *fullname, PyObject *path,
       PyObject *target)
{
    PyObject *iter = PyObject_GetIter(path);
    PyObject *locations = iter != NULL ? PyList_New(0) : NULL;
    PyObject *spec = NULL;
    PyObject *entry = NULL;
    PyObject *finder = NULL;
    int rc = locations != NULL ? 0 : -1;

    while (rc == 0 && (entry = PyIter_Next(iter)) != NULL) {
        if (PyUnicode_Check(entry)) {
            finder = finder_of_entry(state, entry);
            if (finder == NULL) {
                rc = -1;
            }
            else if (finder != Py_None) {
                rc = ask_finder(state, finder, fullname, target, locations,
                                &spec);
            }
            Py_CLEAR(finder);
        }
        Py_DECREF(entry);
    }
    if (rc == 0 && PyErr_Occurred() != NULL) {
        rc = -1;
    }
    if (rc == 2) {
        spec = Py_NewRef(Py_None);
    }
    else if (rc == 0) {
        spec = PyList_GET_SIZE(locations) != 0
                   ? namespace_package(state, fullname, locations)
                   : Py_NewRef(Py_None);
    }
    Py_XDECREF(iter);
    Py_XDECREF(locations);
    return rc < 0 ? NULL : spec;
}

static PyObject *
finder_find_spec(PyObject *self, PyTypeObject *cls, PyObject *const *args,
                 Py_ssize_t nargs, PyObject *kwnames)
{
    struct pexcz_importer_state *state = PyType_GetModuleState(cls);
    PyObject *names[]
        = {state->str_fullname, state->str_path, state->str_target};
    PyObject *values[] = {NULL, Py_None, Py_None};
    PyObject *path;
    PyObject *spec;
    int rc;

    if (pexcz_importer_args("find_spec", args, nargs, kwnames, names, 1, 3,
                            values)
        < 0) {
        return NULL;
    }
    path = values[1];
    if (!state->stdlib_dir_set && set_stdlib_dir(state) < 0) {
        return NULL;
    }
    if (!PyUnicode_Check(values[0])) {
        Py_RETURN_NONE; /* PathFinder has the error message */
    }
    rc = is_not_a_file(state, values[0], path == Py_None);
    if (rc != 0) {
        return rc < 0 ? NULL : Py_NewRef(Py_None);
    }
    if (path == Py_None) {
        path = sys_get(state, state->str_path);
    }
    if (path == NULL || !is_next(state, self)) {
        return PyErr_Occurred() != NULL ? NULL : Py_NewRef(Py_None);
    }
    Py_INCREF(path); /* sys.path may be replaced meanwhile */
    spec = search(state, values[0], path, values[2]);
    Py_DECREF(path);
    return spec;
}

static PyObject *
finder_invalidate_caches(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    Py_RETURN_NONE;
}

static PyMethodDef finder_methods[] = {
    {"find_spec", (PyCFunction)(void (*)(void))finder_find_spec,
     METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("find_spec($self, fullname, path=None, target=None)\n--\n\n"
               "Find a module on sys.path or path, as PathFinder does.")},
    {"invalidate_caches", finder_invalidate_caches, METH_NOARGS,
     PyDoc_STR("invalidate_caches($self)\n--\n\n"
               "Nothing to do: the tree does not change.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot finder_slots[] = {
    {Py_tp_methods, finder_methods},
    {Py_tp_doc, (void *)(uintptr_t) "Finds modules as PathFinder does, those "
                                    "of the packed tree without it."},
    {0, NULL},
};

static PyType_Spec finder_spec = {
    .name = "_pexcz.Finder",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = finder_slots,
};

int
pexcz_importer_add_finders(PyObject *module,
                           struct pexcz_importer_state *state)
{
    state->finder_type = PyType_FromModuleAndSpec(module, &finder_spec, NULL);
    state->path_entry_finder_type
        = PyType_FromModuleAndSpec(module, &entry_spec, state->file_finder);
    if (state->finder_type == NULL || state->path_entry_finder_type == NULL
        || PyModule_AddType(module, (PyTypeObject *)state->finder_type) < 0) {
        return -1;
    }
    return PyModule_AddType(module,
                            (PyTypeObject *)state->path_entry_finder_type);
}
