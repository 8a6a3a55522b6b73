/* SPDX-License-Identifier: Apache-2.0 */
#include "blob_access.h"

#include <stdatomic.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

int
pexcz_blob_corrupt(const struct pexcz_blob *blob, struct pexcz_error *err,
                   const char *what, uint64_t where)
{
    struct pexcz_error local;
    struct pexcz_error *e = err != NULL ? err : &local;

    (void)pexcz_fail(e, PEXCZ_E_CORRUPT, 0, "%s: corrupt %s at byte %llu",
                     blob->name, what, (unsigned long long)where);
    if (blob->on_corrupt != NULL) {
        blob->on_corrupt(e);
    }
    return PEXCZ_E_CORRUPT;
}

/* Relaxed order suffices: the bit only saves a check that gives the same
 * answer in every thread. */
bool
pexcz_blob_bit_get(const struct pexcz_blob *blob, size_t bit)
{
    const _Atomic uint8_t *p = (const _Atomic uint8_t *)blob->verified;

    return (atomic_load_explicit(p + bit / 8, memory_order_relaxed)
            >> (bit % 8))
           & 1;
}

void
pexcz_blob_bit_set(const struct pexcz_blob *blob, size_t bit)
{
    _Atomic uint8_t *p = (_Atomic uint8_t *)blob->verified;

    (void)atomic_fetch_or_explicit(p + bit / 8, (uint8_t)(1u << (bit % 8)),
                                   memory_order_relaxed);
}

/* `len` bytes of the index at `offset`, their pages checked; NULL: corrupt. */
const uint8_t *
pexcz_blob_index_bytes(const struct pexcz_blob *blob, uint64_t offset,
                       uint64_t len, struct pexcz_error *err)
{
    uint64_t end
        = blob->index_offset + (uint64_t)blob->page_count * PEXCZ_BLOB_PAGE;
    uint64_t last;

    if (offset < blob->index_offset || offset > end || len > end - offset) {
        (void)pexcz_blob_corrupt(blob, err, "index record", offset);
        return NULL;
    }
    if (len == 0) {
        return blob->bytes.ptr + offset;
    }
    last = (offset + len - 1 - blob->index_offset) / PEXCZ_BLOB_PAGE;
    for (uint64_t page = (offset - blob->index_offset) / PEXCZ_BLOB_PAGE;
         page <= last; page++) {
        const uint8_t *p;
        pexcz_le64 sum;

        if (pexcz_blob_bit_get(blob, (size_t)page)) {
            continue;
        }
        p = blob->bytes.ptr + blob->index_offset + page * PEXCZ_BLOB_PAGE;
        memcpy(&sum, blob->bytes.ptr + blob->sums_offset + page * sizeof(sum),
               sizeof(sum));
        if (XXH3_64bits(p, PEXCZ_BLOB_PAGE) != pexcz_le64_get(sum)) {
            (void)pexcz_blob_corrupt(blob, err, "index page",
                                     (uint64_t)(p - blob->bytes.ptr));
            return NULL;
        }
        pexcz_blob_bit_set(blob, (size_t)page);
    }
    return blob->bytes.ptr + offset;
}

/* Copies record `i`; the ranges were checked at open. */
bool
pexcz_blob_record(const struct pexcz_blob *blob,
                  const struct pexcz_range *range, uint32_t i, void *dst,
                  size_t size, struct pexcz_error *err)
{
    const uint8_t *p;

    if (i >= range->count) {
        (void)pexcz_fail(err, PEXCZ_E_NOT_FOUND, 0,
                         "%s: no record %u (there are %u)", blob->name, i,
                         range->count);
        return false;
    }
    p = pexcz_blob_index_bytes(
        blob, range->offset + (uint64_t)i * range->record_size, size, err);
    if (p == NULL) {
        return false;
    }
    memcpy(dst, p, size);
    return true;
}
