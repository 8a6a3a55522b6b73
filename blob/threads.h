/* SPDX-License-Identifier: Apache-2.0 */
/* Work that several threads share for a moment. */
#ifndef PEXCZ_THREADS_H
#define PEXCZ_THREADS_H

#include <stdbool.h>

/* True: pexcz_run_in_threads() starts none from this thread.  For what may run
 * in a child of vfork(), which has its parent's memory. */
extern _Thread_local bool pexcz_is_alone;

/* Processors that this process may use, at least 1. */
unsigned int pexcz_processor_count(void);

/*
 * Runs work(context) in this thread and up to `count` - 1 others (fewer where
 * the machine refuses them), and returns when all have ended.  The others have
 * small stacks and take no signals, which are the application's business.
 */
void pexcz_run_in_threads(unsigned int count, void (*work)(void *context),
                          void *context);

#endif
