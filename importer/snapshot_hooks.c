/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_hooks.h"

/* Lists of callables, or NULL; in the owned data, so a snapshot has them. */
static PyObject *before_dump;
static PyObject *after_restore;

static int
add(PyObject **list, PyObject *function)
{
    if (function == NULL || function == Py_None) {
        return 0;
    }
    if (!PyCallable_Check(function)) {
        PyErr_Format(PyExc_TypeError, "%R is not callable", function);
        return -1;
    }
    if (*list == NULL) {
        *list = PyList_New(0);
    }
    return *list != NULL ? PyList_Append(*list, function) : -1;
}

static PyObject *
register_hooks(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"before_dump", "after_restore", NULL};
    PyObject *before = NULL;
    PyObject *after = NULL;

    (void)self;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OO:register", names,
                                     &before, &after)
        || add(&before_dump, before) < 0 || add(&after_restore, after) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(register_doc,
             "register(*, before_dump=None, after_restore=None)\n--\n\n"
             "Callbacks around the heap snapshot of a packed application.");

static PyMethodDef methods[] = {
    {"register", (PyCFunction)(void (*)(void))register_hooks,
     METH_VARARGS | METH_KEYWORDS, register_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "pexcz_snapshot",
    .m_doc = PyDoc_STR("Callbacks around the heap snapshot."),
    .m_size = 0,
    .m_methods = methods,
};

PyMODINIT_FUNC
PyInit_pexcz_snapshot(void)
{
    return PyModuleDef_Init(&definition);
}

static int
call(PyObject *function)
{
    PyObject *result = PyObject_CallNoArgs(function);

    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

int
pexcz_snapshot_hooks_before_dump(void)
{
    Py_ssize_t n = before_dump != NULL ? PyList_GET_SIZE(before_dump) : 0;
    int rc = 0;

    while (n > 0 && rc == 0) {
        rc = call(PyList_GET_ITEM(before_dump, --n));
    }
    return rc;
}

int
pexcz_snapshot_hooks_after_restore(void)
{
    Py_ssize_t n = after_restore != NULL ? PyList_GET_SIZE(after_restore) : 0;
    int rc = 0;

    for (Py_ssize_t i = 0; i < n && rc == 0; i++) {
        rc = call(PyList_GET_ITEM(after_restore, i));
    }
    return rc;
}
