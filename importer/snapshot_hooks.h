/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in module `pexcz_snapshot`: callbacks for libraries that keep
 * something a heap snapshot cannot, as os.register_at_fork() is for forks.
 *
 *   register(before_dump=None, after_restore=None)
 *
 * before_dump runs when the snapshot is about to be written, last registered
 * first; after_restore in every process that was restored, first registered
 * first, when arguments, environment and streams are those of the process.
 * In a process that booted ordinarily neither is ever called.
 */
#ifndef PEXCZ_SNAPSHOT_HOOKS_H
#define PEXCZ_SNAPSHOT_HOOKS_H

#include <Python.h>

/* For the table of built-in modules. */
PyMODINIT_FUNC PyInit_pexcz_snapshot(void);

/* 0, or -1 with the exception of a callback; the others did not run. */
int pexcz_snapshot_hooks_before_dump(void);
int pexcz_snapshot_hooks_after_restore(void);

#endif
