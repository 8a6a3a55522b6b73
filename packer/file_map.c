/* SPDX-License-Identifier: Apache-2.0 */
#include "file_map.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int
pexcz_file_map(const char *path, struct pexcz_slice *ret,
               struct pexcz_error *err)
{
    /* Opening a FIFO must not wait for a writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    void *map;
    int rc = PEXCZ_OK;

    if (fd < 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s", path);
    }
    if (fstat(fd, &st) != 0) {
        rc = pexcz_fail(err, PEXCZ_E_IO, errno, "%s", path);
    }
    else if (!S_ISREG(st.st_mode)) {
        rc = pexcz_fail(err, PEXCZ_E_CORRUPT, 0, "%s: not a regular file",
                        path);
    }
    else if (st.st_size == 0) {
        rc = pexcz_fail(err, PEXCZ_E_CORRUPT, 0, "%s: the file is empty",
                        path);
    }
    else {
        map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED) {
            rc = pexcz_fail(err, PEXCZ_E_IO, errno, "%s", path);
        }
        else {
            *ret = pexcz_slice_make(map, (size_t)st.st_size);
        }
    }
    (void)close(fd);
    return rc;
}

void
pexcz_file_unmap(struct pexcz_slice *map)
{
    if (map->len != 0) {
        (void)munmap((void *)(uintptr_t)map->ptr, map->len);
    }
    *map = (struct pexcz_slice){0};
}
