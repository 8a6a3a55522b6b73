/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of libc's variables for code in the embedding library that is not
 * position-independent and so cannot reach libc's own from a shared object.
 * They are set before any other constructor of the library could ask.
 */
#include <stdio.h>

#define HIDDEN __attribute__((visibility("hidden")))

HIDDEN FILE *pexcz_copy_of_stdin;
HIDDEN FILE *pexcz_copy_of_stdout;
HIDDEN FILE *pexcz_copy_of_stderr;

__attribute__((constructor(101))) static void
copy(void)
{
    pexcz_copy_of_stdin = stdin;
    pexcz_copy_of_stdout = stdout;
    pexcz_copy_of_stderr = stderr;
}
