/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stat family as an old system's libc_nonshared.a had it.  A member of
 * its own: a program that defines these names itself must not meet these.
 */
#include <sys/types.h>

#define HIDDEN __attribute__((visibility("hidden")))

/* The versions of the structure and of mknod's numbers. */
#ifdef __x86_64__
#define STAT 1
#else
#define STAT 0
#endif
#define MKNOD 0

struct stat;
extern int __xstat(int, const char *, struct stat *);
extern int __fxstat(int, int, struct stat *);
extern int __lxstat(int, const char *, struct stat *);
extern int __fxstatat(int, int, const char *, struct stat *, int);
extern int __xmknod(int, const char *, mode_t, dev_t *);
extern int __xmknodat(int, int, const char *, mode_t, dev_t *);

HIDDEN int stat(const char *p, struct stat *s) { return __xstat(STAT, p, s); }
HIDDEN int fstat(int f, struct stat *s) { return __fxstat(STAT, f, s); }
HIDDEN int lstat(const char *p, struct stat *s) { return __lxstat(STAT, p, s); }
HIDDEN int
fstatat(int d, const char *p, struct stat *s, int f)
{
    return __fxstatat(STAT, d, p, s, f);
}
HIDDEN int stat64(const char *p, struct stat *s) { return __xstat(STAT, p, s); }
HIDDEN int fstat64(int f, struct stat *s) { return __fxstat(STAT, f, s); }
HIDDEN int lstat64(const char *p, struct stat *s) { return __lxstat(STAT, p, s); }
HIDDEN int
fstatat64(int d, const char *p, struct stat *s, int f)
{
    return __fxstatat(STAT, d, p, s, f);
}
HIDDEN int
mknod(const char *p, mode_t m, dev_t d)
{
    return __xmknod(MKNOD, p, m, &d);
}
HIDDEN int
mknodat(int f, const char *p, mode_t m, dev_t d)
{
    return __xmknodat(MKNOD, f, p, m, &d);
}
