/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modules on standby: imported when the snapshot was made, but not in
 * sys.modules before a program imports them.
 *
 * The import itself is importlib's as ever: finders, locks, the spec, the
 * place in sys.modules.  Only what the module's body would do is replaced: the
 * imports in it are done again, in order, and its variables are there.  That
 * holds while nothing that the body saw has changed since the snapshot:
 * the variables of all modules that it can reach, and the bases of its
 * classes.  Otherwise the body runs.
 *
 * While the import system is as it was, too, importlib would find what the
 * snapshot has: then the module, and those that it imports, are put into
 * sys.modules at once (standby_direct.c).
 */
#ifndef PEXCZ_STANDBY_H
#define PEXCZ_STANDBY_H

#include <Python.h>
#include <stdbool.h>

/*
 * While the snapshot is made: a list with a tuple for each module that is on
 * standby or that one of those can reach:
 *
 *   name, module,
 *   imports   None: not on standby; else a tuple of (name, names after `from`,
 *             tuple of (name, module): what is then in sys.modules)
 *   children  tuple of (name, value): variables that the imports set, and what
 *             the body made of them; (name,): it deleted it
 *   classes   tuple of its classes
 *   needs     tuple of indices into the list: what its body may have seen
 *   restored  whether a restore changes its variables
 *
 * 0, or -1 with an exception.
 */
int pexcz_standby_set(PyObject *list);

/* Right before the snapshot is written; -1 with an exception. */
int pexcz_standby_seal(void);

/* At the end of a restore. */
void pexcz_standby_resume(void);

/* Before an import of the module with this absolute name: puts it into
 * sys.modules, if that is all there is to do.  -1 with an exception. */
int pexcz_standby_import(PyObject *name);

/* For create_module() of a loader: the module of `spec`, a new reference, when
 * importlib asks for it and it may leave the standby; else NULL, without an
 * exception. */
PyObject *pexcz_standby_take(PyObject *spec);

/* For exec_module(): 1: `module` is as if its body had run; 0: it must run;
 * -1: an exception. */
int pexcz_standby_exec(PyObject *module);

/* Whether the object is a module on standby, its variables, a function or a
 * class of it. */
bool pexcz_standby_hides(PyObject *o);

#endif
