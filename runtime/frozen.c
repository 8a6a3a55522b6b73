/* SPDX-License-Identifier: Apache-2.0 */
#define Py_BUILD_CORE 1
#include "frozen.h"

#include <Python.h>
#include <internal/pycore_interp.h>

const void *
pexcz_frozen_last(void)
{
    const PyInterpreterState *interp = PyInterpreterState_Get();

    /* _gc_prev of a list's head: the tail. */
    return (const void *)interp->gc.permanent_generation.head._gc_prev;
}
