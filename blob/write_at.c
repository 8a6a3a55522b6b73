/* SPDX-License-Identifier: Apache-2.0 */
#include "write_at.h"

#include <errno.h>
#include <unistd.h>

int
pexcz_write_at(int fd, const void *bytes, size_t size, uint64_t offset,
               struct pexcz_error *err)
{
    const uint8_t *p = bytes;

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
