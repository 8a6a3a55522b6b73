/* SPDX-License-Identifier: Apache-2.0 */
#include "standby.h"

#include "standby_state.h"

/* 3.12 takes the versions of dicts out of the API. */
#if PY_VERSION_HEX >= 0x030c0000

int
pexcz_standby_import(PyObject *name)
{
    (void)name;
    return 0;
}

int
pexcz_standby_set(PyObject *list)
{
    (void)list;
    PyErr_SetString(PyExc_NotImplementedError, "no versions of dicts");
    return -1;
}

int
pexcz_standby_seal(void)
{
    return 0;
}

void
pexcz_standby_resume(void)
{
}

PyObject *
pexcz_standby_take(PyObject *spec)
{
    (void)spec;
    return NULL;
}

int
pexcz_standby_exec(PyObject *module)
{
    (void)module;
    return 0;
}

#else

/* In the owned data, so that a snapshot has it; empty elsewhere. */
struct pexcz_standby_state pexcz_standby;

struct pexcz_standby_module *
pexcz_standby_find(PyObject *name)
{
    PyObject *number = PyDict_GetItemWithError(pexcz_standby.index, name);

    return number != NULL ? &pexcz_standby.modules[PyLong_AsSize_t(number)]
                          : NULL;
}

uint64_t
pexcz_standby_version(PyObject *module)
{
    return ((PyDictObject *)PyModule_GetDict(module))->ma_version_tag;
}

/* --- leaving the standby --------------------------------------------------
 */

/* Whether an import statement, or import_module(), loads the module: nobody
 * has the new module in hand before its body has run. */
static bool
is_called_by_import(void)
{
    PyFrameObject *frame = PyThreadState_GetFrame(PyThreadState_Get());
    bool loads = false;
    bool found = false;

    for (int depth = 0; frame != NULL && depth < 6 && !found; depth++) {
        PyFrameObject *back = PyFrame_GetBack(frame);
        PyObject *code = (PyObject *)PyFrame_GetCode(frame);

        found = loads && code == pexcz_standby.find_and_load;
        loads = code == pexcz_standby.load;
        Py_DECREF(code);
        Py_DECREF(frame);
        frame = back;
    }
    Py_XDECREF(frame);
    return found;
}

static bool
is_as_it_was(const struct pexcz_standby_module *m)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *known = PyDict_GetItemWithError(modules, m->name);

    PyErr_Clear();
    if (m->state == STANDBY) {
        return known == NULL;
    }
    /* One that is being imported is the cause of this import. */
    return known == m->module
           && (m->state == TAKEN
               || pexcz_standby_version(m->module) == m->version);
}

bool
pexcz_standby_can_leave(const struct pexcz_standby_module *m)
{
    for (size_t i = 0; i < m->need_count; i++) {
        if (!is_as_it_was(&pexcz_standby.modules[m->needs[i]])) {
            return false;
        }
    }
    for (size_t i = 0; i < m->hidden_count; i++) {
        if (m->hidden[i].base->tp_version_tag != m->hidden[i].version) {
            return false;
        }
    }
    return true;
}

static bool
is_equal(PyObject *a, PyObject *b)
{
    int rc = a == b || (a != NULL && b != NULL)
                 ? PyObject_RichCompareBool(a, b, Py_EQ)
                 : 0;

    if (rc < 0) {
        PyErr_Clear();
    }
    return rc == 1;
}

/* The variable `name` becomes the spec's `attribute` if the two are equal, or
 * if `name` is there whatever it was. */
static bool
adopt(PyObject *dict, const char *name, PyObject *spec, const char *attribute,
      bool must_be_equal)
{
    PyObject *value = attribute != NULL
                          ? PyObject_GetAttrString(spec, attribute)
                          : Py_NewRef(spec);
    PyObject *old = PyDict_GetItemString(dict, name);
    bool good = value != NULL;

    if (good && old == NULL) {
        good = value == Py_None;
    }
    else if (good) {
        good = (!must_be_equal || is_equal(old, value))
               && PyDict_SetItemString(dict, name, value) == 0;
    }
    Py_XDECREF(value);
    PyErr_Clear();
    return good;
}

