/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_home_watch.h"

#include "snapshot_home_texts.h"

#include <stdbool.h>

static struct {
    PyObject *report; /* NULL: nobody watches */
    bool busy;
    richcmpfunc compare;
    hashfunc hash;
    getiterfunc iterate;
    lenfunc length;
    binaryfunc item;
    objobjproc contains;
} watch;

int
pexcz_snapshot_home_tell(const char *kind, PyObject *text, PyObject *other)
{
    PyObject *result;

    if (watch.report == NULL || watch.busy) {
        return 0;
    }
    watch.busy = true;
    result = PyObject_CallFunction(watch.report, "sOO", kind, text,
                                   other != NULL ? other : Py_None);
    watch.busy = false;
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

static bool
is_watched(PyObject *text)
{
    return !watch.busy && pexcz_snapshot_home_is_in(text);
}

static PyObject *
compare(PyObject *a, PyObject *b, int op)
{
    const char *kind = op == Py_EQ || op == Py_NE ? "compare" : "order";

    if (a != b
        && ((is_watched(a) && pexcz_snapshot_home_tell(kind, a, b) < 0)
            || (is_watched(b) && pexcz_snapshot_home_tell(kind, b, a) < 0))) {
        return NULL;
    }
    return watch.compare(a, b, op);
}

static Py_hash_t
hash(PyObject *text)
{
    if (is_watched(text) && pexcz_snapshot_home_tell("hash", text, NULL) < 0) {
        return -1;
    }
    return watch.hash(text);
}

static PyObject *
iterate(PyObject *text)
{
    if (is_watched(text)
        && pexcz_snapshot_home_tell("iterate", text, NULL) < 0) {
        return NULL;
    }
    return watch.iterate(text);
}

static Py_ssize_t
length(PyObject *text)
{
    if (is_watched(text)
        && pexcz_snapshot_home_tell("length", text, NULL) < 0) {
        return -1;
    }
    return watch.length(text);
}

static PyObject *
item(PyObject *text, PyObject *index)
{
    if (is_watched(text)
        && pexcz_snapshot_home_tell("item", text, index) < 0) {
        return NULL;
    }
    return watch.item(text, index);
}

static int
contains(PyObject *text, PyObject *part)
{
    if ((is_watched(text)
         && pexcz_snapshot_home_tell("contains", text, part) < 0)
        || (!pexcz_snapshot_home_is_in(text) && is_watched(part)
            && pexcz_snapshot_home_tell("within", part, text) < 0)) {
        return -1;
    }
    return watch.contains(text, part);
}

void
pexcz_snapshot_home_watch(PyObject *report)
{
    PyTypeObject *type = &PyUnicode_Type;

    watch.report = report;
    watch.compare = type->tp_richcompare;
    watch.hash = type->tp_hash;
    watch.iterate = type->tp_iter;
    /* len() asks this slot; whether a text is empty is asked of another. */
    watch.length = type->tp_as_sequence->sq_length;
    watch.item = type->tp_as_mapping->mp_subscript;
    watch.contains = type->tp_as_sequence->sq_contains;
    type->tp_richcompare = compare;
    type->tp_hash = hash;
    type->tp_iter = iterate;
    type->tp_as_sequence->sq_length = length;
    type->tp_as_mapping->mp_subscript = item;
    type->tp_as_sequence->sq_contains = contains;
}

int
pexcz_snapshot_home_replace_method(PyTypeObject *type, PyObject *name,
                                   PyObject *function)
{
    PyObject *dict;
    int rc;

#if PY_VERSION_HEX >= 0x030c0000
    dict = PyType_GetDict(type);
#else
    dict = Py_NewRef(type->tp_dict);
#endif
    rc = PyDict_SetItem(dict, name, function);
    Py_DECREF(dict);
    PyType_Modified(type);
    return rc;
}
