/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual environments that `-m venv` of this executable made: as for any
 * Python, the name that a process was started under says which it is in.
 */
#ifndef PEXCZ_OWN_VENV_H
#define PEXCZ_OWN_VENV_H

#include <stdbool.h>
#include <stddef.h>

/*
 * `name`: the path that the process was started as; `self`: the executable.
 * Whether a pyvenv.cfg in the name's folder, or in the one above, has the
 * executable's folder as its `home`, or the same program as its `executable`:
 * writes the absolute path of `name` to `dst` then, and the executable outside
 * of the environment to `base`; both have `cap` bytes.  Any other environment
 * is somebody else's, in which a packed file may lie.
 */
bool pexcz_own_venv_find(const char *name, const char *self, char *dst,
                         char *base, size_t cap);

#endif
