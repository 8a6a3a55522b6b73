/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a packed application: one call of the process fails.
 *
 * FAULT_CALL names the function, FAULT_ERRNO the number, FAULT_AT (from 1) the
 * call that fails, counted between fault_arm() and fault_disarm(), which the
 * application calls.  FAULT_SHORT=1: the write is short instead.  The number
 * of calls seen is written to descriptor FAULT_FD by fault_disarm().
 */
#undef _FORTIFY_SOURCE /* defines some of these names in the headers */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static atomic_int armed;
static atomic_long calls;
static const char *wanted = "";
static long at;
static int number = EIO;
static int is_short;

void fault_arm(void);
void fault_disarm(void);

EXPORT void
fault_arm(void)
{
    const char *text;

    wanted = getenv("FAULT_CALL") != NULL ? getenv("FAULT_CALL") : "";
    text = getenv("FAULT_AT");
    at = text != NULL ? strtol(text, NULL, 10) : 0;
    text = getenv("FAULT_ERRNO");
    number = text != NULL ? (int)strtol(text, NULL, 10) : EIO;
    is_short = getenv("FAULT_SHORT") != NULL;
    atomic_store(&armed, 1);
}

EXPORT void
fault_disarm(void)
{
    const char *text = getenv("FAULT_FD");

    atomic_store(&armed, 0);
    if (text != NULL) {
        (void)dprintf((int)strtol(text, NULL, 10), "%ld\n",
                      atomic_load(&calls));
    }
}

/* Whether this call is the one; errno is set then. */
static int
fails(const char *name)
{
    if (!atomic_load(&armed) || strcmp(name, wanted) != 0
        || atomic_fetch_add(&calls, 1) + 1 != at) {
        return 0;
    }
    errno = number;
    return 1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define WRAP(type, name, failed, parameters, arguments)                       \
    EXPORT type name parameters                                               \
    {                                                                         \
        return fails(#name) ? failed : NEXT(name) arguments;                  \
    }

WRAP(int, mkdir, -1, (const char *p, mode_t m), (p, m))
WRAP(int, mkdirat, -1, (int d, const char *p, mode_t m), (d, p, m))
WRAP(int, renameat, -1, (int d, const char *p, int e, const char *q),
     (d, p, e, q))
WRAP(int, fsync, -1, (int fd), (fd))
WRAP(int, ftruncate, -1, (int fd, off_t n), (fd, n))
WRAP(int, fchmod, -1, (int fd, mode_t m), (fd, m))
WRAP(int, fchmodat, -1, (int d, const char *p, mode_t m, int f), (d, p, m, f))
WRAP(int, futimens, -1, (int fd, const struct timespec t[2]), (fd, t))
WRAP(int, flock, -1, (int fd, int op), (fd, op))
WRAP(ssize_t, read, -1, (int fd, void *b, size_t n), (fd, b, n))
WRAP(ssize_t, readlink, -1, (const char *p, char *b, size_t n), (p, b, n))
WRAP(int, statvfs, -1, (const char *p, struct statvfs *s), (p, s))
WRAP(int, fstat, -1, (int fd, struct stat *s), (fd, s))
WRAP(int, lstat, -1, (const char *p, struct stat *s), (p, s))
WRAP(int, stat, -1, (const char *p, struct stat *s), (p, s))
WRAP(int, fstatat, -1, (int d, const char *p, struct stat *s, int f),
     (d, p, s, f))
WRAP(void *, mmap, MAP_FAILED,
     (void *a, size_t n, int p, int f, int fd, off_t o), (a, n, p, f, fd, o))
WRAP(int, pthread_create, number,
     (pthread_t * t, const pthread_attr_t *a, void *(*f)(void *), void *x),
     (t, a, f, x))

EXPORT ssize_t
write(int fd, const void *bytes, size_t size)
{
    if (fails("write")) {
        return is_short ? NEXT(write)(fd, bytes, size / 2 + 1) : -1;
    }
    return NEXT(write)(fd, bytes, size);
}

EXPORT ssize_t
pwrite(int fd, const void *bytes, size_t size, off_t at_byte)
{
    if (fails("pwrite")) {
        return is_short ? NEXT(pwrite)(fd, bytes, size / 2 + 1, at_byte) : -1;
    }
    return NEXT(pwrite)(fd, bytes, size, at_byte);
}

static mode_t
mode_of(int flags, va_list ap)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(ap, mode_t) : 0;
}

EXPORT int
openat(int dir, const char *path, int flags, ...)
{
    mode_t mode;
    va_list ap;

    va_start(ap, flags);
    mode = mode_of(flags, ap);
    va_end(ap);
    return fails("openat") ? -1 : NEXT(openat)(dir, path, flags, mode);
}

EXPORT int
fcntl(int fd, int command, ...)
{
    void *argument;
    va_list ap;

    va_start(ap, command);
    argument = va_arg(ap, void *);
    va_end(ap);
    return fails("fcntl") ? -1 : NEXT(fcntl)(fd, command, argument);
}

EXPORT long
syscall(long call, ...)
{
    long a[6];
    va_list ap;

    va_start(ap, call);
    for (int i = 0; i < 6; i++) {
        a[i] = va_arg(ap, long);
    }
    va_end(ap);
    if (call == SYS_memfd_create && fails("memfd_create")) {
        return -1;
    }
    return NEXT(syscall)(call, a[0], a[1], a[2], a[3], a[4], a[5]);
}