/* As importlib's _init_module_attrs() would leave them in a new module. */
static bool
adopt_spec(PyObject *dict, PyObject *spec)
{
    PyObject *file = PyDict_GetItemString(dict, "__file__");

    return adopt(dict, "__name__", spec, "name", true)
           && adopt(dict, "__package__", spec, "parent", true)
           && adopt(dict, "__path__", spec, "submodule_search_locations", true)
           && (file == NULL
               || (adopt(dict, "__file__", spec, "origin", true)
                   && adopt(dict, "__cached__", spec, "cached", true)))
           && adopt(dict, "__loader__", spec, "loader", false)
           && adopt(dict, "__spec__", spec, NULL, false);
}

PyObject *
pexcz_standby_take(PyObject *spec)
{
    PyThreadState *thread = PyThreadState_Get();
    struct pexcz_standby_module *m;
    PyObject *name;

    if (pexcz_standby.index == NULL
        || PyThreadState_GetInterpreter(thread) != PyInterpreterState_Main()
        || thread->cframe->use_tracing != 0) {
        return NULL;
    }
    name = PyObject_GetAttrString(spec, "name");
    m = name != NULL && PyUnicode_CheckExact(name) ? pexcz_standby_find(name)
                                                   : NULL;
    Py_XDECREF(name);
    PyErr_Clear();
    if (m == NULL || !is_called_by_import()) {
        return NULL;
    }
    if (m->state != STANDBY || !pexcz_standby_can_leave(m)
        || !adopt_spec(PyModule_GetDict(m->module), spec)) {
        PyErr_Clear();
        return NULL;
    }
    m->state = TAKEN;
    Py_XSETREF(m->spec, Py_NewRef(spec));
    m->version = pexcz_standby_version(m->module);
    return Py_NewRef(m->module);
}

/* --- instead of the body ---------------------------------------------------
 */

/* 1: as when the snapshot was made; 0: not so; -1: an exception that is not
 * for the module to handle. */
static int
import_again(PyObject *statement)
{
    PyObject *expected = PyTuple_GET_ITEM(statement, 2);
    PyObject *result = PyImport_ImportModuleLevelObject(
        PyTuple_GET_ITEM(statement, 0), NULL, NULL,
        PyTuple_GET_ITEM(statement, 1), 0);
    PyObject *modules = PyImport_GetModuleDict();
    bool same = true;

    if (result == NULL && !PyErr_ExceptionMatches(PyExc_Exception)) {
        return -1;
    }
    PyErr_Clear();
    if (result == NULL || expected == Py_None) {
        same = result == NULL && expected == Py_None;
        Py_XDECREF(result);
        return same;
    }
    Py_DECREF(result);
    for (Py_ssize_t i = 0; same && i < PyTuple_GET_SIZE(expected); i++) {
        PyObject *pair = PyTuple_GET_ITEM(expected, i);
        PyObject *name = PyTuple_GET_ITEM(pair, 0);

        /* A submodule is not asked for by `from package import submodule`
         * while the package has the variable already. */
        if (PyDict_Contains(modules, name) == 0) {
            result = PyImport_Import(name);
            same = result != NULL;
            Py_XDECREF(result);
        }
        same = same
               && PyDict_GetItemWithError(modules, name)
                      == PyTuple_GET_ITEM(pair, 1);
    }
    if (PyErr_Occurred() != NULL && !PyErr_ExceptionMatches(PyExc_Exception)) {
        return -1;
    }
    PyErr_Clear();
    return same;
}

static int
import_all_again(const struct pexcz_standby_module *m)
{
    int rc = 1;

    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(m->imports) && rc == 1; i++) {
        rc = import_again(PyTuple_GET_ITEM(m->imports, i));
    }
    return rc;
}

