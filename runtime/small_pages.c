/* SPDX-License-Identifier: Apache-2.0 */
#include "exe_layout.h"

#include <stdint.h>
#include <sys/mman.h>

/* Of the linker script (stdlib-blob/linker_script.py). */
extern char pexcz_small_start[];
extern char pexcz_small_end[];

/*
 * Any start writes to all pages of these variables, which begin as zeros; many
 * it reads first, which is a second page fault.  So this comes before other
 * constructors.  Linux < 5.14 does not know the request, and nothing is lost.
 */
__attribute__((constructor(101))) static void
fetch_small_pages(void)
{
#ifdef MADV_POPULATE_WRITE
    uintptr_t mask = PEXCZ_PAGE_SIZE - 1;
    uintptr_t start = (uintptr_t)pexcz_small_start & ~mask;
    uintptr_t end = ((uintptr_t)pexcz_small_end + mask) & ~mask;

    (void)madvise((void *)start, end - start, MADV_POPULATE_WRITE);
#endif
}
