/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame that is below an entry point's function.  In a script it is the
 * one of `<module>` in __main__, and code looks for that: sys._getframe(1),
 * inspect.stack(), what is defined in a function and wants to know where
 * (aiohttp.web.AppKey).
 */
#ifndef PEXCZ_ENTRY_FRAME_H
#define PEXCZ_ENTRY_FRAME_H

#include <Python.h>

/* `function()`.  Of the traceback the frame is no part.  New reference; NULL
 * with an exception. */
PyObject *pexcz_entry_frame_call(PyObject *function);

/* For a snapshot: the next call needs no compiler.  -1 with an exception. */
int pexcz_entry_frame_prepare(void);

#endif
