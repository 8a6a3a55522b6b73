/* SPDX-License-Identifier: Apache-2.0 */
#include "handle.h"

#include "libc_next.h"
#include "mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#define MFD_EXEC 0x0010U
#endif

/* Compressed content up to this size goes through the stack, larger content
 * straight into the file's pages. */
#define STACK_CONTENT 16384u

/* st_dev of all our descriptors, 0 as long as it is not known. */
static atomic_uint_least64_t store_dev;

static atomic_bool directory_opened;

/* The kernel has a way to say that a memfd is not to be executed (and may
 * insist on it), or it refuses the flag. */
static int
new_memfd(const char *name, bool executable)
{
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    long fd = pexcz_next()->syscall(
        SYS_memfd_create, name,
        flags | (executable ? MFD_EXEC : MFD_NOEXEC_SEAL));

    if (fd < 0 && errno == EINVAL) {
        fd = pexcz_next()->syscall(SYS_memfd_create, name, flags);
    }
    if (fd < 0 && errno == EACCES && executable) {
        fd = pexcz_next()->syscall(SYS_memfd_create, name,
                                   flags | MFD_NOEXEC_SEAL);
    }
    return (int)fd;
}

/* An empty file without a name, open for writing.  Where memfds are refused
 * (an old kernel, a seccomp profile), one in a directory for such. */
static int
new_store(const char *name, bool executable)
{
    static const char *const folders[] = {"/dev/shm", "/tmp", "/var/tmp"};
    int fd = new_memfd(name, executable);
    int saved = errno;

    if (fd >= 0 || (saved != ENOSYS && saved != EPERM)) {
        return fd;
    }
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        fd = (int)pexcz_next()->syscall(
            SYS_openat, AT_FDCWD, folders[i],
            O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0700);
        if (fd >= 0) {
            return fd;
        }
    }
    errno = saved;
    return -1;
}

static bool
write_all(int fd, const uint8_t *p, size_t size)
{
    while (size != 0) {
        ssize_t n = write(fd, p, size);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        p += n;
        size -= (size_t)n;
    }
    return true;
}

static bool
inflate_into(int fd, const struct pexcz_node *node, size_t size)
{
    uint8_t small[STACK_CONTENT];
    void *p;
    int rc;

    if (size <= sizeof(small)) {
        rc = pexcz_blob_content_into(node->blob, node->entry.payload, small,
                                     size, NULL);
        if (rc < 0) {
            errno = rc == PEXCZ_E_NOMEM ? ENOMEM : EIO;
            return false;
        }
        return write_all(fd, small, size);
    }
    if (ftruncate(fd, (off_t)size) < 0) {
        return false;
    }
    p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
             0);
    if (p == MAP_FAILED) {
        return false;
    }
    rc = pexcz_blob_content_into(node->blob, node->entry.payload, p, size,
                                 NULL);
    (void)munmap(p, size);
    if (rc < 0) {
        errno = rc == PEXCZ_E_NOMEM ? ENOMEM : EIO;
        return false;
    }
    return true;
}

static bool
fill(int fd, const struct pexcz_node *node)
{
    struct pexcz_payload payload;

    if (node->entry.kind == PEXCZ_KIND_DIR || node->entry.size == 0) {
        return true;
    }
    /* A frame of n bytes cannot hold more than 64 Ki times as many; a wrong
     * size must not fill the memory. */
    if (pexcz_blob_payload(node->blob, node->entry.payload, &payload, NULL) < 0
        || payload.size != node->entry.size
        || payload.size / 65536 > payload.stored.len) {
        errno = EIO;
        return false;
    }
    return payload.storage == PEXCZ_STORAGE_RAW
               ? write_all(fd, payload.stored.ptr, payload.stored.len)
               : inflate_into(fd, node, (size_t)payload.size);
}

static void
learn_store(int fd)
{
    struct stat st;

    if (atomic_load_explicit(&store_dev, memory_order_relaxed) == 0
        && pexcz_next_fstat(fd, &st) == 0) {
        atomic_store_explicit(&store_dev, st.st_dev, memory_order_relaxed);
    }
}

