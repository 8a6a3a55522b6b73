/* SPDX-License-Identifier: Apache-2.0 */
#define Py_BUILD_CORE 1
#include "live_objects.h"

#include "foreign_objects.h"
#include "frozen.h"
#include "import.h"
#include "library_direct.h"
#include "python_version.h"
#include "snapshot_objects.h"

#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>
#if PEXCZ_GENERATORS_HAVE_HANDLER
#include <internal/pycore_frame.h>
#include <internal/pycore_opcode_utils.h>
#include <opcode.h>
#endif
#include <string.h>

/* More types than that are looked at anew for each of their objects. */
#define HARMLESS_TYPES 512
#define HARMLESS_MOST (HARMLESS_TYPES / 4 * 3)

struct search {
    bool libraries;     /* what shared objects' code does at the end counts */
    PyObject *found;    /* list of instances of io's writers */
    PyTypeObject *last; /* the type found harmless last */
    /* Types that need nothing at exit, hashed by address.  No references: to
     * write into each type would copy its page. */
    size_t harmless_count;
    const PyTypeObject *harmless[HARMLESS_TYPES];
};

static struct pexcz_snapshot_objects *const known = &pexcz_snapshot_objects;

/* The last object that a snapshot brought along; NULL: there is none. */
static const void *trusted;

void
pexcz_live_objects_trust_frozen(void)
{
    trusted = pexcz_frozen_last();
}

/* Not zero ends the walk. */
typedef int visitor(struct search *search, PyObject *o);

static int
walk_list(struct search *search, const PyGC_Head *head, visitor *visit)
{
    int rc = 0;

    for (PyGC_Head *g = _PyGCHead_NEXT((PyGC_Head *)(uintptr_t)head);
         g != head && rc == 0; g = _PyGCHead_NEXT(g)) {
        rc = visit(search, (PyObject *)(g + 1));
    }
    return rc;
}

/* The collector's own lists: gc.get_objects() would have to be imported, and
 * makes a list.  visit() makes no objects that the collector knows. */
static int
walk(struct search *search, visitor *visit, bool with_trusted)
{
    const struct _gc_runtime_state *gc = &PyInterpreterState_Get()->gc;
    int rc = !with_trusted && trusted != NULL && trusted == pexcz_frozen_last()
                 ? 0
                 : walk_list(search, &gc->permanent_generation.head, visit);

    for (int i = 0; i < NUM_GENERATIONS && rc == 0; i++) {
        rc = walk_list(search, &gc->generations[i].head, visit);
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
type_has_finaliser(PyTypeObject *type)
{
    PyObject *method;

    if (PyType_IsSubtype(type, known->io_base)) {
        /* io's own classes are flushed, not torn down. */
        return strncmp(type->tp_name, "_io.", 4) != 0;
    }
    method = _PyType_Lookup(type, known->del);
    return (method != NULL && !is_harmless(method)) || type->tp_del != NULL
           || strcmp(type->tp_name, "sqlite3.Connection") == 0;
}

/* A class whose instances have a finaliser but are unknown to the collector:
 * `__slots__ = ()`. */
static bool
is_class_of_unseen(PyObject *o)
{
    PyTypeObject *type = (PyTypeObject *)o;

    return PyType_Check(o) && (type->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0
           && !PyType_IS_GC(type) && type_has_finaliser(type);
}

/* The type's place in search->harmless, or the free one for it. */
static const PyTypeObject **
harmless_slot(struct search *search, const PyTypeObject *type)
{
    size_t i = ((uintptr_t)type >> 4) ^ ((uintptr_t)type >> 13);

    for (;; i++) {
        const PyTypeObject **slot = &search->harmless[i % HARMLESS_TYPES];

        if (*slot == NULL || *slot == type) {
            return slot;
        }
    }
}

static bool
is_writer(const PyTypeObject *type)
{
    for (size_t i = 0; i < PEXCZ_IO_WRITERS; i++) {
        if (type == known->io_writers[i]) {
            return true;
        }
    }
    return false;
}

/* 1 when tearing the object down can be noticed, 0 not, -1 exception. */
static int
visit(struct search *search, PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    const PyTypeObject **slot;

    if (is_class_of_unseen(o)) {
        return 1;
    }
    if (type == search->last) {
        return 0;
    }
    if (PyGen_CheckExact(o) || PyCoro_CheckExact(o)
        || PyAsyncGen_CheckExact(o)) {
        return generator_is_noticeable(o);
    }
    slot = harmless_slot(search, type);
    if (*slot == NULL) {
        if (is_writer(type)) {
            return PyList_Append(search->found, o);
        }
        if (type_has_finaliser(type)) {
            return 1;
        }
        if (search->libraries && pexcz_foreign_type(type)) {
            return pexcz_foreign_refers_out(o);
        }
        if (search->harmless_count < HARMLESS_MOST) {
            search->harmless_count++;
            *slot = type;
        }
    }
    search->last = type;
    return 0;
}

static int
look_for_printer(PyObject *o, void *unused)
{
    (void)unused;
    return pexcz_foreign_prints(o);
}

/* The collector does not know every object; those that it knows refer to all
 * others. */
static int
has_printer(struct search *search, PyObject *o)
{
    (void)search;
    return look_for_printer(o, NULL)
           || Py_TYPE(o)->tp_traverse(o, look_for_printer, NULL) != 0;
}

/* A class of _io; NULL without an exception. */
static PyTypeObject *
io_class(PyObject *io, const char *name)
{
    PyObject *type = io != NULL ? PyObject_GetAttrString(io, name) : NULL;

    PyErr_Clear();
    return (PyTypeObject *)type;
}

static void
find_known(void)
{
    static const char *const writers[PEXCZ_IO_WRITERS] = {
        "TextIOWrapper", "BufferedRWPair", "BufferedWriter", "BufferedRandom"};
    PyObject *io = pexcz_import("_io");

    known->io_base = io_class(io, "_IOBase");
    for (size_t i = 0; i < PEXCZ_IO_WRITERS; i++) {
        known->io_writers[i] = io_class(io, writers[i]);
    }
    known->del = PyUnicode_InternFromString("__del__");
    Py_XDECREF(io);
}

bool
pexcz_live_objects_need_teardown(bool libraries, PyObject **ret_writers)
{
    struct search search = {
        .libraries = libraries,
        .found = PyList_New(0),
    };
    bool needed;

    if (known->del == NULL) {
        find_known();
    }
    needed = known->io_base == NULL || search.found == NULL
             || known->del == NULL || walk(&search, visit, false) != 0
             || (libraries && pexcz_libraries_print(NULL)
                 && walk(&search, has_printer, true) != 0);
    PyErr_Clear();
    *ret_writers = needed ? NULL : search.found;
    if (needed) {
        Py_XDECREF(search.found);
    }
    return needed;
}

static void
flush_all(PyObject *writers, bool text)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(writers); i++) {
        PyObject *o = PyList_GET_ITEM(writers, i);

        if ((strcmp(Py_TYPE(o)->tp_name, "_io.TextIOWrapper") == 0) == text) {
            Py_XDECREF(PyObject_CallMethod(o, "flush", NULL));
            PyErr_Clear(); /* closed, not a writer, or its disk is full */
        }
    }
}

void
pexcz_live_objects_flush(PyObject *writers)
{
    flush_all(writers, true);
    flush_all(writers, false);
}
