/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of types that shared objects of wheels define: what they do when
 * they go is machine code of others, which cannot be asked.
 *
 * What it could do that is noticed: write to something that the library has
 * opened or was given (library_direct.h and shared_objects.h see that), call
 * something of Python's that the object refers to, or just print.
 */
#ifndef PEXCZ_FOREIGN_OBJECTS_H
#define PEXCZ_FOREIGN_OBJECTS_H

#include <Python.h>

#include <stdbool.h>

/* Whether the code that ends the type's instances is a shared object's. */
bool pexcz_foreign_type(PyTypeObject *type);

/* Whether an object of such a type refers to something by which its end could
 * be noticed: what can be called, or written to. */
bool pexcz_foreign_refers_out(PyObject *o);

/* Whether it is of a type of a library of the snapshot that prints, or a
 * capsule that such a library ends. */
bool pexcz_foreign_prints(PyObject *o);

#endif
