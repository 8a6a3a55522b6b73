/* SPDX-License-Identifier: Apache-2.0 */
/* Reads sys.flags, and changes them, which Python code cannot. */
#ifndef PEXCZ_SYS_FLAGS_H
#define PEXCZ_SYS_FLAGS_H

#include <Python.h>

/* The value, or -1 with an exception. */
long pexcz_get_sys_flag(const char *name);

/* 0, or -1 with an exception. */
int pexcz_set_sys_flag(const char *name, long value);

#endif
