/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Imports from the standby without importlib: of modules that, as all that
 * they import, are found by finders and loaders that nobody has changed, in
 * the directories where they were found before.
 */
#define Py_BUILD_CORE 1
#include "standby.h"

#include "standby_state.h"

#if PY_VERSION_HEX < 0x030c0000

#include <internal/pycore_interp.h>
#include <internal/pycore_runtime.h>

#define MAX_TYPES 16

/* What importlib's answer depends on.  In the owned data, as the rest. */
static struct {
    bool known;
    PyObject *meta_path; /* tuple of its items */
    PyObject *path;      /* of those up to the standard library's folder */
    PyObject *finders;   /* of these entries, or None */
    PyObject *hooks;     /* tuple of the items of sys.path_hooks */
    PyTypeObject *types[MAX_TYPES];
    unsigned int versions[MAX_TYPES];
    size_t type_count;
    PyTypeObject *finder_type; /* of the standard library's directory */
    PyObject *parts[3];        /* modules of the import system */
    uint64_t part_versions[3];
} usual;

static const char *const part_names[]
    = {"_frozen_importlib", "_frozen_importlib_external", "_imp"};
#define PARTS (sizeof(part_names) / sizeof(part_names[0]))

/* --- while the snapshot is made --------------------------------------------
 */

/* The class is not changed while it has its version. */
static int
add_type(PyObject *object)
{
    PyTypeObject *type
        = PyType_Check(object) ? (PyTypeObject *)object : Py_TYPE(object);

    for (size_t i = 0; i < usual.type_count; i++) {
        if (usual.types[i] == type) {
            return 0;
        }
    }
    (void)_PyType_Lookup(type, pexcz_standby.modules[0].name);
    if (usual.type_count == MAX_TYPES || type->tp_version_tag == 0) {
        return -1;
    }
    usual.types[usual.type_count] = type;
    usual.versions[usual.type_count++] = type->tp_version_tag;
    return 0;
}

static int
add_types_of(PyObject *tuple)
{
    int rc = 0;

    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple) && rc == 0; i++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, i);

        rc = item != Py_None ? add_type(item) : 0;
    }
    return rc;
}

static int
add_loaders(void)
{
    int rc = 0;

    for (size_t i = 0; i < pexcz_standby.count && rc == 0; i++) {
        const struct pexcz_standby_module *m = &pexcz_standby.modules[i];
        PyObject *loader;

        if (m->state != STANDBY) {
            continue;
        }
        loader
            = PyDict_GetItemString(PyModule_GetDict(m->module), "__loader__");
        rc = loader != NULL ? add_type(loader) : -1;
    }
    return rc;
}

static PyObject *
get_path(void)
{
    PyObject *path = PySys_GetObject("path");
    PyObject *last = PySys_GetObject("_stdlib_dir");

    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(path); i++) {
        int rc
            = PyObject_RichCompareBool(PyList_GET_ITEM(path, i), last, Py_EQ);

        if (rc != 0) {
            PyObject *items = PyList_GetSlice(path, 0, i + 1);
            PyObject *tuple = items != NULL ? PyList_AsTuple(items) : NULL;

            Py_XDECREF(items);
            return tuple;
        }
    }
    return NULL;
}

static PyObject *
get_finders(PyObject *path)
{
    PyObject *cache = PySys_GetObject("path_importer_cache");
    Py_ssize_t n = PyTuple_GET_SIZE(path);
    PyObject *finders = PyTuple_New(n);

    for (Py_ssize_t i = 0; i < n && finders != NULL; i++) {
        PyObject *finder
            = PyDict_GetItemWithError(cache, PyTuple_GET_ITEM(path, i));

        if (finder == NULL) {
            Py_CLEAR(finders);
        }
        else {
            PyTuple_SET_ITEM(finders, i, Py_NewRef(finder));
        }
    }
    return finders;
}

static bool
learn_usual(void)
{
    usual.meta_path = PySequence_Tuple(PySys_GetObject("meta_path"));
    usual.path = get_path();
    usual.hooks = PySequence_Tuple(PySys_GetObject("path_hooks"));
    usual.finders = usual.path != NULL ? get_finders(usual.path) : NULL;
    if (usual.finders != NULL) {
        Py_ssize_t last = PyTuple_GET_SIZE(usual.finders) - 1;

        usual.finder_type = Py_TYPE(PyTuple_GET_ITEM(usual.finders, last));
    }
    for (size_t i = 0; i < PARTS; i++) {
        usual.parts[i] = PyImport_ImportModule(part_names[i]);
        if (usual.parts[i] == NULL) {
            return false;
        }
    }
    return usual.meta_path != NULL && usual.finders != NULL
           && usual.hooks != NULL && add_types_of(usual.meta_path) == 0
           && add_types_of(usual.finders) == 0 && add_loaders() == 0;
}

