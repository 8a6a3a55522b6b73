/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls that write into watched pages of a rehearsal: the kernel finds
 * them read-only and would say EFAULT.
 */
#ifndef PEXCZ_SNAPSHOT_REHEARSAL_CALLS_H
#define PEXCZ_SNAPSHOT_REHEARSAL_CALLS_H

#include <stdint.h>

struct pexcz_rehearsal_pages {
    /* Before and behind the call: of the `size` bytes at `start`, which may be
     * anything, `written` have been.  Called in a signal handler. */
    void (*open)(uint64_t start, uint64_t size);
    void (*close)(uint64_t start, uint64_t size, uint64_t written);
};

/* From now on for this thread and those that it starts; where Linux does not
 * allow it, such calls fail. */
void pexcz_rehearsal_calls_watch(struct pexcz_rehearsal_pages pages);

#endif
