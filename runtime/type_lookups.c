/* SPDX-License-Identifier: Apache-2.0 */
#define Py_BUILD_CORE 1
#include "type_lookups.h"

#include <Python.h>
#include <internal/pycore_interp.h>
#include <stdlib.h>

#define ENTRIES (1u << MCACHE_SIZE_EXP)

static const struct type_cache_entry *
entries(void)
{
    PyInterpreterState *interp = PyInterpreterState_Get();

#if PY_VERSION_HEX < 0x030C0000
    return interp->type_cache.hashtable;
#else
    return interp->types.type_cache.hashtable;
#endif
}

/* --- the classes of entries, which have a version only ------------------- */

/* Classes with a version; some more than once. */
struct classes {
    PyObject *subclasses; /* type.__subclasses__ */
    PyTypeObject **all;
    size_t count;
    size_t capacity;
};

static int
append(struct classes *c, PyTypeObject *type)
{
    if (c->count == c->capacity) {
        size_t capacity = 2 * c->capacity + 1024;
        PyTypeObject **all = realloc(c->all, capacity * sizeof(*all));

        if (all == NULL) {
            return -1;
        }
        c->all = all;
        c->capacity = capacity;
    }
    c->all[c->count++] = type;
    return 0;
}

/* A class without a version has no subclass with one. */
static int
collect(struct classes *c, PyTypeObject *type)
{
    PyObject *list = NULL;
    int rc = 0;

    if (type->tp_version_tag != 0) {
        rc = append(c, type);
        list = PyObject_CallOneArg(c->subclasses, (PyObject *)type);
    }
    for (Py_ssize_t i = 0;
         list != NULL && rc == 0 && i < PyList_GET_SIZE(list); i++) {
        rc = collect(c, (PyTypeObject *)PyList_GET_ITEM(list, i));
    }
    Py_XDECREF(list);
    PyErr_Clear();
    return rc;
}

static int
compare_versions(const void *a, const void *b)
{
    unsigned int x = (*(PyTypeObject *const *)a)->tp_version_tag;
    unsigned int y = (*(PyTypeObject *const *)b)->tp_version_tag;

    return x < y ? -1 : x > y;
}

static int
compare_with_version(const void *version, const void *class)
{
    unsigned int x = *(const unsigned int *)version;
    unsigned int y = (*(PyTypeObject *const *)class)->tp_version_tag;

    return x < y ? -1 : x > y;
}

static PyTypeObject *
class_of_version(const struct classes *c, unsigned int version)
{
    PyTypeObject **found
        = bsearch(&version, c->all, c->count, sizeof(PyTypeObject *),
                  compare_with_version);

    return found != NULL ? *found : NULL;
}

size_t
pexcz_type_lookups_get(struct pexcz_place_pair ret[PEXCZ_PLACE_PAIRS],
                       bool (*is_known)(const void *object))
{
    struct classes c = {
        .subclasses
        = PyObject_GetAttrString((PyObject *)&PyType_Type, "__subclasses__"),
    };
    const struct type_cache_entry *e = entries();
    size_t count = 0;

    if (c.subclasses != NULL) {
        (void)collect(&c, &PyBaseObject_Type);
    }
    if (c.count != 0) {
        qsort(c.all, c.count, sizeof(PyTypeObject *), compare_versions);
    }
    for (size_t i = 0; i < ENTRIES && count < PEXCZ_PLACE_PAIRS; i++) {
        PyTypeObject *type = c.count != 0 && e[i].version != 0
                                 ? class_of_version(&c, e[i].version)
                                 : NULL;

        if (type != NULL && e[i].name != NULL && is_known(type)
            && PyUnicode_CheckExact(e[i].name) && is_known(e[i].name)) {
            ret[count++] = (struct pexcz_place_pair){
                .type = (uintptr_t)type,
                .name = (uintptr_t)e[i].name,
            };
        }
    }
    Py_XDECREF(c.subclasses);
    PyErr_Clear();
    free(c.all);
    return count;
}

/* --- entries for classes ------------------------------------------------- */

void
pexcz_type_lookups_put(const struct pexcz_place_pair *pair)
{
    PyObject *type = (PyObject *)(uintptr_t)pair->type;
    PyObject *name = (PyObject *)(uintptr_t)pair->name;

    if (PyType_Check(type) && PyUnicode_CheckExact(name)) {
#if PY_VERSION_HEX >= 0x030C0000
        /* The first lookup in a class without a version would be kept where
         * no other looks for it. */
        (void)PyUnstable_Type_AssignVersionTag((PyTypeObject *)type);
#endif
        (void)_PyType_Lookup((PyTypeObject *)type, name);
    }
}
