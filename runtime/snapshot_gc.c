/* SPDX-License-Identifier: Apache-2.0 */
#define Py_BUILD_CORE 1
#include "snapshot_gc.h"

#include "snapshot_objects.h"
#include "standby.h"

#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>
#include <string.h>

enum { OBJECTS, REFERRERS };

#define OLDEST (NUM_GENERATIONS - 1)

struct objects {
    PyObject *const *items;
    Py_ssize_t count;
};

static int
is_in(PyObject *o, void *objects)
{
    const struct objects *of = objects;

    for (Py_ssize_t i = 0; i < of->count; i++) {
        if (of->items[i] == o) {
            return 1;
        }
    }
    return 0;
}

static bool
refers(PyObject *o, struct objects *objects)
{
    traverseproc traverse = Py_TYPE(o)->tp_traverse;

    return traverse != NULL && traverse(o, is_in, objects) != 0;
}

/* In the list's place; steals it.  Those that refer to the objects, unless
 * NULL. */
static PyObject *
add_frozen(PyObject *list, struct objects *objects)
{
    PyGC_Head *head = &PyInterpreterState_Get()->gc.permanent_generation.head;

    if (list == NULL) {
        return NULL;
    }
    /* To append collects nothing, and makes nothing that is collected. */
    for (PyGC_Head *g = _PyGCHead_NEXT(head); g != head;
         g = _PyGCHead_NEXT(g)) {
        PyObject *o = (PyObject *)(g + 1);

        if ((objects == NULL || refers(o, objects)) && !pexcz_standby_hides(o)
            && PyList_Append(list, o) < 0) {
            Py_DECREF(list);
            return NULL;
        }
    }
    return list;
}

/* As Python's own, which has refused what is wrong. */
static bool
is_of_oldest(PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    bool given = count + (names != NULL ? PyTuple_GET_SIZE(names) : 0) != 0;

    return !given || Py_IsNone(args[0]) || PyLong_AsLong(args[0]) == OLDEST;
}

static PyObject *
get_objects(PyObject *gc, PyObject *const *args, Py_ssize_t count,
            PyObject *names)
{
    PyCFunction own = pexcz_snapshot_objects.gc_functions[OBJECTS];
    PyObject *list = ((_PyCFunctionFastWithKeywords)(void (*)(void))own)(
        gc, args, count, names);

    return list != NULL && is_of_oldest(args, count, names)
               ? add_frozen(list, NULL)
               : list;
}

/* 3.11 passes a tuple, 3.13 an array. */
#if PY_VERSION_HEX < 0x030d0000
#define REFERRERS_FLAGS METH_VARARGS

static PyObject *
get_referrers(PyObject *gc, PyObject *tuple)
{
    PyCFunction own = pexcz_snapshot_objects.gc_functions[REFERRERS];
    struct objects objects = {
        .items = &PyTuple_GET_ITEM(tuple, 0),
        .count = PyTuple_GET_SIZE(tuple),
    };

    return add_frozen(own(gc, tuple), &objects);
}

#else
#define REFERRERS_FLAGS METH_FASTCALL

static PyObject *
get_referrers(PyObject *gc, PyObject *const *args, Py_ssize_t count)
{
    PyCFunction own = pexcz_snapshot_objects.gc_functions[REFERRERS];
    struct objects objects = {args, count};

    return add_frozen(((PyCFunctionFast)(void (*)(void))own)(gc, args, count),
                      &objects);
}

#endif

static void
replace(PyMethodDef *method, const char *name, int flags, int which,
        PyCFunction function)
{
    if (strcmp(method->ml_name, name) == 0 && method->ml_flags == flags
        && method->ml_meth != function) {
        pexcz_snapshot_objects.gc_functions[which] = method->ml_meth;
        method->ml_meth = function;
    }
}

/* In the table, of which a module that is imported later is made, too. */
void
pexcz_snapshot_gc_prepare(PyObject *gc)
{
    PyModuleDef *definition = PyModule_GetDef(gc);
    PyMethodDef *m = definition != NULL ? definition->m_methods : NULL;

    for (; m != NULL && m->ml_name != NULL; m++) {
        replace(m, "get_objects", METH_FASTCALL | METH_KEYWORDS, OBJECTS,
                (PyCFunction)(void (*)(void))get_objects);
        replace(m, "get_referrers", REFERRERS_FLAGS, REFERRERS,
                (PyCFunction)(void (*)(void))get_referrers);
    }
}
