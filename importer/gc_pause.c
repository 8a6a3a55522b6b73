/* SPDX-License-Identifier: Apache-2.0 */
#include "gc_pause.h"

/* Container objects; the standard library's 470 modules make some 150,000. */
#define RAISED_THRESHOLD 50000L

int
pexcz_gc_pause_init(struct pexcz_gc_pause *pause)
{
    PyObject *gc = PyImport_ImportModule("gc");

    if (gc == NULL) {
        return -1;
    }
    pause->get_threshold = PyObject_GetAttrString(gc, "get_threshold");
    pause->set_threshold = PyObject_GetAttrString(gc, "set_threshold");
    pause->isenabled = PyObject_GetAttrString(gc, "isenabled");
    Py_DECREF(gc);
    return pause->get_threshold != NULL && pause->set_threshold != NULL
                   && pause->isenabled != NULL
               ? 0
               : -1;
}

void
pexcz_gc_pause_done(struct pexcz_gc_pause *pause)
{
    Py_CLEAR(pause->get_threshold);
    Py_CLEAR(pause->set_threshold);
    Py_CLEAR(pause->isenabled);
}

/* The threshold in force; 0 when the collector is off, by either way. */
static long
threshold_now(const struct pexcz_gc_pause *pause)
{
    PyObject *on = PyObject_CallNoArgs(pause->isenabled);
    PyObject *all = NULL;
    long now = 0;

    if (on == Py_True) {
        all = PyObject_CallNoArgs(pause->get_threshold);
        if (all != NULL && PyTuple_Check(all) && PyTuple_GET_SIZE(all) > 0) {
            now = PyLong_AsLong(PyTuple_GET_ITEM(all, 0));
        }
    }
    Py_XDECREF(on);
    Py_XDECREF(all);
    return now;
}

static void
set_threshold(const struct pexcz_gc_pause *pause, long value)
{
    Py_XDECREF(PyObject_CallFunction(pause->set_threshold, "l", value));
}

void
pexcz_gc_pause_enter(struct pexcz_gc_pause *pause)
{
    if (pause->depth++ == 0) {
        long now = threshold_now(pause);

        pause->saved = 0;
        if (now > 0 && now < RAISED_THRESHOLD) {
            set_threshold(pause, RAISED_THRESHOLD);
            pause->saved = now;
        }
        PyErr_Clear();
    }
}

void
pexcz_gc_pause_leave(struct pexcz_gc_pause *pause)
{
    if (--pause->depth == 0 && pause->saved != 0) {
        PyObject *type;
        PyObject *value;
        PyObject *tb;

        PyErr_Fetch(&type, &value, &tb);
        if (threshold_now(pause) == RAISED_THRESHOLD) {
            set_threshold(pause, pause->saved);
        }
        pause->saved = 0;
        PyErr_Clear();
        PyErr_Restore(type, value, tb);
    }
}
