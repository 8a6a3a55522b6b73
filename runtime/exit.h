/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends the process as `python` would, without tearing down what nobody can
 * notice.
 */
#ifndef PEXCZ_EXIT_H
#define PEXCZ_EXIT_H

#include <Python.h>

#include <stdbool.h>

/*
 * Called after the entry point, with its exception set or none.  Prints the
 * exception, waits for threads, runs atexit callbacks, flushes every open
 * writer and exits.  Modules are torn down (Py_FinalizeEx) only where that can
 * be noticed: an object with a `__del__`, a suspended generator or coroutine,
 * an open file of a class of its own, or what `is_noticeable`, which may be
 * NULL, says of extension modules of wheels.
 */
_Noreturn void pexcz_exit(bool (*is_noticeable)(void));

/* Before a snapshot is made: looks up what the end of a program will. */
void pexcz_exit_rehearse(void);

#endif
