/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fewer garbage collections while modules are being executed.
 *
 * Imports make many objects that stay; collecting among them finds nothing.
 * While module bodies run, the threshold of the youngest generation is
 * raised, not switched off: a program that runs for hours inside an import
 * statement still collects.  It is put back when the outermost body ends,
 * unless the program changed it or switched the collector meanwhile.
 *
 * Needs the GIL.  One struct for each interpreter.
 */
#ifndef PEXCZ_GC_PAUSE_H
#define PEXCZ_GC_PAUSE_H

#include <Python.h>

struct pexcz_gc_pause {
    PyObject *get_threshold; /* owned: functions of the module gc */
    PyObject *set_threshold;
    PyObject *isenabled;
    long depth;
    long saved; /* the program's own threshold; 0: nothing to put back */
};

/* -1 with an exception set. */
int pexcz_gc_pause_init(struct pexcz_gc_pause *pause);
void pexcz_gc_pause_done(struct pexcz_gc_pause *pause);

/* Around the execution of one module body; they nest.  Never fail, and keep
 * a pending exception. */
void pexcz_gc_pause_enter(struct pexcz_gc_pause *pause);
void pexcz_gc_pause_leave(struct pexcz_gc_pause *pause);

#endif
