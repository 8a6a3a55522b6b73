/* SPDX-License-Identifier: Apache-2.0 */
#define Py_BUILD_CORE 1
#include "owned_data.h"

#include "exe_layout.h"
#include "page_runs.h"

#include <Python.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <internal/pycore_runtime.h>
#include <sys/auxv.h>
#include <unistd.h>

extern char pexcz_data_start[];
extern char pexcz_data_end[];
/* Of the linker script: stdlib-blob/link_base.py. */
extern char pexcz_hot_data_start[];
extern char pexcz_hot_data_end[];
extern char pexcz_bss_start[];
extern char pexcz_bss_end[];

#define RANGES (PEXCZ_OWNED_ANCHORS / 2)
#define MAX_KEPT 256

void
pexcz_owned_anchors(uint64_t ret[PEXCZ_OWNED_ANCHORS])
{
    ret[0] = (uintptr_t)pexcz_data_start;
    ret[1] = (uintptr_t)pexcz_data_end;
    ret[2] = (uintptr_t)&_PyRuntime;
    ret[3] = (uintptr_t)(&_PyRuntime + 1);
    ret[4] = (uintptr_t)pexcz_bss_start;
    ret[5] = (uintptr_t)pexcz_bss_end;
    ret[6] = (uintptr_t)pexcz_hot_data_start;
    ret[7] = (uintptr_t)pexcz_hot_data_end;
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

void
pexcz_owned_pages(size_t i, uint64_t *ret_start, uint64_t *ret_end)
{
    uint64_t a[PEXCZ_OWNED_ANCHORS];
    uint64_t mask = PEXCZ_PAGE_SIZE - 1;

    pexcz_owned_anchors(a);
    *ret_start = (a[2 * i] + mask) & ~mask;
    *ret_end = a[2 * i + 1] & ~mask;
    if (*ret_end < *ret_start) {
        *ret_end = *ret_start;
    }
}

/* One word of owned data, with what the copies say. */
struct word {
    uint64_t address;
    uint64_t now;
    uint64_t initial;
    uint64_t before;
    uint64_t preinitialised;
    bool in_page; /* a whole page of it is stored */
};

typedef int word_visitor(const struct word *word, struct pexcz_buf *out,
                         struct pexcz_error *err);

static uint64_t
word_at(const struct pexcz_buf *copy, size_t offset)
{
    uint64_t value;

    memcpy(&value, copy->ptr + offset, sizeof(value));
    return value;
}

static int
visit_words(const struct pexcz_owned_copies *copies, word_visitor *visit,
            struct pexcz_buf *out, struct pexcz_error *err)
{
    uint64_t a[PEXCZ_OWNED_ANCHORS];
    size_t offset = 0;
    int rc = PEXCZ_OK;

    pexcz_owned_anchors(a);
    for (size_t i = 0; i < RANGES; i++) {
        uint64_t start;
        uint64_t end;

        pexcz_owned_pages(i, &start, &end);
        for (uint64_t at = a[2 * i]; at < a[2 * i + 1] && rc == PEXCZ_OK;
             at += 8, offset += 8) {
            struct word word = {
                .address = at,
                .now = *(const uint64_t *)(uintptr_t)at,
                .initial = word_at(&copies->initial, offset),
                .before = word_at(&copies->before, offset),
                .preinitialised = word_at(&copies->preinitialised, offset),
                .in_page = at >= start && at < end,
            };

            rc = visit(&word, out, err);
        }
    }
    return rc;
}

static bool
is_changed(const struct word *word)
{
    return word->now != word->before || word->preinitialised != word->before;
}

static int
visit_delta(const struct word *word, struct pexcz_buf *out,
            struct pexcz_error *err)
{
    struct pexcz_snapshot_run run = {.address = word->address, .size = 8};
    int rc;

    if (word->in_page || !is_changed(word)) {
        return PEXCZ_OK;
    }
    rc = pexcz_buf_append(out, &run, sizeof(run), err);
    return rc == PEXCZ_OK
               ? pexcz_buf_append(out, &word->now, sizeof(word->now), err)
               : rc;
}

static int
visit_kept(const struct word *word, struct pexcz_buf *out,
           struct pexcz_error *err)
{
    if (!word->in_page || is_changed(word) || word->before == word->initial) {
        return PEXCZ_OK;
    }
    if (out->len >= MAX_KEPT * sizeof(word->address)) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "more than %d words that belong to the process",
                          MAX_KEPT);
    }
    return pexcz_buf_append(out, &word->address, sizeof(word->address), err);
}

int
pexcz_owned_delta(const struct pexcz_owned_copies *copies,
                  struct pexcz_buf *out, struct pexcz_error *err)
{
    return visit_words(copies, visit_delta, out, err);
}

int
pexcz_owned_kept(const struct pexcz_owned_copies *copies,
                 struct pexcz_buf *out, struct pexcz_error *err)
{
    return visit_words(copies, visit_kept, out, err);
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
pexcz_owned_check(struct pexcz_slice delta, struct pexcz_slice kept,
                  struct pexcz_slice pages)
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
    while (delta.len >= sizeof(struct pexcz_snapshot_run)) {
        struct pexcz_snapshot_run run;

        memcpy(&run, delta.ptr, sizeof(run));
        delta.ptr += sizeof(run);
        delta.len -= sizeof(run);
        if (run.size > delta.len || run.size % 8 != 0
            || !is_owned(run.address, run.size)) {
            return false;
        }
        delta.ptr += run.size;
        delta.len -= (size_t)run.size;
    }
    return delta.len == 0 && count <= MAX_KEPT;
}

static void
apply_delta(struct pexcz_slice delta)
{
    const uint8_t *p = delta.ptr;
    const uint8_t *end = p + delta.len;

    while (p < end) {
        struct pexcz_snapshot_run run;

        memcpy(&run, p, sizeof(run));
        memcpy((void *)(uintptr_t)run.address, p + sizeof(run),
               (size_t)run.size);
        p += sizeof(run) + run.size;
    }
}

void
pexcz_owned_apply(struct pexcz_slice delta, struct pexcz_slice kept,
                  struct pexcz_slice pages, const void *snapshot)
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
    apply_delta(delta);
}
