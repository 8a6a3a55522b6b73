/* SPDX-License-Identifier: Apache-2.0 */
#define Py_BUILD_CORE 1
#include "live_objects.h"

#include "frozen.h"
#include "python_version.h"

#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>
#if PEXCZ_GENERATORS_HAVE_HANDLER
#include <internal/pycore_frame.h>
#include <internal/pycore_opcode_utils.h>
#include <opcode.h>
#endif
#include <string.h>

struct finaliser_search {
    PyTypeObject *io_base; /* _io._IOBase */
    PyObject *del;         /* "__del__" */
    PyObject *harmless;    /* set of types that have no finaliser */
    PyTypeObject *last;    /* the type found harmless last */
};

/* Not zero ends the walk. */
typedef int visitor(PyObject *o, void *context);

/* The last object that a snapshot brought along; NULL: there is none. */
static const void *trusted;

void
pexcz_live_objects_trust_frozen(void)
{
    trusted = pexcz_frozen_last();
}

static int
walk_list(const PyGC_Head *head, visitor *visit, void *context)
{
    int rc = 0;

    for (PyGC_Head *g = _PyGCHead_NEXT((PyGC_Head *)(uintptr_t)head);
         g != head && rc == 0; g = _PyGCHead_NEXT(g)) {
        rc = visit((PyObject *)(g + 1), context);
    }
    return rc;
}

/* The collector's own lists: gc.get_objects() would have to be imported, and
 * makes a list.  `visit` makes no objects that the collector knows. */
static int
walk(visitor *visit, void *context)
{
    const struct _gc_runtime_state *gc = &PyInterpreterState_Get()->gc;
    int rc = trusted != NULL && trusted == pexcz_frozen_last()
                 ? 0
                 : walk_list(&gc->permanent_generation.head, visit, context);

    for (int i = 0; i < NUM_GENERATIONS && rc == 0; i++) {
        rc = walk_list(&gc->generations[i].head, visit, context);
    }
    return rc;
}

/* Closing a generator runs code only where one of its frame's exception
 * handlers can see GeneratorExit. */
static bool
generator_is_noticeable(PyObject *o)
{
#if PEXCZ_GENERATORS_HAVE_HANDLER
    const _PyInterpreterFrame *frame
        = (const void *)((const PyGenObject *)o)->gi_iframe;

    /* As gen_close() of genobject.c. */
    if (pexcz_generator_is_suspended((const PyGenObject *)o) != 0
        && (frame->instr_ptr->op.code == RESUME
            || frame->instr_ptr->op.code == RESUME_CHECK)
        && (frame->instr_ptr->op.arg & RESUME_OPARG_DEPTH1_MASK) != 0) {
        return false;
    }
#endif
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
is_noticeable(PyObject *o, void *context)
{
    struct finaliser_search *search = context;
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

/* A class of _io; NULL without an exception. */
static PyTypeObject *
io_class(const char *name)
{
    PyObject *io = PyImport_ImportModule("_io");
    PyObject *type = io != NULL ? PyObject_GetAttrString(io, name) : NULL;

    Py_XDECREF(io);
    PyErr_Clear();
    return (PyTypeObject *)type;
}

bool
pexcz_live_objects_need_teardown(void)
{
    struct finaliser_search search = {
        .io_base = io_class("_IOBase"),
        .del = PyUnicode_InternFromString("__del__"),
        .harmless = PySet_New(NULL),
    };
    bool found = search.io_base == NULL || search.del == NULL
                 || search.harmless == NULL
                 || walk(is_noticeable, &search) != 0;

    PyErr_Clear();
    Py_XDECREF(search.harmless);
    Py_XDECREF(search.del);
    Py_XDECREF(search.io_base);
    return found;
}

#define WRITERS 4

struct writer_search {
    PyTypeObject *types[WRITERS];
    PyObject *found; /* list */
};

static int
note_writer(PyObject *o, void *context)
{
    const struct writer_search *search = context;

    for (size_t i = 0; i < WRITERS; i++) {
        if (Py_IS_TYPE(o, search->types[i])) {
            return PyList_Append(search->found, o);
        }
    }
    return 0;
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
pexcz_live_objects_flush(void)
{
    struct writer_search search = {
        .types = {io_class("TextIOWrapper"), io_class("BufferedRWPair"),
                  io_class("BufferedWriter"), io_class("BufferedRandom")},
        .found = PyList_New(0),
    };

    if (search.found != NULL) {
        (void)walk(note_writer, &search);
        for (size_t i = 0; i < WRITERS; i++) {
            flush_all_of(search.found, search.types[i]);
        }
    }
    PyErr_Clear();
    for (size_t i = 0; i < WRITERS; i++) {
        Py_XDECREF(search.types[i]);
    }
    Py_XDECREF(search.found);
}
