/* SPDX-License-Identifier: Apache-2.0 */
#define Py_BUILD_CORE 1
#include "owned_data.h"

#include "exe_layout.h"
#include "snapshot_format.h"

#include <Python.h>
#include <internal/pycore_runtime.h>
#include <sys/mman.h>

extern char pexcz_data_start[];
extern char pexcz_data_end[];
extern char pexcz_bss_start[];
extern char pexcz_bss_end[];

#define RANGES (PEXCZ_OWNED_ANCHORS / 2)

void
pexcz_owned_anchors(uint64_t ret[PEXCZ_OWNED_ANCHORS])
{
    ret[0] = (uintptr_t)pexcz_data_start;
    ret[1] = (uintptr_t)pexcz_data_end;
    ret[2] = (uintptr_t)&_PyRuntime;
    ret[3] = (uintptr_t)(&_PyRuntime + 1);
    ret[4] = (uintptr_t)pexcz_bss_start;
    ret[5] = (uintptr_t)pexcz_bss_end;
}

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

static bool
is_changed(const uint64_t *now, const uint8_t *before, const uint8_t *pre)
{
    return memcmp(now, before, sizeof(*now)) != 0
           || memcmp(pre, before, sizeof(*now)) != 0;
}

/* The runs of one range; `before` and `pre` are its copies. */
static int
append_runs(uint64_t start, uint64_t end, const uint8_t *before,
            const uint8_t *pre, struct pexcz_buf *out, struct pexcz_error *err)
{
    const uint64_t *words = (const uint64_t *)(uintptr_t)start;
    size_t count = (size_t)(end - start) / sizeof(*words);
    int rc = PEXCZ_OK;

    for (size_t i = 0; i < count && rc == PEXCZ_OK;) {
        struct pexcz_snapshot_run run = {.address = start + i * 8};
        size_t n = 0;

        while (i + n < count
               && is_changed(words + i + n, before + (i + n) * 8,
                             pre + (i + n) * 8)) {
            n++;
        }
        if (n == 0) {
            i++;
            continue;
        }
        run.size = n * 8;
        rc = pexcz_buf_append(out, &run, sizeof(run), err);
        if (rc == PEXCZ_OK) {
            rc = pexcz_buf_append(out, words + i, n * 8, err);
        }
        i += n;
    }
    return rc;
}

int
pexcz_owned_delta(struct pexcz_slice before, struct pexcz_slice preinitialised,
                  struct pexcz_buf *out, struct pexcz_error *err)
{
    uint64_t a[PEXCZ_OWNED_ANCHORS];
    size_t done = 0;
    int rc = PEXCZ_OK;

    pexcz_owned_anchors(a);
    for (size_t i = 0; i < RANGES && rc == PEXCZ_OK; i++) {
        rc = append_runs(a[2 * i], a[2 * i + 1], before.ptr + done,
                         preinitialised.ptr + done, out, err);
        done += (size_t)(a[2 * i + 1] - a[2 * i]);
    }
    return rc;
}

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
pexcz_owned_check(struct pexcz_slice delta)
{
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
    return delta.len == 0;
}

/* One call instead of a page fault for nearly every page; kernels before 5.14
 * refuse, and the faults happen. */
static void
populate(void)
{
#ifdef MADV_POPULATE_WRITE
    uint64_t page = PEXCZ_PAGE_SIZE;
    uint64_t start = (uintptr_t)pexcz_data_start & ~(page - 1);
    uint64_t end = ((uintptr_t)pexcz_bss_end + page - 1) & ~(page - 1);

    (void)madvise((void *)(uintptr_t)start, (size_t)(end - start),
                  MADV_POPULATE_WRITE);
#endif
}

void
pexcz_owned_apply(struct pexcz_slice delta)
{
    const uint8_t *p = delta.ptr;
    const uint8_t *end = p + delta.len;

    populate();
    while (p < end) {
        struct pexcz_snapshot_run run;

        memcpy(&run, p, sizeof(run));
        memcpy((void *)(uintptr_t)run.address, p + sizeof(run),
               (size_t)run.size);
        p += sizeof(run) + run.size;
    }
}
