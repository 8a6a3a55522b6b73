/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an old system's libc_nonshared.a held: functions that are no symbols
 * of its libc.so, and the code that runs constructors.
 */
#include <sys/types.h>

#define HIDDEN __attribute__((visibility("hidden")))

struct stat;
extern int __xstat(int, const char *, struct stat *);
extern int __fxstat(int, int, struct stat *);
extern int __lxstat(int, const char *, struct stat *);
extern int __fxstatat(int, int, const char *, struct stat *, int);
extern int __xmknod(int, const char *, mode_t, dev_t *);
extern int __xmknodat(int, int, const char *, mode_t, dev_t *);
extern int __register_atfork(void (*)(void), void (*)(void), void (*)(void),
                             void *);
extern int __cxa_atexit(void (*)(void *), void *, void *);

HIDDEN int stat(const char *p, struct stat *s) { return __xstat(1, p, s); }
HIDDEN int fstat(int f, struct stat *s) { return __fxstat(1, f, s); }
HIDDEN int lstat(const char *p, struct stat *s) { return __lxstat(1, p, s); }
HIDDEN int
fstatat(int d, const char *p, struct stat *s, int f)
{
    return __fxstatat(1, d, p, s, f);
}
HIDDEN int stat64(const char *p, struct stat *s) { return __xstat(1, p, s); }
HIDDEN int fstat64(int f, struct stat *s) { return __fxstat(1, f, s); }
HIDDEN int lstat64(const char *p, struct stat *s) { return __lxstat(1, p, s); }
HIDDEN int
fstatat64(int d, const char *p, struct stat *s, int f)
{
    return __fxstatat(1, d, p, s, f);
}
HIDDEN int
mknod(const char *p, mode_t m, dev_t d)
{
    return __xmknod(0, p, m, &d);
}
HIDDEN int
mknodat(int f, const char *p, mode_t m, dev_t d)
{
    return __xmknodat(0, f, p, m, &d);
}
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
