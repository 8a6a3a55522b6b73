/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions that Debian's static libraries refer to and the glibc floor
 * lacks: memfd_create (libffi), getrandom (libuuid), __explicit_bzero_chk
 * (libcrypt), fcntl64 (SQLite), arc4random_buf (expat).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HIDDEN __attribute__((visibility("hidden")))

HIDDEN int
memfd_create(const char *name, unsigned flags)
{
    return (int)syscall(SYS_memfd_create, name, flags);
}

HIDDEN ssize_t
getrandom(void *p, size_t n, unsigned flags)
{
    return syscall(SYS_getrandom, p, n, flags);
}

HIDDEN void
__explicit_bzero_chk(void *p, size_t n, size_t size)
{
    (void)size;
    memset(p, 0, n);
    __asm__ volatile("" : : "r"(p) : "memory");
}

HIDDEN int
fcntl64(int fd, int command, ...)
{
    va_list ap;
    void *arg;

    va_start(ap, command);
    arg = va_arg(ap, void *);
    va_end(ap);
    return fcntl(fd, command, arg);
}

HIDDEN void
arc4random_buf(void *p, size_t n)
{
    unsigned char *c = p;
    int fd = -1;

    while (n != 0) {
        ssize_t r
            = fd < 0 ? syscall(SYS_getrandom, c, n, 0) : read(fd, c, n);

        if (r > 0) {
            c += r;
            n -= (size_t)r;
        }
        else if (r == 0 || errno != EINTR) {
            /* No getrandom (before Linux 3.17): the device, or nothing. */
            if (fd >= 0) {
                __builtin_trap();
            }
            fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
            if (fd < 0) {
                __builtin_trap();
            }
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}
