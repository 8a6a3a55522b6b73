/* SPDX-License-Identifier: Apache-2.0 */
#include "heap_signatures.h"

#include <stdint.h>
#include <string.h>

/* For the standby of importer/standby.c. */
#if PY_VERSION_HEX < 0x030c0000

static void
mix(uint64_t *sum, uint64_t value)
{
    *sum = (*sum ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    *sum ^= *sum >> 29;
}

static int
visit(PyObject *object, void *sum)
{
    mix(sum, (uintptr_t)object);
    /* The collector does not know a dict of atomic values. */
    if (PyDict_CheckExact(object) && !PyObject_GC_IsTracked(object)) {
        mix(sum, ((PyDictObject *)object)->ma_version_tag);
    }
    return 0;
}

static uint64_t
signature(PyObject *object)
{
    uint64_t sum = 1;

    if (PyDict_Check(object)) {
        return ((PyDictObject *)object)->ma_version_tag;
    }
    if (Py_TYPE(object)->tp_traverse != NULL && PyObject_IS_GC(object)) {
        (void)Py_TYPE(object)->tp_traverse(object, visit, &sum);
    }
    return sum;
}

PyObject *
pexcz_heap_signatures(PyObject *list)
{
    Py_ssize_t n = PyList_Check(list) ? PyList_GET_SIZE(list) : 0;
    PyObject *result
        = PyBytes_FromStringAndSize(NULL, n * (Py_ssize_t)sizeof(uint64_t));

    for (Py_ssize_t i = 0; result != NULL && i < n; i++) {
        uint64_t value = signature(PyList_GET_ITEM(list, i));

        memcpy(PyBytes_AS_STRING(result) + (size_t)i * sizeof(value), &value,
               sizeof(value));
    }
    return result;
}

#else

PyObject *
pexcz_heap_signatures(PyObject *list)
{
    (void)list;
    PyErr_SetString(PyExc_NotImplementedError, "no versions of dicts");
    return NULL;
}

#endif
