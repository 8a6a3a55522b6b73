/* SPDX-License-Identifier: Apache-2.0 */
#define Py_BUILD_CORE 1
#include <Python.h>

#include <internal/pycore_interp.h>

#include "gc_credit.h"

/* More containers than all but a few modules make. */
#define CREDIT 10000

/* The count of the youngest generation: new containers since it was last
 * collected.  CPython takes nothing from a count below zero, so what it gains
 * here is put off, not lost. */
void
pexcz_gc_credit(int *left)
{
    int *count = &PyInterpreterState_Get()->gc.generations[0].count;
    int wanted = *count + CREDIT;

    if (wanted <= 0 || wanted > *left) {
        return;
    }
    *count -= wanted;
    *left -= wanted;
}