static int
show_classes(const struct pexcz_standby_module *m)
{
    int rc = 0;

    for (size_t i = 0; i < m->hidden_count && rc == 0; i++) {
        PyTypeObject *base = m->hidden[i].base;

        if (base->tp_subclasses == NULL) {
            base->tp_subclasses = PyDict_New();
        }
        rc = base->tp_subclasses != NULL ? PyDict_SetItem(
                 base->tp_subclasses, m->hidden[i].key, m->hidden[i].reference)
                                         : -1;
    }
    return rc;
}

static int
set_children(const struct pexcz_standby_module *m)
{
    PyObject *dict = PyModule_GetDict(m->module);
    int rc = 0;

    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(m->children) && rc == 0; i++) {
        PyObject *pair = PyTuple_GET_ITEM(m->children, i);

        rc = PyTuple_GET_SIZE(pair) == 1
                 ? PyDict_DelItem(dict, PyTuple_GET_ITEM(pair, 0))
                 : PyDict_SetItem(dict, PyTuple_GET_ITEM(pair, 0),
                                  PyTuple_GET_ITEM(pair, 1));
    }
    return rc;
}

int
pexcz_standby_fill(const struct pexcz_standby_module *m)
{
    return set_children(m) < 0 || show_classes(m) < 0 ? -1 : 0;
}

/* A submodule that was imported is a variable of its package. */
static int
bind_children(const struct pexcz_standby_module *m)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *dict = PyModule_GetDict(m->module);
    int rc = 0;

    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(m->children) && rc == 0; i++) {
        PyObject *tail = PyTuple_GET_ITEM(PyTuple_GET_ITEM(m->children, i), 0);
        PyObject *name = PyUnicode_FromFormat("%U.%U", m->name, tail);
        PyObject *child
            = name != NULL ? PyDict_GetItemWithError(modules, name) : NULL;

        rc = child != NULL              ? PyDict_SetItem(dict, tail, child)
             : PyErr_Occurred() != NULL ? -1
                                        : 0;
        Py_XDECREF(name);
    }
    return rc;
}

/* The module as importlib makes it, for its body to run. */
static int
empty(struct pexcz_standby_module *m)
{
    static const char *const names[]
        = {"__doc__", "__package__", "__loader__", "__spec__"};
    PyObject *dict = PyModule_GetDict(m->module);
    PyObject *result;
    int rc;

    PyDict_Clear(dict);
    rc = PyDict_SetItemString(dict, "__name__", m->name);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && rc == 0; i++) {
        rc = PyDict_SetItemString(dict, names[i], Py_None);
    }
    if (rc < 0) {
        return -1;
    }
    result = PyObject_CallFunctionObjArgs(pexcz_standby.init_attributes,
                                          m->spec, m->module, NULL);
    Py_XDECREF(result);
    return result != NULL ? bind_children(m) : -1;
}

static struct pexcz_standby_module *
find_taken(PyObject *module)
{
    for (size_t i = 0; i < pexcz_standby.count; i++) {
        if (pexcz_standby.modules[i].module == module
            && pexcz_standby.modules[i].state == TAKEN) {
            return &pexcz_standby.modules[i];
        }
    }
    return NULL;
}

int
pexcz_standby_exec(PyObject *module)
{
    struct pexcz_standby_module *m
        = pexcz_standby.index != NULL ? find_taken(module) : NULL;
    int rc;

    if (m == NULL) {
        return 0;
    }
    rc = import_all_again(m);
    m->state = IN_USE;
    if (rc == 1 && pexcz_standby_fill(m) < 0) {
        rc = -1;
    }
    if (rc == 0 && empty(m) < 0) {
        rc = -1;
    }
    m->version = pexcz_standby_version(m->module);
    Py_CLEAR(m->spec);
    return rc;
}

/* --- built-in modules ------------------------------------------------------
 */

