/* SPDX-License-Identifier: Apache-2.0 */
#include "owned_data.h"

#include "exe_layout.h"
#include "page_runs.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <unistd.h>

/* Of the linker script (stdlib-blob/link_base.py), at page boundaries. */
extern char pexcz_data_start[];
extern char pexcz_data_end[];
extern char pexcz_bss_start[];
extern char pexcz_bss_end[];

#define RANGES (PEXCZ_OWNED_ANCHORS / 2)
#define MAX_KEPT 256

void
pexcz_owned_anchors(uint64_t ret[PEXCZ_OWNED_ANCHORS])
{
    ret[0] = (uintptr_t)pexcz_data_start;
    ret[1] = (uintptr_t)pexcz_data_end;
    ret[2] = (uintptr_t)pexcz_bss_start;
    ret[3] = (uintptr_t)pexcz_bss_end;
}

/* --- copies -------------------------------------------------------------- */

int
pexcz_owned_copy(struct pexcz_buf *out, struct pexcz_error *err)
{
    uint64_t a[PEXCZ_OWNED_ANCHORS];
    int rc = PEXCZ_OK;

    pexcz_owned_anchors(a);
    for (size_t i = 0; i < RANGES && rc == PEXCZ_OK; i++) {
        rc = pexcz_buf_append(out, (const void *)(uintptr_t)a[2 * i],
                              (size_t)(a[2 * i + 1] - a[2 * i]), err);
    }
    return rc;
}

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

/* [start, end) as the file has it; zeros behind the segment's file part. */
static int
read_range(int fd, uint64_t start, uint64_t end, struct pexcz_buf *out,
           struct pexcz_error *err)
{
    const Elf64_Phdr *ph = segment_of(start);
    size_t size = (size_t)(end - start);
    uint64_t in_file;
    int rc = pexcz_buf_reserve(out, size, err);

    if (rc < 0) {
        return rc;
    }
    memset(out->ptr + out->len, 0, size);
    in_file = ph != NULL && start - ph->p_vaddr < ph->p_filesz
                  ? ph->p_filesz - (start - ph->p_vaddr)
                  : 0;
    if (in_file > size) {
        in_file = size;
    }
    if (in_file != 0
        && pread(fd, out->ptr + out->len, (size_t)in_file,
                 (off_t)(ph->p_offset + (start - ph->p_vaddr)))
               != (ssize_t)in_file) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "/proc/self/exe");
    }
    out->len += size;
    return PEXCZ_OK;
}

int
pexcz_owned_copy_file(struct pexcz_buf *out, struct pexcz_error *err)
{
    uint64_t a[PEXCZ_OWNED_ANCHORS];
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int rc = PEXCZ_OK;

    if (fd < 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "/proc/self/exe");
    }
    pexcz_owned_anchors(a);
    for (size_t i = 0; i < RANGES && rc == PEXCZ_OK; i++) {
        rc = read_range(fd, a[2 * i], a[2 * i + 1], out, err);
    }
    (void)close(fd);
    return rc;
}

/* --- tables -------------------------------------------------------------- */

static uint64_t
word_at(const struct pexcz_buf *copy, size_t offset)
{
    uint64_t value;

    memcpy(&value, copy->ptr + offset, sizeof(value));
    return value;
}

/* Whether the process has set the word at `address`, and Python did not change
 * it; `offset` is its place in the copies. */
static bool
is_kept(const struct pexcz_owned_copies *copies, uint64_t address,
        size_t offset)
{
    uint64_t now = *(const uint64_t *)(uintptr_t)address;
    uint64_t before = word_at(&copies->before, offset);

    return now == before && word_at(&copies->preinitialised, offset) == before
           && word_at(&copies->initial, offset) != before;
}

int
pexcz_owned_kept(const struct pexcz_owned_copies *copies,
                 struct pexcz_buf *out, struct pexcz_error *err)
{
    uint64_t a[PEXCZ_OWNED_ANCHORS];
    size_t offset = 0;
    int rc = PEXCZ_OK;

    pexcz_owned_anchors(a);
    for (size_t i = 0; i < RANGES; i++) {
        for (uint64_t at = a[2 * i]; at < a[2 * i + 1] && rc == PEXCZ_OK;
             at += 8, offset += 8) {
            if (is_kept(copies, at, offset)) {
                rc = out->len < MAX_KEPT * sizeof(at)
                         ? pexcz_buf_append(out, &at, sizeof(at), err)
                         : pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                                      "more than %d words that belong to "
                                      "the process",
                                      MAX_KEPT);
            }
        }
    }
    return rc;
}

/* --- restore ------------------------------------------------------------- */

static bool
is_owned(uint64_t address, uint64_t size)
{
    uint64_t a[PEXCZ_OWNED_ANCHORS];

    pexcz_owned_anchors(a);
    for (size_t i = 0; i < RANGES; i++) {
        if (address >= a[2 * i] && address <= a[2 * i + 1]
            && size <= a[2 * i + 1] - address) {
            return true;
        }
    }
    return false;
}

bool
pexcz_owned_check(struct pexcz_slice kept, struct pexcz_slice pages)
{
    const struct pexcz_snapshot_page_run *runs = (const void *)pages.ptr;
    const uint64_t *addresses = (const void *)kept.ptr;
    size_t count = kept.len / sizeof(*addresses);

    for (size_t i = 0; i < count; i++) {
        if (!is_owned(addresses[i], sizeof(*addresses))) {
            return false;
        }
    }
    for (size_t i = 0; i < pages.len / sizeof(*runs); i++) {
        if (runs[i].address < PEXCZ_ADDR_STDLIB
            && !is_owned(runs[i].address, runs[i].size)) {
            return false;
        }
    }
    return count <= MAX_KEPT;
}

void
pexcz_owned_apply(struct pexcz_slice kept, struct pexcz_slice pages,
                  const void *snapshot)
{
    const uint64_t *addresses = (const void *)kept.ptr;
    size_t count = kept.len / sizeof(*addresses);
    uint64_t values[MAX_KEPT];

    for (size_t i = 0; i < count; i++) {
        values[i] = *(const uint64_t *)(uintptr_t)addresses[i];
    }
    pexcz_page_runs_put(pages, snapshot, PEXCZ_ADDR_STDLIB);
    for (size_t i = 0; i < count; i++) {
        *(uint64_t *)(uintptr_t)addresses[i] = values[i];
    }
}
