/* SPDX-License-Identifier: Apache-2.0 */
#include "memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static bool
can_be_mapped(int fd)
{
    void *p = ftruncate(fd, 1) == 0
                  ? mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0)
                  : MAP_FAILED;

    if (p == MAP_FAILED) {
        return false;
    }
    (void)munmap(p, 1);
    return ftruncate(fd, 0) == 0;
}

/* ld.so maps it, nobody executes it: the flag does not matter to mmap() and
 * is what kernels that distrust memfds insist on. */
static int
new_file(const char *name)
{
    static const char *const folders[] = {"/dev/shm", "/tmp", "/var/tmp"};
    unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = (int)syscall(SYS_memfd_create, name, flags | MFD_NOEXEC_SEAL);
    int saved;

    if (fd < 0 && errno == EINVAL) {
        fd = (int)syscall(SYS_memfd_create, name, flags);
    }
    saved = errno;
    /* An old kernel, or a seccomp profile. */
    for (size_t i = 0;
         fd < 0 && (saved == ENOSYS || saved == EPERM || saved == EACCES)
         && i < sizeof(folders) / sizeof(folders[0]);
         i++) {
        fd = open(folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
        if (fd >= 0 && !can_be_mapped(fd)) {
            (void)close(fd);
            fd = -1;
        }
    }
    errno = saved;
    return fd;
}

int
pexcz_memory_file(const char *name, struct pexcz_error *err)
{
    int fd = new_file(name);

    if (fd >= 0 && fd <= STDERR_FILENO) {
        int above = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        int saved = errno;

        (void)close(fd);
        errno = saved;
        fd = above;
    }
    if (fd < 0) {
        (void)pexcz_fail(err, PEXCZ_E_IO, errno, "memory file for %s", name);
    }
    return fd;
}

void
pexcz_memory_file_seal(int fd)
{
    (void)fcntl(fd, F_ADD_SEALS, ALL_SEALS);
}

/* Spelled with a number, in binary: "/." and "/" for its digits. */
int
pexcz_memory_file_path(int fd, char ret[PEXCZ_MEMORY_PATH],
                       struct pexcz_error *err)
{
    static atomic_uint count;
    unsigned int number = atomic_fetch_add(&count, 1) + 1;
    char self[32];
    /* Not getpid(): /proc may be of another pid namespace. */
    ssize_t n = readlink("/proc/self", self, sizeof(self) - 1);
    size_t len;

    if (n <= 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "/proc/self");
    }
    self[n] = '\0';
    len = (size_t)snprintf(ret, PEXCZ_MEMORY_PATH, "/proc/%s/fd", self);
    for (; number != 0; number >>= 1) {
        memcpy(ret + len, "/.", 2);
        len += (number & 1) != 0 ? 2 : 1;
    }
    (void)snprintf(ret + len, PEXCZ_MEMORY_PATH - len, "/%d", fd);
    return PEXCZ_OK;
}
