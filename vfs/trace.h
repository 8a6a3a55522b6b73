/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PEXCZ_TRACE=vfs: a line on stderr for each look-up in the tree that fails,
 * and for each argument of another program that names a file of the tree.
 */
#ifndef PEXCZ_TRACE_H
#define PEXCZ_TRACE_H

#include <stdbool.h>

/* Set once, before there are threads. */
extern bool pexcz_trace_on;

/* Reads the environment, unless the process is privileged. */
void pexcz_trace_init(void);

/* Both keep errno and need no memory. */
void pexcz_trace_failure(const char *path, int error);
void pexcz_trace_program(const char *program, char *const *argv);

#endif
