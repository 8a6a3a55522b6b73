/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells, while a snapshot is made, whether objects were changed.
 */
#ifndef PEXCZ_HEAP_SIGNATURES_H
#define PEXCZ_HEAP_SIGNATURES_H

#include <Python.h>

/* bytes: 8 for each object of the list, which change when it refers to other
 * objects; for a dict, whenever it is changed, and with it those that only
 * atomic values are in.  NULL with an exception. */
PyObject *pexcz_heap_signatures(PyObject *list);

#endif
