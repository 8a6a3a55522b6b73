/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What shared objects of the application ask of libc while a snapshot is
 * made.
 *
 * Functions that compute are known by name (library_pure.c) and free.  A call
 * of any other is reported: what it answers may differ in another process,
 * and what it does would be missing there.
 */
#ifndef PEXCZ_LIBRARY_WATCH_H
#define PEXCZ_LIBRARY_WATCH_H

#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

/* Whether the function's answer depends on its arguments alone, and what it
 * does is done to memory of the caller. */
bool pexcz_library_is_pure(const char *name);

/* Whether the function can be noticed outside of the process when it is
 * called at exit, since it writes, sends or removes, or gives or touches what
 * could be written to then. */
bool pexcz_library_is_output(const char *name);

/* Whether the function, or variable, is for printing to what every process
 * has. */
bool pexcz_library_is_print(const char *name);

/* The address of our own function that takes the place of libc's, 0: none. */
uint64_t pexcz_library_replacement(const char *name);
/* The same for libstdc++'s: operators new and delete. */
uint64_t pexcz_library_new_replacement(const char *name);

/* From now on `report`, borrowed, is called with the name of each watched
 * function, or "$NAME" for a variable that is read. */
void pexcz_library_watch(PyObject *report);

/* A watched function is about to be called. */
void pexcz_library_watched(const char *name);

/* The first call that was seen but could not be reported, or NULL: in another
 * thread, or with nobody to report to. */
const char *pexcz_library_unreported(void);

#endif