/* The same file, read-only; the one that was written to is closed.  Without
 * /proc the sealed one has to do. */
static int
reopen_read_only(int fd, int flags)
{
    char path[40];
    int ret;

    (void)fcntl(fd, F_ADD_SEALS,
                F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ret = (int)pexcz_next()->syscall(
        SYS_openat, AT_FDCWD, path,
        O_RDONLY | (flags & (O_CLOEXEC | O_NONBLOCK | O_PATH)), 0);
    if (ret < 0 && errno == ENOENT) {
        (void)lseek(fd, 0, SEEK_SET);
        if ((flags & O_CLOEXEC) == 0) {
            (void)fcntl(fd, F_SETFD, 0);
        }
        return fd;
    }
    return ret;
}

int
pexcz_handle_open(const struct pexcz_node *node, int flags)
{
    bool executable = node->entry.kind == PEXCZ_KIND_FILE
                      && (node->entry.mode & 0111) != 0;
    struct timespec times[2] = {
        {.tv_sec = node->entry.mtime, .tv_nsec = 0},
        {.tv_sec = node->entry.mtime, .tv_nsec = (long)pexcz_node_code(node)},
    };
    char name[PEXCZ_MAX_NAME + 1];
    size_t size = node->entry.name.len;
    int fd;
    int ret = -1;
    int saved = errno;

    /* The kernel's limit for the name of a memfd is 249 bytes. */
    size = size > 240 ? 240 : size;
    memcpy(name, node->entry.name.ptr, size);
    name[size] = '\0';
    fd = new_store(name, executable);
    if (fd < 0) {
        return -1;
    }
    if (!fill(fd, node)
        || pexcz_next()->syscall(SYS_utimensat, fd, NULL, times, 0) < 0) {
        saved = errno;
        goto out;
    }
    learn_store(fd);
    if (node->entry.kind == PEXCZ_KIND_DIR) {
        atomic_store_explicit(&directory_opened, true, memory_order_release);
    }
    ret = reopen_read_only(fd, flags);
    saved = ret < 0 ? errno : saved;

out:
    if (ret != fd) {
        (void)close(fd);
    }
    errno = saved;
    return ret;
}

/* A descriptor that was inherited may be asked about before any is opened. */
static bool
is_store_dev(dev_t dev)
{
    if (atomic_load_explicit(&store_dev, memory_order_relaxed) == 0) {
        int saved = errno;
        int fd = new_store("", false);

        if (fd >= 0) {
            learn_store(fd);
            (void)close(fd);
        }
        errno = saved;
    }
    return atomic_load_explicit(&store_dev, memory_order_relaxed) == dev;
}

bool
pexcz_handle_of_stat(const struct stat *st, struct pexcz_node *ret)
{
    struct pexcz_node node;

    if (st->st_nlink != 0 || !S_ISREG(st->st_mode)
        || !pexcz_node_of_code((uint32_t)st->st_mtim.tv_nsec, &node)
        || node.entry.mtime != st->st_mtim.tv_sec
        || node.entry.kind == PEXCZ_KIND_SELF
        || st->st_size
               != (off_t)(node.entry.kind == PEXCZ_KIND_DIR ? 0
                                                            : node.entry.size)
        || !is_store_dev(st->st_dev)) {
        return false;
    }
    *ret = node;
    return true;
}

bool
pexcz_handle_of_fd(int fd, struct pexcz_node *ret)
{
    struct stat st;
    int saved = errno;
    bool known;

    if (fd < 0 || pexcz_vfs_tree() == NULL) {
        return false;
    }
    known = pexcz_next_fstat(fd, &st) == 0 && pexcz_handle_of_stat(&st, ret);
    errno = saved;
    return known;
}

bool
pexcz_handle_of_dirfd(int fd, struct pexcz_node *ret)
{
    return atomic_load_explicit(&directory_opened, memory_order_acquire)
           && pexcz_handle_of_fd(fd, ret);
}

bool
pexcz_handle_is_path(int fd)
{
    int saved = errno;
    int flags = fcntl(fd, F_GETFL);

    errno = saved;
    return flags >= 0 && (flags & O_PATH) != 0;
}
