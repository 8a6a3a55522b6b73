/* SPDX-License-Identifier: Apache-2.0 */
#include "locate.h"

#include "exe_layout.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Whether the byte can be read, without SIGBUS when the file behind the
 * mapping is too short: the kernel copies the mask before it looks at `how`,
 * so EFAULT means unreadable and EINVAL readable.
 */
static bool
readable(const uint8_t *p)
{
    const uint8_t *mask = (const uint8_t *)((uintptr_t)p & ~(uintptr_t)7);

    return syscall(SYS_rt_sigprocmask, -1, mask, NULL, (size_t)8) == 0
           || errno != EFAULT;
}

/* The size of the file that this process runs, or -1.  /proc/self/exe may
 * lead elsewhere (valgrind, qemu): a file whose header is not the mapped one
 * says nothing. */
static off_t
own_file_size(const Elf64_Ehdr *elf, off_t expected)
{
    Elf64_Ehdr header;
    struct stat st;
    int fd;

    if (fstatat(AT_FDCWD, "/proc/self/exe", &st, 0) != 0) {
        return -1;
    }
    if (st.st_size == expected) {
        return expected;
    }
    fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    if (fstat(fd, &st) != 0
        || pread(fd, &header, sizeof(header), 0) != sizeof(header)
        || memcmp(&header, elf, sizeof(header)) != 0) {
        st.st_size = -1;
    }
    (void)close(fd);
    return st.st_size;
}

/* The end of what must be there: of all segments but the snapshot's. */
static off_t
end_of_program(void)
{
    const Elf64_Phdr *ph = (const Elf64_Phdr *)getauxval(AT_PHDR);
    unsigned long count = getauxval(AT_PHNUM);
    uint64_t end = 0;

    for (unsigned long i = 0; i < count; i++) {
        if (ph[i].p_type == PT_LOAD && ph[i].p_vaddr != PEXCZ_ADDR_SNAPSHOT
            && ph[i].p_offset + ph[i].p_filesz > end) {
            end = ph[i].p_offset + ph[i].p_filesz;
        }
    }
    return (off_t)end;
}

/* The section header table ends the file (exe_writer, strip and objcopy all
 * keep it so).  Without /proc there is nothing to compare.  *ret_whole: it is
 * known that nothing is missing; else the snapshot may be cut short. */
static int
check_file_size(bool *ret_whole, struct pexcz_error *err)
{
    const Elf64_Ehdr *elf
        = (const Elf64_Ehdr *)(getauxval(AT_PHDR) - sizeof(Elf64_Ehdr));
    off_t want
        = (off_t)(elf->e_shoff + (uint64_t)elf->e_shnum * elf->e_shentsize);
    off_t size = own_file_size(elf, want);

    *ret_whole = size == want;
    if (size < 0 || size == want) {
        return PEXCZ_OK;
    }
    if (size < want) {
        return size >= end_of_program()
                   ? PEXCZ_OK
                   : pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                                "the file is cut short: %lld of %lld bytes",
                                (long long)size, (long long)want);
    }
    return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                      "the file has %lld bytes appended",
                      (long long)(size - want));
}

static bool
segment_at(uint64_t address, struct pexcz_slice *ret)
{
    const Elf64_Phdr *ph = (const Elf64_Phdr *)getauxval(AT_PHDR);
    unsigned long count = getauxval(AT_PHNUM);

    for (unsigned long i = 0; i < count; i++) {
        if (ph[i].p_type == PT_LOAD && ph[i].p_vaddr == address) {
            *ret = pexcz_slice_make((const void *)(uintptr_t)address,
                                    (size_t)ph[i].p_filesz);
            return true;
        }
    }
    return false;
}

static bool
is_in_file(struct pexcz_slice bytes)
{
    return bytes.len != 0 && readable(bytes.ptr)
           && readable(bytes.ptr + bytes.len - 1);
}

static int
open_segment(struct pexcz_slice bytes, bool whole, const char *name,
             struct pexcz_blob *ret, struct pexcz_error *err)
{
    if (!whole && !is_in_file(bytes)) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: cut short: its end is not in the file", name);
    }
    return pexcz_blob_open(ret, bytes, name, err);
}

int
pexcz_locate(struct pexcz_located *ret, struct pexcz_error *err)
{
    struct pexcz_slice bytes;
    bool whole;
    int rc = check_file_size(&whole, err);

    *ret = (struct pexcz_located){0};
    if (rc < 0) {
        return rc;
    }
    if (!segment_at(PEXCZ_ADDR_STDLIB, &bytes)) {
        return pexcz_fail(err, PEXCZ_E_NOT_FOUND, 0,
                          "no standard library in this executable");
    }
    rc = open_segment(bytes, whole, "standard library", &ret->stdlib, err);
    if (rc < 0) {
        return rc;
    }
    ret->has_app = segment_at(PEXCZ_ADDR_APP, &bytes);
    if (ret->has_app) {
        rc = open_segment(bytes, whole, "application", &ret->app, err);
        if (rc < 0) {
            return rc;
        }
        if (ret->app.python_magic != ret->stdlib.python_magic
            || ret->app.machine != ret->stdlib.machine) {
            return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                              "application: packed for Python %u.%u, not for "
                              "this executable's",
                              ret->app.python_major, ret->app.python_minor);
        }
        (void)pexcz_tree_add(&ret->tree, &ret->app);
        if (segment_at(PEXCZ_ADDR_SNAPSHOT, &bytes)
            && (whole || is_in_file(bytes))) {
            ret->snapshot = bytes;
        }
    }
    (void)pexcz_tree_add(&ret->tree, &ret->stdlib);
    return PEXCZ_OK;
}
