/* SPDX-License-Identifier: Apache-2.0 */
#include "interpose.h"

#include <stdlib.h>

/* The checked variants abort where the buffer is smaller than what is asked
 * for. */
static size_t
checked(size_t size, size_t room)
{
    if (size > room) {
        abort();
    }
    return size;
}

INTERPOSE(ssize_t, read, (int fd, void *buf, size_t size),
          pexcz_vfs_read(fd, buf, size))
INTERPOSE(ssize_t, __read, (int fd, void *buf, size_t size),
          pexcz_vfs_read(fd, buf, size))
INTERPOSE(ssize_t, __read_chk, (int fd, void *buf, size_t size, size_t room),
          pexcz_vfs_read(fd, buf, checked(size, room)))
INTERPOSE(ssize_t, readv, (int fd, const struct iovec *parts, int count),
          pexcz_vfs_readv(fd, parts, count))
INTERPOSE(ssize_t, __pread64, (int fd, void *buf, size_t size, off_t offset),
          pexcz_vfs_pread(fd, buf, size, offset))

#define PREAD_FAMILY(suffix)                                                  \
    INTERPOSE(ssize_t, pread##suffix,                                         \
              (int fd, void *buf, size_t size, off_t offset),                 \
              pexcz_vfs_pread(fd, buf, size, offset))                         \
    INTERPOSE(ssize_t, __pread##suffix##_chk,                                 \
              (int fd, void *buf, size_t size, off_t offset, size_t room),    \
              pexcz_vfs_pread(fd, buf, checked(size, room), offset))          \
    INTERPOSE(ssize_t, preadv##suffix,                                        \
              (int fd, const struct iovec *parts, int count, off_t offset),   \
              pexcz_vfs_preadv(fd, parts, count, offset))

PREAD_FAMILY()
PREAD_FAMILY(64)

#define PREADV2(symbol)                                                       \
    INTERPOSE(ssize_t, symbol,                                                \
              (int fd, const struct iovec *parts, int count, off_t offset,    \
               int flags),                                                    \
              pexcz_vfs_preadv2(fd, parts, count, offset, flags))

PREADV2(preadv2)
PREADV2(preadv64v2)
