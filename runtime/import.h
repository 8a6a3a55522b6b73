/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Imports where no Python code runs: PyImport_Import() imports `builtins`
 * then, whose spec it asks for an attribute that is not there, an exception
 * each time.  And attributes.
 */
#ifndef PEXCZ_IMPORT_H
#define PEXCZ_IMPORT_H

#include <Python.h>

/* The module of that name itself, whatever an overridden __import__() gives.
 * A new reference, or NULL with an exception. */
PyObject *pexcz_import(const char *name);
PyObject *pexcz_import_text(PyObject *name);

/* By an interned name, since Python's cache of the attributes of types knows
 * no other.  A new reference, or NULL with an exception. */
PyObject *pexcz_attribute(PyObject *o, const char *name);

#endif
