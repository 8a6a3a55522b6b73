/* SPDX-License-Identifier: Apache-2.0 */
#include "interpose.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>

/* open() has a third argument only if it may create a file. */
static bool
has_mode(int flags)
{
    return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

#define INTERPOSE_OPEN(symbol)                                                \
    int interpose_##symbol(const char *, int, ...) __asm__(#symbol);          \
    PEXCZ_EXPORT int interpose_##symbol(const char *path, int flags, ...)     \
    {                                                                         \
        mode_t mode = 0;                                                      \
                                                                              \
        if (has_mode(flags)) {                                                \
            va_list ap;                                                       \
                                                                              \
            va_start(ap, flags);                                              \
            mode = va_arg(ap, mode_t);                                        \
            va_end(ap);                                                       \
        }                                                                     \
        return pexcz_vfs_open(path, flags, mode);                             \
    }

#define INTERPOSE_OPENAT(symbol)                                              \
    int interpose_##symbol(int, const char *, int, ...) __asm__(#symbol);     \
    PEXCZ_EXPORT int interpose_##symbol(int dirfd, const char *path,          \
                                        int flags, ...)                       \
    {                                                                         \
        mode_t mode = 0;                                                      \
                                                                              \
        if (has_mode(flags)) {                                                \
            va_list ap;                                                       \
                                                                              \
            va_start(ap, flags);                                              \
            mode = va_arg(ap, mode_t);                                        \
            va_end(ap);                                                       \
        }                                                                     \
        return pexcz_vfs_openat(dirfd, path, flags, mode);                    \
    }

INTERPOSE_OPEN(open)
INTERPOSE_OPEN(open64)
INTERPOSE_OPEN(__open)
INTERPOSE_OPEN(__open64)
INTERPOSE_OPENAT(openat)
INTERPOSE_OPENAT(openat64)

/* The checked variants of _FORTIFY_SOURCE are called where no mode was given;
 * libc aborts the program if the flags ask for one. */
static int
checked(int flags)
{
    if (has_mode(flags)) {
        abort();
    }
    return flags;
}

INTERPOSE(int, __open_2, (const char *path, int flags),
          pexcz_vfs_open(path, checked(flags), 0))
INTERPOSE(int, __open64_2, (const char *path, int flags),
          pexcz_vfs_open(path, checked(flags), 0))
INTERPOSE(int, __openat_2, (int dirfd, const char *path, int flags),
          pexcz_vfs_openat(dirfd, path, checked(flags), 0))
INTERPOSE(int, __openat64_2, (int dirfd, const char *path, int flags),
          pexcz_vfs_openat(dirfd, path, checked(flags), 0))

INTERPOSE(int, creat, (const char *path, mode_t mode),
          pexcz_vfs_open(path, O_CREAT | O_WRONLY | O_TRUNC, mode))
INTERPOSE(int, creat64, (const char *path, mode_t mode),
          pexcz_vfs_open(path, O_CREAT | O_WRONLY | O_TRUNC, mode))

INTERPOSE(FILE *, fopen, (const char *path, const char *mode),
          pexcz_vfs_fopen(path, mode))
INTERPOSE(FILE *, fopen64, (const char *path, const char *mode),
          pexcz_vfs_fopen(path, mode))
INTERPOSE(FILE *, freopen, (const char *path, const char *mode, FILE *stream),
          pexcz_vfs_freopen(path, mode, stream))
INTERPOSE(FILE *, freopen64,
          (const char *path, const char *mode, FILE *stream),
          pexcz_vfs_freopen(path, mode, stream))