struct walk {
    bool *seen;
    size_t *order;
    size_t count;
};

/* The module of that name, on standby or not; NULL: there is none. */
static PyObject *
module_called(PyObject *name)
{
    const struct pexcz_standby_module *m = pexcz_standby_find(name);

    return m != NULL ? m->module
                     : PyDict_GetItemWithError(PyImport_GetModuleDict(), name);
}

static int
set_package(struct pexcz_standby_module *m)
{
    Py_ssize_t end = PyUnicode_GET_LENGTH(m->name);
    Py_ssize_t dot = PyUnicode_FindChar(m->name, '.', 0, end, -1);

    if (dot < 0) {
        return dot == -1 ? 0 : -1;
    }
    m->tail = PyUnicode_Substring(m->name, dot + 1, end);
    m->package_name = PyUnicode_Substring(m->name, 0, dot);
    if (m->tail == NULL || m->package_name == NULL) {
        return -1;
    }
    PyUnicode_InternInPlace(&m->tail);
    m->package = Py_XNewRef(module_called(m->package_name));
    return 0;
}

static bool visit(struct walk *w, size_t number);

/* False: importlib has to do it. */
static bool
visit_name(struct walk *w, PyObject *name)
{
    const struct pexcz_standby_module *m = pexcz_standby_find(name);

    return m == NULL || visit(w, (size_t)(m - pexcz_standby.modules));
}

/* Adds the modules that the import of module `number` puts into sys.modules,
 * each behind those that it imports; false: importlib has to do it. */
static bool
visit(struct walk *w, size_t number)
{
    const struct pexcz_standby_module *m = &pexcz_standby.modules[number];

    if (w->seen[number]) {
        return true;
    }
    w->seen[number] = true;
    if (m->tail != NULL
        && (m->package == NULL || !PyModule_CheckExact(m->package)
            || !visit_name(w, m->package_name))) {
        return false;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(m->imports); i++) {
        PyObject *found = PyTuple_GET_ITEM(PyTuple_GET_ITEM(m->imports, i), 2);

        if (found == Py_None) {
            return false;
        }
        for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(found); k++) {
            if (!visit_name(w,
                            PyTuple_GET_ITEM(PyTuple_GET_ITEM(found, k), 0))) {
                return false;
            }
        }
    }
    w->order[w->count++] = number;
    return true;
}

static int
set_order(size_t number)
{
    struct pexcz_standby_module *m = &pexcz_standby.modules[number];
    struct walk w = {
        .seen = PyMem_Calloc(pexcz_standby.count, sizeof(*w.seen)),
        .order = PyMem_Calloc(pexcz_standby.count, sizeof(*w.order)),
    };
    int rc = w.seen != NULL && w.order != NULL ? 0 : -1;

    if (rc == 0 && visit(&w, number)) {
        m->order = PyMem_Calloc(w.count, sizeof(*m->order));
        rc = m->order != NULL ? 0 : -1;
        if (rc == 0) {
            memcpy(m->order, w.order, w.count * sizeof(*m->order));
            m->order_count = w.count;
        }
    }
    PyMem_Free(w.seen);
    PyMem_Free(w.order);
    if (rc < 0) {
        PyErr_NoMemory();
    }
    return rc;
}

int
pexcz_standby_direct_seal(void)
{
    int rc = 0;

    usual.known = learn_usual();
    PyErr_Clear();
    for (size_t i = 0; i < pexcz_standby.count && rc == 0; i++) {
        if (pexcz_standby.modules[i].state == STANDBY) {
            rc = set_package(&pexcz_standby.modules[i]);
        }
    }
    for (size_t i = 0; i < pexcz_standby.count && rc == 0; i++) {
        if (pexcz_standby.modules[i].state == STANDBY) {
            rc = set_order(i);
        }
    }
    return rc;
}

void
pexcz_standby_direct_resume(void)
{
    for (size_t i = 0; i < PARTS && usual.known; i++) {
        usual.part_versions[i] = pexcz_standby_version(usual.parts[i]);
    }
}

/* --- in a restored process --------------------------------------------------
 */

/* Whether sys has a list there that begins with these items. */
static bool
begins_with(const char *name, PyObject *tuple)
{
    PyObject *list = PySys_GetObject(name);
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);

    if (list == NULL || !PyList_CheckExact(list)
        || PyList_GET_SIZE(list) < n) {
        return false;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        if (PyList_GET_ITEM(list, i) != PyTuple_GET_ITEM(tuple, i)) {
            return false;
        }
    }
    return true;
}