static PyObject *
create_builtin(PyObject *self, PyObject *spec)
{
    PyObject *module = pexcz_standby_take(spec);
    struct pexcz_standby_module *m;

    (void)self;
    if (module == NULL) {
        return PyObject_CallOneArg(pexcz_standby.create_builtin, spec);
    }
    /* Its body is known to Python as run: exec_builtin() does nothing. */
    m = find_taken(module);
    m->state = IN_USE;
    Py_CLEAR(m->spec);
    if (show_classes(m) < 0) {
        Py_CLEAR(module);
    }
    return module;
}

static PyMethodDef create_builtin_def
    = {"create_builtin", create_builtin, METH_O,
       PyDoc_STR("create_builtin($module, spec, /)\n--\n\n"
                 "Create an extension module.")};

static int
replace_create_builtin(void)
{
    PyObject *imp = PyImport_ImportModule("_imp");
    PyObject *name = imp != NULL ? PyModule_GetNameObject(imp) : NULL;
    PyObject *function
        = name != NULL ? PyCFunction_NewEx(&create_builtin_def, imp, name)
                       : NULL;
    int rc = -1;

    if (function != NULL) {
        pexcz_standby.create_builtin
            = PyObject_GetAttrString(imp, "create_builtin");
        rc = pexcz_standby.create_builtin != NULL
                 ? PyObject_SetAttrString(imp, "create_builtin", function)
                 : -1;
    }
    Py_XDECREF(function);
    Py_XDECREF(name);
    Py_XDECREF(imp);
    return rc;
}

/* --- while the snapshot is made --------------------------------------------
 */

static int
get_importlib(void)
{
    PyObject *importlib = PyImport_ImportModule("_frozen_importlib");
    PyObject *load = NULL;
    PyObject *find = NULL;

    if (importlib != NULL) {
        load = PyObject_GetAttrString(importlib, "_load_unlocked");
        find = PyObject_GetAttrString(importlib, "_find_and_load_unlocked");
        pexcz_standby.init_attributes
            = PyObject_GetAttrString(importlib, "_init_module_attrs");
        Py_DECREF(importlib);
    }
    if (load != NULL && find != NULL) {
        pexcz_standby.load = PyObject_GetAttrString(load, "__code__");
        pexcz_standby.find_and_load = PyObject_GetAttrString(find, "__code__");
    }
    Py_XDECREF(load);
    Py_XDECREF(find);
    return pexcz_standby.load != NULL && pexcz_standby.find_and_load != NULL
                   && pexcz_standby.init_attributes != NULL
               ? 0
               : -1;
}

static int
set_needs(struct pexcz_standby_module *m, PyObject *needs, Py_ssize_t count)
{
    Py_ssize_t n = PyTuple_GET_SIZE(needs);

    m->needs = PyMem_Calloc((size_t)n + 1, sizeof(*m->needs));
    if (m->needs == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_ssize_t need = PyLong_AsSsize_t(PyTuple_GET_ITEM(needs, i));

        if (need < 0 || need >= count) {
            PyErr_SetString(PyExc_IndexError, "needs");
            return -1;
        }
        m->needs[m->need_count++] = (size_t)need;
    }
    return 0;
}

static int
set_module(size_t number, PyObject *tuple, Py_ssize_t count)
{
    struct pexcz_standby_module *m = &pexcz_standby.modules[number];
    PyObject *needs;
    PyObject *key;
    int restored;
    int rc;

    if (!PyArg_ParseTuple(tuple, "UO!OO!O!O!p", &m->name, &PyModule_Type,
                          &m->module, &m->imports, &PyTuple_Type, &m->children,
                          &PyTuple_Type, &m->classes, &PyTuple_Type, &needs,
                          &restored)) {
        return -1;
    }
    Py_INCREF(m->name);
    Py_INCREF(m->module);
    Py_INCREF(m->imports);
    Py_INCREF(m->children);
    Py_INCREF(m->classes);
    m->restored = restored != 0;
    m->state = m->imports != Py_None ? STANDBY : IN_USE;
    if (m->state == IN_USE) {
        return 0;
    }
    key = PyLong_FromSize_t(number);
    rc = key != NULL ? PyDict_SetItem(pexcz_standby.index, m->name, key) : -1;
    Py_XDECREF(key);
    return rc == 0 ? set_needs(m, needs, count) : -1;
}

