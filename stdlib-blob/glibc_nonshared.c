/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an old system's libc_nonshared.a held: functions that are no symbols
 * of its libc.so, and the code that runs constructors.  glibc_stat.c has the
 * rest.
 */
#define HIDDEN __attribute__((visibility("hidden")))

extern int __register_atfork(void (*)(void), void (*)(void), void (*)(void),
                             void *);
extern int __cxa_atexit(void (*)(void *), void *, void *);

HIDDEN int
pthread_atfork(void (*a)(void), void (*b)(void), void (*c)(void))
{
    return __register_atfork(a, b, c, 0);
}
HIDDEN int
atexit(void (*f)(void))
{
    return __cxa_atexit((void (*)(void *))f, 0, 0);
}

typedef void (*init_fn)(int, char **, char **);
extern init_fn __preinit_array_start[] HIDDEN, __preinit_array_end[] HIDDEN;
extern init_fn __init_array_start[] HIDDEN, __init_array_end[] HIDDEN;
extern init_fn __fini_array_start[] HIDDEN, __fini_array_end[] HIDDEN;
extern void _init(void);

HIDDEN void
__libc_csu_init(int argc, char **argv, char **envp)
{
    for (init_fn *f = __preinit_array_start; f < __preinit_array_end; f++) {
        (*f)(argc, argv, envp);
    }
    _init();
    for (init_fn *f = __init_array_start; f < __init_array_end; f++) {
        (*f)(argc, argv, envp);
    }
}

HIDDEN void
__libc_csu_fini(void)
{
    for (init_fn *f = __fini_array_end; f > __fini_array_start;) {
        ((void (*)(void)) * --f)();
    }
}