static bool
has_finders(void)
{
    PyObject *cache = PySys_GetObject("path_importer_cache");

    if (cache == NULL || !PyDict_CheckExact(cache)) {
        return false;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(usual.path); i++) {
        PyObject *finder
            = PyDict_GetItemWithError(cache, PyTuple_GET_ITEM(usual.path, i));

        if (finder != PyTuple_GET_ITEM(usual.finders, i)) {
            PyErr_Clear();
            return false;
        }
    }
    return true;
}

/* Whether importlib would find and load what it did for the snapshot, and
 * nobody looks on. */
static bool
is_usual(void)
{
    PyThreadState *thread = PyThreadState_Get();
    PyInterpreterState *interpreter = PyThreadState_GetInterpreter(thread);

    if (!usual.known || interpreter != PyInterpreterState_Main()
        || thread->cframe->use_tracing != 0 || interpreter->audit_hooks != NULL
        || _PyRuntime.audit_hook_head != NULL) {
        return false;
    }
    for (size_t i = 0; i < usual.type_count; i++) {
        if (usual.types[i]->tp_version_tag != usual.versions[i]) {
            return false;
        }
    }
    for (size_t i = 0; i < PARTS; i++) {
        if (pexcz_standby_version(usual.parts[i]) != usual.part_versions[i]) {
            return false;
        }
    }
    return begins_with("meta_path", usual.meta_path)
           && begins_with("path_hooks", usual.hooks)
           && begins_with("path", usual.path) && has_finders();
}

static bool
is_on_standby(PyObject *name)
{
    const struct pexcz_standby_module *m = pexcz_standby_find(name);

    return m != NULL && m->state == STANDBY;
}

/* Whether its package is the one that there was, or is to be imported before,
 * and the module is looked for in the same directory, and there by a finder of
 * the usual kind, if by one that is there yet. */
static bool
is_package_usual(const struct pexcz_standby_module *m, PyObject *modules)
{
    PyObject *dict = PyModule_GetDict(m->package);
    PyObject *cache = PySys_GetObject("path_importer_cache");
    PyObject *path = PyDict_GetItemString(dict, "__path__");
    PyObject *file = PyDict_GetItemString(dict, "__file__");
    PyObject *known = PyDict_GetItemWithError(modules, m->package_name);
    PyObject *finder;
    Py_ssize_t n;

    if (known != m->package
        && !(known == NULL && is_on_standby(m->package_name))) {
        return false;
    }
    if (path == NULL || !PyList_CheckExact(path) || PyList_GET_SIZE(path) != 1
        || file == NULL || !PyUnicode_CheckExact(file)
        || !PyUnicode_CheckExact(PyList_GET_ITEM(path, 0))) {
        return false;
    }
    /* "…/package" and "…/package/__init__.py" */
    n = PyUnicode_GET_LENGTH(PyList_GET_ITEM(path, 0));
    if (PyUnicode_GET_LENGTH(file) != n + 12
        || PyUnicode_Tailmatch(file, PyList_GET_ITEM(path, 0), 0, n, -1)
               != 1) {
        return false;
    }
    finder = PyDict_GetItemWithError(cache, PyList_GET_ITEM(path, 0));
    return finder == NULL || Py_TYPE(finder) == usual.finder_type;
}

static bool
is_ready(const struct pexcz_standby_module *root, PyObject *modules)
{
    for (size_t i = 0; i < root->order_count; i++) {
        const struct pexcz_standby_module *m
            = &pexcz_standby.modules[root->order[i]];

        if (m->state == TAKEN
            || (m->state == STANDBY
                && (PyDict_GetItemWithError(modules, m->name) != NULL
                    || !pexcz_standby_can_leave(m)
                    || (m->tail != NULL && !is_package_usual(m, modules))))) {
            return false;
        }
    }
    return true;
}

int
pexcz_standby_import(PyObject *name)
{
    const struct pexcz_standby_module *root;
    PyObject *modules;

    if (pexcz_standby.index == NULL || PyErr_Occurred() != NULL
        || !PyUnicode_CheckExact(name)) {
        return 0;
    }
    root = pexcz_standby_find(name);
    if (root == NULL) {
        return PyErr_Occurred() != NULL ? -1 : 0;
    }
    modules = PyImport_GetModuleDict();
    if (root->state != STANDBY || root->order == NULL || !is_usual()
        || !is_ready(root, modules)) {
        return 0;
    }
    for (size_t i = 0; i < root->order_count; i++) {
        struct pexcz_standby_module *m
            = &pexcz_standby.modules[root->order[i]];

        if (m->state != STANDBY) {
            continue;
        }
        m->state = IN_USE;
        if (pexcz_standby_fill(m) < 0
            || PyDict_SetItem(modules, m->name, m->module) < 0
            || (m->tail != NULL
                && PyDict_SetItem(PyModule_GetDict(m->package), m->tail,
                                  m->module)
                       < 0)) {
            return -1;
        }
        m->version = pexcz_standby_version(m->module);
    }
    return 0;
}

#endif
