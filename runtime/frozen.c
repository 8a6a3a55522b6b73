/* SPDX-License-Identifier: Apache-2.0 */
#define Py_BUILD_CORE 1
#include "frozen.h"

#include <Python.h>
#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>

const void *
pexcz_frozen_last(void)
{
    const PyInterpreterState *interp = PyInterpreterState_Get();

    /* _gc_prev of a list's head: the tail. */
    return (const void *)interp->gc.permanent_generation.head._gc_prev;
}

void
pexcz_frozen_release(void)
{
    struct _gc_runtime_state *gc = &PyInterpreterState_Get()->gc;
    PyGC_Head *from = &gc->permanent_generation.head;
    PyGC_Head *to = &gc->generations[NUM_GENERATIONS - 1].head;
    PyGC_Head *first = _PyGCHead_NEXT(from);
    PyGC_Head *last = _PyGCHead_PREV(from);

    if (first == from) {
        return;
    }
    _PyGCHead_SET_NEXT(_PyGCHead_PREV(to), first);
    _PyGCHead_SET_PREV(first, _PyGCHead_PREV(to));
    _PyGCHead_SET_NEXT(last, to);
    _PyGCHead_SET_PREV(to, last);
    _PyGCHead_SET_NEXT(from, from);
    _PyGCHead_SET_PREV(from, from);
}
