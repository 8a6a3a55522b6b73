/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gc.get_objects() and gc.get_referrers() of a restored process.
 *
 * The collector does not look at what a snapshot has, as after gc.freeze();
 * but debuggers, IPython's autoreload or the module trace ask these two what
 * there is.  They answer as if it were in the oldest generation, but for
 * modules on standby.
 */
#ifndef PEXCZ_SNAPSHOT_GC_H
#define PEXCZ_SNAPSHOT_GC_H

#include <Python.h>

/* In the process that makes a snapshot, before it is frozen. */
void pexcz_snapshot_gc_prepare(PyObject *gc);

#endif
