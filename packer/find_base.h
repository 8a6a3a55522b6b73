/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the base executable to pack with.
 *
 * Bases are files "base-X.Y", for other machines than this "base-X.Y-MACHINE",
 * in ../lib/pexcz/ as seen from the folder of the running program, both in a
 * build folder and where it was installed.
 */
#ifndef PEXCZ_FIND_BASE_H
#define PEXCZ_FIND_BASE_H

#include "buf.h"

/* A version of Python as it is in a base's name: "3.11". */
#define PEXCZ_PYTHON_NAME_MAX 8

/*
 * The base for `python` ("3.11") and `machine` ("aarch64"; NULL: this one):
 * its path, NUL-terminated, in *ret, which the caller frees.  Without a
 * `python` the newest, or the newest that is older than the base named by
 * `older_than`, a path that this function gave, unless that is NULL. NOT_FOUND
 * lists what there is.
 */
PEXCZ_MUST_USE int pexcz_find_base(const char *python, const char *machine,
                                   const char *older_than,
                                   struct pexcz_buf *ret,
                                   struct pexcz_error *err);

#endif
