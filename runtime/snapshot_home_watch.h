/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells which imports look into texts that have $HOME.
 *
 * In the process that only watches the imports.  What is compared, hashed,
 * measured or indexed goes through slots of the type str, which this file
 * puts others in front of.  Not seen is C code that asks the functions of
 * Python's API.
 */
#ifndef PEXCZ_SNAPSHOT_HOME_WATCH_H
#define PEXCZ_SNAPSHOT_HOME_WATCH_H

#include <Python.h>

/*
 * report(kind, text, other) from now on: "compare", "order", "hash", "length",
 * "item", "iterate" or "contains", the text and what it is compared with,
 * indexed by or asked for, or "within", a text and that in which it is asked
 * for; never while a report runs.  Steals the reference.
 */
void pexcz_snapshot_home_watch(PyObject *report);

/* The same of something that only the caller sees.  0, or -1 with an
 * exception. */
int pexcz_snapshot_home_tell(const char *kind, PyObject *text,
                             PyObject *other);

/* The method of that name becomes another function, also of a static type. */
int pexcz_snapshot_home_replace_method(PyTypeObject *type, PyObject *name,
                                       PyObject *function);

#endif
