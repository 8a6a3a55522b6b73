/* SPDX-License-Identifier: Apache-2.0 */
#include "live_objects.h"

#include "frozen.h"
#include "python_version.h"

#include <string.h>

struct finaliser_search {
    PyTypeObject *io_base; /* _io._IOBase */
    PyObject *del;         /* "__del__" */
    PyObject *harmless;    /* set of types that have no finaliser */
    PyTypeObject *last;    /* the type found harmless last */
};

/* The last object that a snapshot brought along; NULL: there is none. */
static const void *trusted;

void
pexcz_live_objects_trust_frozen(void)
{
    trusted = pexcz_frozen_last();
}

PyObject *
pexcz_live_objects(void)
{
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *done = NULL;
    PyObject *all = NULL;

    if (gc != NULL && trusted != NULL && trusted == pexcz_frozen_last()) {
        done = Py_NewRef(Py_None);
    }
    else if (gc != NULL) {
        done = PyObject_CallMethod(gc, "unfreeze", NULL);
    }
    if (done != NULL) {
        all = PyObject_CallMethod(gc, "get_objects", NULL);
    }
    Py_XDECREF(done);
    Py_XDECREF(gc);
    PyErr_Clear();
    return all;
}

/* Closing a generator runs code only where one of its frame's exception
 * handlers can see GeneratorExit. */
static bool
generator_is_noticeable(PyObject *o)
{
    return pexcz_generator_is_suspended((const PyGenObject *)o) != 0
           && PyBytes_GET_SIZE(pexcz_generator_code(o)->co_exceptiontable)
                  != 0;
}

/* What these do in `__del__` is a ResourceWarning (pexcz_exit() tears down
 * when warnings are wanted) and a close, which the exit does too. */
static bool
is_harmless(PyObject *method)
{
    static const char *const types[]
        = {"_socket.socket", "posix.ScandirIterator"};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (Py_IS_TYPE(method, &PyWrapperDescr_Type)
            && strcmp(PyDescr_TYPE(method)->tp_name, types[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool
type_has_finaliser(const struct finaliser_search *search, PyTypeObject *type)
{
    PyObject *method;

    if (PyType_IsSubtype(type, search->io_base)) {
        /* io's own classes are flushed, not torn down. */
        return strncmp(type->tp_name, "_io.", 4) != 0;
    }
    method = _PyType_Lookup(type, search->del);
    return (method != NULL && !is_harmless(method)) || type->tp_del != NULL
           || strcmp(type->tp_name, "sqlite3.Connection") == 0;
}

/* A class whose instances have a finaliser but are unknown to the collector:
 * `__slots__ = ()`. */
static bool
is_class_of_unseen(const struct finaliser_search *search, PyObject *o)
{
    PyTypeObject *type = (PyTypeObject *)o;

    return PyType_Check(o) && (type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0
           && !PyType_IS_GC(type) && type_has_finaliser(search, type);
}

/* 1 when tearing the object down can be noticed, 0 not, -1 exception. */
static int
is_noticeable(struct finaliser_search *search, PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    int rc;

    if (is_class_of_unseen(search, o)) {
        return 1;
    }
    if (type == search->last) {
        return 0;
    }
    if (PyGen_CheckExact(o) || PyCoro_CheckExact(o)
        || PyAsyncGen_CheckExact(o)) {
        return generator_is_noticeable(o);
    }
    rc = PySet_Contains(search->harmless, (PyObject *)type);
    if (rc == 0) {
        if (type_has_finaliser(search, type)) {
            return 1;
        }
        rc = PySet_Add(search->harmless, (PyObject *)type);
    }
    search->last = type;
    return rc < 0 ? -1 : 0;
}

bool
pexcz_live_objects_need_teardown(PyObject *objects)
{
    struct finaliser_search search = {0};
    PyObject *io = PyImport_ImportModule("_io");
    PyObject *base = io != NULL ? PyObject_GetAttrString(io, "_IOBase") : NULL;
    bool found = true;

    search.del = PyUnicode_InternFromString("__del__");
    search.harmless = PySet_New(NULL);
    if (objects != NULL && base != NULL && search.del != NULL
        && search.harmless != NULL) {
        search.io_base = (PyTypeObject *)base;
        found = false;
        for (Py_ssize_t i = 0; !found && i < PyList_GET_SIZE(objects); i++) {
            found = is_noticeable(&search, PyList_GET_ITEM(objects, i)) != 0;
        }
    }
    PyErr_Clear();
    Py_XDECREF(search.harmless);
    Py_XDECREF(search.del);
    Py_XDECREF(base);
    Py_XDECREF(io);
    return found;
}

static void
flush_all_of(PyObject *objects, PyTypeObject *type)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(objects); i++) {
        PyObject *o = PyList_GET_ITEM(objects, i);

        if (Py_IS_TYPE(o, type)) {
            Py_XDECREF(PyObject_CallMethod(o, "flush", NULL));
            PyErr_Clear(); /* closed, not a writer, or its disk is full */
        }
    }
}

void
pexcz_live_objects_flush(PyObject *objects)
{
    static const char *const classes[] = {"TextIOWrapper", "BufferedRWPair",
                                          "BufferedWriter", "BufferedRandom"};
    PyObject *io = PyImport_ImportModule("_io");

    for (size_t k = 0; io != NULL && k < sizeof(classes) / sizeof(classes[0]);
         k++) {
        PyObject *type = PyObject_GetAttrString(io, classes[k]);

        if (type != NULL) {
            flush_all_of(objects, (PyTypeObject *)type);
        }
        Py_XDECREF(type);
    }
    Py_XDECREF(io);
    PyErr_Clear();
}
