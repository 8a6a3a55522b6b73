/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the objects that are still alive at exit need.
 *
 * Found out by one look at every object that the garbage collector knows; that
 * costs some 20 ns for each, against about a microsecond for its teardown.
 */
#ifndef PEXCZ_LIVE_OBJECTS_H
#define PEXCZ_LIVE_OBJECTS_H

#include <Python.h>

#include <stdbool.h>

/* This process has a snapshot: what is frozen now is known to need nothing at
 * exit, and is not looked at, which would copy every page of it. */
void pexcz_live_objects_trust_frozen(void);

/*
 * Whether tearing down one of the objects that the collector tracks can be
 * noticed: a `__del__`, a suspended generator or coroutine inside `try` or
 * `with`, an open file of a class of its own, a database connection.  True as
 * well when that cannot be found out.  If not, *ret_writers gets a new list of
 * io's own open writers; else NULL.  `libraries`: objects of types that shared
 * objects define count, too (foreign_objects.h).
 */
bool pexcz_live_objects_need_teardown(bool libraries, PyObject **ret_writers);

/* Flushes them: text layers first, so that their bytes reach the buffers
 * below.  Errors go unreported, as in teardown. */
void pexcz_live_objects_flush(PyObject *writers);

#endif
