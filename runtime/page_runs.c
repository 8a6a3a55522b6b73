/* SPDX-License-Identifier: Apache-2.0 */
#include "page_runs.h"

#include "exe_layout.h"

#include <sys/mman.h>

/* Zero pages that are stored rather than begin another run. */
#define MAX_HOLE 16
/* Bytes of a run that is copied: its own page faults cost less than moving a
 * mapping. */
#define MAX_COPIED (8 * PEXCZ_PAGE_SIZE)

static bool
is_zero(const uint64_t *page)
{
    for (size_t i = 0; i < PEXCZ_PAGE_SIZE / sizeof(*page); i++) {
        if (page[i] != 0) {
            return false;
        }
    }
    return true;
}

static bool
is_zero_at(uint64_t address)
{
    return is_zero((const uint64_t *)(uintptr_t)address);
}

/* The end of the run that begins at `start`: before the next hole of more than
 * `max_hole` pages. */
static uint64_t
hole_after(uint64_t start, uint64_t limit, unsigned int max_hole)
{
    uint64_t end = start;
    unsigned int hole = 0;

    for (uint64_t at = start; at < limit && hole <= max_hole;
         at += PEXCZ_PAGE_SIZE) {
        if (is_zero_at(at)) {
            hole++;
            continue;
        }
        hole = 0;
        end = at + PEXCZ_PAGE_SIZE;
    }
    return end;
}

/* What is moved is one run in spite of holes; what is copied has none. */
static uint64_t
run_end(uint64_t start, uint64_t limit)
{
    uint64_t end = hole_after(start, limit, MAX_HOLE);
    uint64_t content = 0;

    for (uint64_t at = start; at < end; at += PEXCZ_PAGE_SIZE) {
        content += is_zero_at(at) ? 0 : PEXCZ_PAGE_SIZE;
    }
    return content > MAX_COPIED ? end : hole_after(start, end, 0);
}

int
pexcz_page_runs_add(struct pexcz_page_runs *pages, uint64_t start,
                    uint64_t end, uint64_t first, struct pexcz_error *err)
{
    int rc = PEXCZ_OK;

    while (rc == PEXCZ_OK) {
        struct pexcz_snapshot_page_run run;

        while (start < end && is_zero_at(start)) {
            start += PEXCZ_PAGE_SIZE;
        }
        if (start == end) {
            break;
        }
        run.address = start;
        run.offset = first + pages->bytes.len;
        run.size = run_end(start, end) - start;
        rc = pexcz_buf_append(&pages->runs, &run, sizeof(run), err);
        if (rc == PEXCZ_OK) {
            rc = pexcz_buf_append(&pages->bytes,
                                  (const void *)(uintptr_t)start,
                                  (size_t)run.size, err);
        }
        start += run.size;
    }
    return rc;
}

void
pexcz_page_runs_clear_word(struct pexcz_page_runs *pages, uint64_t first,
                           uint64_t address)
{
    const struct pexcz_snapshot_page_run *runs = (const void *)pages->runs.ptr;
    size_t count = pages->runs.len / sizeof(*runs);

    for (size_t i = 0; i < count; i++) {
        if (address >= runs[i].address
            && address - runs[i].address < runs[i].size) {
            memset(pages->bytes.ptr + (runs[i].offset - first)
                       + (address - runs[i].address),
                   0, sizeof(uint64_t));
        }
    }
}

void
pexcz_page_runs_done(struct pexcz_page_runs *pages)
{
    pexcz_buf_done(&pages->bytes);
    pexcz_buf_done(&pages->runs);
}

static bool
is_aligned(uint64_t value)
{
    return value % PEXCZ_PAGE_SIZE == 0;
}

bool
pexcz_page_runs_check(struct pexcz_slice table, uint64_t first, uint64_t end)
{
    const struct pexcz_snapshot_page_run *runs = (const void *)table.ptr;
    size_t count = table.len / sizeof(*runs);

    for (size_t i = 0; i < count; i++) {
        if (!is_aligned(runs[i].address) || !is_aligned(runs[i].offset)
            || !is_aligned(runs[i].size) || runs[i].offset < first
            || runs[i].offset > end || runs[i].size > end - runs[i].offset) {
            return false;
        }
    }
    return true;
}

/* Copied where moving costs more, or the kernel refuses to. */
static void
put(const struct pexcz_snapshot_page_run *run, const void *snapshot)
{
    void *from = (void *)((uintptr_t)snapshot + run->offset);
    void *to = (void *)(uintptr_t)run->address;
    size_t size = (size_t)run->size;

    if (size <= MAX_COPIED
        || mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) != to) {
        memcpy(to, from, size);
    }
}

void
pexcz_page_runs_put(struct pexcz_slice table, const void *snapshot,
                    uint64_t end)
{
    const struct pexcz_snapshot_page_run *runs = (const void *)table.ptr;

    for (size_t i = 0; i < table.len / sizeof(*runs); i++) {
        if (runs[i].address < end) {
            put(&runs[i], snapshot);
        }
    }
}

bool
pexcz_page_runs_move(struct pexcz_slice table, const void *snapshot,
                     uint64_t start, uint64_t end)
{
    const struct pexcz_snapshot_page_run *runs = (const void *)table.ptr;
    size_t count = table.len / sizeof(*runs);

    for (size_t i = 0; i < count; i++) {
        void *from = (void *)((uintptr_t)snapshot + runs[i].offset);
        void *to = (void *)(uintptr_t)runs[i].address;

        if (runs[i].address < start || runs[i].address >= end) {
            continue;
        }
        if (mremap(from, (size_t)runs[i].size, (size_t)runs[i].size,
                   MREMAP_MAYMOVE | MREMAP_FIXED, to)
            != to) {
            return false;
        }
    }
    return true;
}
