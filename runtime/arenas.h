/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for the arenas of Python's small objects.  Behind the first one two
 * and two lie in a huge page, if the kernel gives them to those who ask: a
 * page fault instead of 512, a twelfth of what importing the standard library
 * takes.
 */
#ifndef PEXCZ_ARENAS_H
#define PEXCZ_ARENAS_H

#include <stddef.h>

/* NULL: there is no memory.  Any thread. */
void *pexcz_arena_map(size_t size);
void pexcz_arena_unmap(void *p, size_t size);

/* The next ones lie at this address and behind it, if nothing else does. */
void pexcz_arenas_place(void *address);

/* Before Python is initialised: its arenas come from here. */
void pexcz_arenas_use(void);

#endif
