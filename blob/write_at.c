/* SPDX-License-Identifier: Apache-2.0 */
#include "write_at.h"

#include "exe_layout.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* Smaller writes are not worth the call. */
#define LARGE (64 * PEXCZ_PAGE_SIZE)

/*
 * A page of `bytes` that is not there yet, as in a file just mapped, makes the
 * kernel go on in ever smaller pieces, down to a page, and so are the pieces
 * of the target's page cache then: the starts of a program that was written so
 * take 6 % longer (docs/benchmarks.md).  Where the kernel does not know the
 * request (Linux < 5.14) nothing is lost.
 */
static void
fetch(const uint8_t *bytes, size_t size)
{
#ifdef MADV_POPULATE_READ
    uintptr_t start = (uintptr_t)bytes & ~(uintptr_t)(PEXCZ_PAGE_SIZE - 1);

    (void)madvise((void *)start, (uintptr_t)bytes + size - start,
                  MADV_POPULATE_READ);
#else
    (void)bytes;
    (void)size;
#endif
}

int
pexcz_write_at(int fd, const void *bytes, size_t size, uint64_t offset,
               struct pexcz_error *err)
{
    const uint8_t *p = bytes;

    if (size >= LARGE) {
        fetch(p, size);
    }
    while (size != 0) {
        ssize_t n = pwrite(fd, p, size, (off_t)offset);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return pexcz_fail(err, PEXCZ_E_IO, n < 0 ? errno : ENOSPC,
                              "cannot write");
        }
        p += n;
        size -= (size_t)n;
        offset += (uint64_t)n;
    }
    return PEXCZ_OK;
}
