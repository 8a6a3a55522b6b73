/* SPDX-License-Identifier: Apache-2.0 */
#include "owned_data.h"

#include "exe_layout.h"
#include "page_runs.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/auxv.h>
#include <unistd.h>

/* Of the linker script (stdlib-blob/linker_script.py), at page boundaries. */
extern char pexcz_data_start[];
extern char pexcz_data_end[];
extern char pexcz_bss_start[];
extern char pexcz_bss_end[];

void
pexcz_owned_anchors(uint64_t ret[PEXCZ_OWNED_ANCHORS])
{
    ret[0] = (uintptr_t)pexcz_data_start;
    ret[1] = (uintptr_t)pexcz_data_end;
    ret[2] = (uintptr_t)pexcz_bss_start;
    ret[3] = (uintptr_t)pexcz_bss_end;
}

/* --- at dump ------------------------------------------------------------- */

/* The segment that `address` is in. */
static const Elf64_Phdr *
segment_of(uint64_t address)
{
    const Elf64_Phdr *ph = (const Elf64_Phdr *)getauxval(AT_PHDR);
    unsigned long count = getauxval(AT_PHNUM);

    for (unsigned long i = 0; i < count; i++) {
        if (ph[i].p_type == PT_LOAD && address >= ph[i].p_vaddr
            && address - ph[i].p_vaddr < ph[i].p_memsz) {
            return &ph[i];
        }
    }
    return NULL;
}

/* A page as the file has it; zeros behind the segment's file part. */
static bool
read_page(int fd, const Elf64_Phdr *ph, uint64_t address,
          uint8_t ret[PEXCZ_PAGE_SIZE])
{
    uint64_t offset = address - ph->p_vaddr;
    uint64_t in_file = offset < ph->p_filesz ? ph->p_filesz - offset : 0;
    size_t size
        = in_file < PEXCZ_PAGE_SIZE ? (size_t)in_file : PEXCZ_PAGE_SIZE;

    memset(ret, 0, PEXCZ_PAGE_SIZE);
    return pread(fd, ret, size, (off_t)(ph->p_offset + offset))
           == (ssize_t)size;
}

static int
check_pages(int fd, uint64_t start, uint64_t end, struct pexcz_error *err)
{
    const Elf64_Phdr *ph = segment_of(start);
    uint8_t page[PEXCZ_PAGE_SIZE];

    for (uint64_t at = start; at < end; at += sizeof(page)) {
        if (ph == NULL || !read_page(fd, ph, at, page)) {
            return pexcz_fail(err, PEXCZ_E_IO, errno, "/proc/self/exe");
        }
        if (memcmp((const void *)(uintptr_t)at, page, sizeof(page)) != 0) {
            return pexcz_fail(
                err, PEXCZ_E_UNSUPPORTED, 0,
                "static data at %#" PRIx64 " is the process' own", at);
        }
    }
    return PEXCZ_OK;
}

int
pexcz_owned_check_untouched(struct pexcz_error *err)
{
    uint64_t a[PEXCZ_OWNED_ANCHORS];
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int rc = PEXCZ_OK;

    if (fd < 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "/proc/self/exe");
    }
    pexcz_owned_anchors(a);
    for (size_t i = 0; i < PEXCZ_OWNED_ANCHORS && rc == PEXCZ_OK; i += 2) {
        rc = check_pages(fd, a[i], a[i + 1], err);
    }
    (void)close(fd);
    return rc;
}

/* --- restore ------------------------------------------------------------- */

bool
pexcz_owned_has(uint64_t address, uint64_t size)
{
    uint64_t a[PEXCZ_OWNED_ANCHORS];

    pexcz_owned_anchors(a);
    for (size_t i = 0; i < PEXCZ_OWNED_ANCHORS; i += 2) {
        if (address >= a[i] && address <= a[i + 1]
            && size <= a[i + 1] - address) {
            return true;
        }
    }
    return false;
}

bool
pexcz_owned_check(struct pexcz_slice pages)
{
    const struct pexcz_snapshot_page_run *runs = (const void *)pages.ptr;

    for (size_t i = 0; i < pages.len / sizeof(*runs); i++) {
        if (runs[i].address < PEXCZ_ADDR_STDLIB
            && !pexcz_owned_has(runs[i].address, runs[i].size)) {
            return false;
        }
    }
    return true;
}
