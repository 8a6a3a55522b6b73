/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading from a descriptor: the kernel's business, but that a directory is an
 * empty file to it.  Only an end of file is looked at.
 */
#include "handle.h"
#include "vfs_calls.h"

#include <errno.h>

static ssize_t
unless_directory(int fd, ssize_t n)
{
    struct pexcz_node node;

    return n == 0 && pexcz_handle_of_dirfd(fd, &node)
                   && node.entry.kind == PEXCZ_KIND_DIR
               ? pexcz_vfs_refuse(EISDIR)
               : n;
}

ssize_t
pexcz_vfs_read(int fd, void *buf, size_t size)
{
    return unless_directory(fd, pexcz_next()->read(fd, buf, size));
}

ssize_t
pexcz_vfs_pread(int fd, void *buf, size_t size, off_t offset)
{
    return unless_directory(fd, pexcz_next()->pread(fd, buf, size, offset));
}

ssize_t
pexcz_vfs_readv(int fd, const struct iovec *parts, int count)
{
    return unless_directory(fd, pexcz_next()->readv(fd, parts, count));
}

ssize_t
pexcz_vfs_preadv(int fd, const struct iovec *parts, int count, off_t offset)
{
    return unless_directory(fd,
                            pexcz_next()->preadv(fd, parts, count, offset));
}

ssize_t
pexcz_vfs_preadv2(int fd, const struct iovec *parts, int count, off_t offset,
                  int flags)
{
    return unless_directory(
        fd, pexcz_next_preadv2(fd, parts, count, offset, flags));
}
