/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identity of the main thread, which a snapshot cannot keep: thread and
 * process numbers, Python's pthread key, and threading's table of threads.
 */
#ifndef PEXCZ_MAIN_THREAD_H
#define PEXCZ_MAIN_THREAD_H

#include <Python.h>

/* Before a snapshot is written: neutral values instead.  0, or -1 with an
 * exception. */
int pexcz_main_thread_forget(void);

/* When no Python code runs any more: clears what frames left behind on the
 * stack of frames, addresses of the process's own stack among it. */
void pexcz_main_thread_clear_frames(void);

/* In a restored process: the calling thread is the one of `state`, which is
 * current and holds the GIL. */
void pexcz_main_thread_adopt(PyThreadState *state);

/* Before PyOS_AfterFork_Child(), so that threading.main_thread() stays the
 * object that it is.  0, or -1 with an exception. */
int pexcz_main_thread_rekey(void);

#endif
