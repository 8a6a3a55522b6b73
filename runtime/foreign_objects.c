/* SPDX-License-Identifier: Apache-2.0 */
#include "foreign_objects.h"

#include "library_direct.h"

#include <string.h>

extern const char __executable_start[];
extern const char etext[];

/* Containers inside of containers that are looked into. */
#define DEPTH 3

static bool
is_own_code(uintptr_t address)
{
    return address >= (uintptr_t)__executable_start
           && address < (uintptr_t)etext;
}

/* The function that ends an instance of the type; those of classes of Python
 * call that of the first base that is none. */
static uintptr_t
end_of(PyTypeObject *type)
{
    for (PyTypeObject *t = type; t != NULL; t = t->tp_base) {
        if (!is_own_code((uintptr_t)t->tp_dealloc)) {
            return (uintptr_t)t->tp_dealloc;
        }
    }
    return 0;
}

bool
pexcz_foreign_type(PyTypeObject *type)
{
    return end_of(type) != 0;
}

/* Functions of modules are called by nobody but programs. */
static bool
can_be_called(PyObject *o)
{
    PyObject *self;

    if (PyCFunction_Check(o)) {
        self = PyCFunction_GET_SELF(o);
        return self != NULL && !PyModule_Check(self) && !PyType_Check(self);
    }
    return Py_TYPE(o)->tp_call != NULL && !PyType_Check(o)
           && !pexcz_foreign_type(Py_TYPE(o));
}

static bool
can_be_written_to(PyObject *o)
{
    static PyObject *name;

    if (name == NULL) {
        name = PyUnicode_InternFromString("write");
    }
    return name == NULL
           || (!PyType_Check(o) && _PyType_Lookup(Py_TYPE(o), name) != NULL);
}

static int
look(PyObject *o, void *context)
{
    int depth = *(const int *)context - 1;

    if (can_be_called(o) || can_be_written_to(o)) {
        return 1;
    }
    /* The variables of a module are the program's. */
    if (depth > 0
        && (PyTuple_CheckExact(o) || PyList_CheckExact(o)
            || PySet_CheckExact(o)
            || (PyDict_CheckExact(o)
                && PyDict_GetItemString(o, "__builtins__") == NULL))) {
        return Py_TYPE(o)->tp_traverse(o, look, &depth);
    }
    return 0;
}

bool
pexcz_foreign_refers_out(PyObject *o)
{
    int depth = DEPTH;
    PyTypeObject *type = Py_TYPE(o);

    return type->tp_traverse != NULL
           && type->tp_traverse(o, look, &depth) != 0;
}

bool
pexcz_foreign_prints(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    uintptr_t end;

    if (PyCapsule_CheckExact(o)) {
        end = (uintptr_t)PyCapsule_GetDestructor(o);
        PyErr_Clear(); /* a capsule that is not valid any more */
    }
    else {
        end = end_of(type);
    }
    return end != 0 && pexcz_libraries_print((const void *)end);
}
