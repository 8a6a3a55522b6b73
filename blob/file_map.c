/* SPDX-License-Identifier: Apache-2.0 */
#include "file_map.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int
pexcz_file_map_fd(int fd, const char *path, struct pexcz_slice *ret,
                  struct pexcz_error *err)
{
    struct stat st;
    void *map;

    if (fstat(fd, &st) != 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0, "%s: not a regular file",
                          path);
    }
    if (st.st_size == 0) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0, "%s: the file is empty",
                          path);
    }
    map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s", path);
    }
    *ret = pexcz_slice_make(map, (size_t)st.st_size);
    return PEXCZ_OK;
}

int
pexcz_file_map(const char *path, struct pexcz_slice *ret,
               struct pexcz_error *err)
{
    /* Opening a FIFO must not wait for a writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int rc;

    if (fd < 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s", path);
    }
    rc = pexcz_file_map_fd(fd, path, ret, err);
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
