/* SPDX-License-Identifier: Apache-2.0 */
#include "locate.h"

#include "exe_layout.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
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

/* The section header table ends the file (exe_writer, strip and objcopy all
 * keep it so).  Without /proc there is nothing to compare. */
static int
check_file_size(struct pexcz_error *err)
{
    const Elf64_Ehdr *elf
        = (const Elf64_Ehdr *)(getauxval(AT_PHDR) - sizeof(Elf64_Ehdr));
    uint64_t want = elf->e_shoff + (uint64_t)elf->e_shnum * elf->e_shentsize;
    struct stat st;

    if (fstatat(AT_FDCWD, "/proc/self/exe", &st, 0) != 0) {
        return PEXCZ_OK;
    }
    if ((uint64_t)st.st_size < want) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "the file is cut short: %lld of %llu bytes",
                          (long long)st.st_size, (unsigned long long)want);
    }
    if ((uint64_t)st.st_size > want) {
        return pexcz_fail(
            err, PEXCZ_E_CORRUPT, 0, "the file has %llu bytes appended",
            (unsigned long long)st.st_size - (unsigned long long)want);
    }
    return PEXCZ_OK;
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

static int
open_segment(struct pexcz_slice bytes, const char *name,
             struct pexcz_blob *ret, struct pexcz_error *err)
{
    if (bytes.len == 0 || !readable(bytes.ptr)
        || !readable(bytes.ptr + bytes.len - 1)) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: cut short: its end is not in the file", name);
    }
    return pexcz_blob_open(ret, bytes, name, err);
}

int
pexcz_locate(struct pexcz_located *ret, struct pexcz_error *err)
{
    struct pexcz_slice bytes;
    int rc = check_file_size(err);

    *ret = (struct pexcz_located){0};
    if (rc < 0) {
        return rc;
    }
    if (!segment_at(PEXCZ_ADDR_STDLIB, &bytes)) {
        return pexcz_fail(err, PEXCZ_E_NOT_FOUND, 0,
                          "no standard library in this executable");
    }
    rc = open_segment(bytes, "standard library", &ret->stdlib, err);
    if (rc < 0) {
        return rc;
    }
    ret->has_app = segment_at(PEXCZ_ADDR_APP, &bytes);
    if (ret->has_app) {
        rc = open_segment(bytes, "application", &ret->app, err);
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
        (void)segment_at(PEXCZ_ADDR_SNAPSHOT, &ret->snapshot);
    }
    (void)pexcz_tree_add(&ret->tree, &ret->stdlib);
    return PEXCZ_OK;
}
