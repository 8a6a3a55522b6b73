/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a thread does that wants the GIL when Python is gone: it waits for the
 * end of the process, as of Python 3.14.  Before, Python calls pthread_exit(),
 * which unwinds with libgcc_s.so.1 and aborts the process where that library
 * is not installed.  The base is linked with --wrap=pthread_exit, which
 * reaches libpython's call and no shared object's.
 */
#include <unistd.h>

_Noreturn void __wrap_pthread_exit(void *result);

_Noreturn void
__wrap_pthread_exit(void *result)
{
    (void)result;
    for (;;) {
        (void)pause();
    }
}