int
pexcz_standby_set(PyObject *list)
{
    Py_ssize_t n = PyList_Check(list) ? PyList_GET_SIZE(list) : 0;

    pexcz_standby.modules
        = PyMem_Calloc((size_t)n + 1, sizeof(*pexcz_standby.modules));
    pexcz_standby.index = PyDict_New();
    if (pexcz_standby.modules == NULL || pexcz_standby.index == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        if (set_module((size_t)i, PyList_GET_ITEM(list, i), n) < 0) {
            return -1;
        }
        pexcz_standby.count++;
    }
    return get_importlib() < 0 ? -1 : replace_create_builtin();
}

/* Takes `type` out of the table of its base. */
static int
hide(struct pexcz_standby_hidden *h, PyTypeObject *type, PyTypeObject *base,
     PyObject *any_name)
{
    PyObject *table = base->tp_subclasses;

    h->key = PyLong_FromVoidPtr(type);
    h->reference = h->key != NULL && table != NULL
                       ? Py_XNewRef(PyDict_GetItemWithError(table, h->key))
                       : NULL;
    if (h->reference == NULL || PyDict_DelItem(table, h->key) < 0) {
        if (PyErr_Occurred() == NULL) {
            PyErr_Format(PyExc_RuntimeError, "%R is no subclass of %R", type,
                         base);
        }
        return -1;
    }
    (void)_PyType_Lookup(base, any_name); /* gives it a version */
    h->base = base;
    h->version = base->tp_version_tag;
    if (h->version == 0) {
        PyErr_Format(PyExc_RuntimeError, "%R has no version", base);
        return -1;
    }
    return 0;
}

static bool
is_own(const struct pexcz_standby_module *m, PyObject *type)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(m->classes); i++) {
        if (PyTuple_GET_ITEM(m->classes, i) == type) {
            return true;
        }
    }
    return false;
}

static int
hide_classes(struct pexcz_standby_module *m)
{
    Py_ssize_t n = 0;

    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(m->classes); i++) {
        PyTypeObject *type = (PyTypeObject *)PyTuple_GET_ITEM(m->classes, i);

        n += PyTuple_GET_SIZE(type->tp_bases);
    }
    m->hidden = PyMem_Calloc((size_t)n + 1, sizeof(*m->hidden));
    if (m->hidden == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(m->classes); i++) {
        PyTypeObject *type = (PyTypeObject *)PyTuple_GET_ITEM(m->classes, i);

        for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(type->tp_bases); k++) {
            PyObject *base = PyTuple_GET_ITEM(type->tp_bases, k);

            if (is_own(m, base)) {
                continue;
            }
            if (hide(&m->hidden[m->hidden_count], type, (PyTypeObject *)base,
                     m->name)
                < 0) {
                return -1;
            }
            m->hidden_count++;
        }
    }
    return 0;
}

int
pexcz_standby_seal(void)
{
    for (size_t i = 0; i < pexcz_standby.count; i++) {
        struct pexcz_standby_module *m = &pexcz_standby.modules[i];

        if (m->state == STANDBY && hide_classes(m) < 0) {
            return -1;
        }
        m->version = pexcz_standby_version(m->module);
    }
    return pexcz_standby.count != 0 ? pexcz_standby_direct_seal() : 0;
}

void
pexcz_standby_resume(void)
{
    pexcz_standby_direct_resume();
    for (size_t i = 0; i < pexcz_standby.count; i++) {
        struct pexcz_standby_module *m = &pexcz_standby.modules[i];

        if (m->restored && m->state == IN_USE) {
            m->version = pexcz_standby_version(m->module);
        }
    }
}

#endif
