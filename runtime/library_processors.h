/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many processors there are, for shared objects, while a snapshot is made:
 * another machine has another number.
 */
#ifndef PEXCZ_LIBRARY_PROCESSORS_H
#define PEXCZ_LIBRARY_PROCESSORS_H

#include <sched.h>
#include <stdbool.h>

void pexcz_library_processors_begin(void);

/* Whether the library of this code takes the number as a hint only: for how
 * many parts a table of its own is to have.  It is told one. */
bool pexcz_library_counts_are_hints(const void *caller);

/* In the place of libc's. */
long pexcz_library_sysconf(int name);
int pexcz_library_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *ret);

#endif
