/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recomputes the hashes of a blob whose bytes were changed, so that what is
 * behind them gets tested.  Where header or section table are too broken to
 * find the index, nothing is changed.
 */
#ifndef PEXCZ_BLOB_RESEAL_H
#define PEXCZ_BLOB_RESEAL_H

#include "blob_format.h"

#include <stddef.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static inline void
reseal_payloads(uint8_t *bytes, uint64_t total, uint64_t at, uint64_t size)
{
    struct pexcz_payload_f p;

    for (; size >= sizeof(p); size -= sizeof(p), at += sizeof(p)) {
        uint64_t offset;
        uint64_t stored;

        memcpy(&p, bytes + at, sizeof(p));
        offset = pexcz_le64_get(p.offset);
        stored = pexcz_le64_get(p.stored_size);
        if (offset <= total && stored <= total - offset) {
            p.hash = pexcz_le64_put(XXH3_64bits(bytes + offset, stored));
            memcpy(bytes + at, &p, sizeof(p));
        }
    }
}

static inline void
reseal_header(uint8_t *bytes, struct pexcz_blob_header_f *h,
              uint64_t table_end, uint64_t sums, uint64_t pages)
{
    XXH128_canonical_t id;
    XXH3_state_t state;

    XXH128_canonicalFromHash(&id, XXH3_128bits(bytes + sums, pages * 8));
    memcpy(h->id, id.digest, sizeof(h->id));
    h->hash = pexcz_le64_put(0);
    (void)XXH3_64bits_reset(&state);
    (void)XXH3_64bits_update(&state, h, sizeof(*h));
    (void)XXH3_64bits_update(&state, bytes + sizeof(*h),
                             table_end - sizeof(*h));
    (void)XXH3_64bits_update(&state, bytes + sums, pages * 8);
    h->hash = pexcz_le64_put(XXH3_64bits_digest(&state));
    memcpy(bytes, h, sizeof(*h));
}

static inline void
reseal(uint8_t *bytes, size_t len)
{
    struct pexcz_blob_header_f h;
    struct pexcz_section_f s;
    uint64_t index;
    uint64_t pages;
    uint64_t sums;
    uint64_t table_end;

    if (len < PEXCZ_BLOB_PAGE) {
        return;
    }
    memcpy(&h, bytes, sizeof(h));
    index = pexcz_le64_get(h.index_offset);
    sums = pexcz_le64_get(h.sums_offset);
    pages = pexcz_le32_get(h.page_count);
    table_end = pexcz_le16_get(h.header_size)
                + (uint64_t)pexcz_le16_get(h.section_count)
                      * pexcz_le16_get(h.section_size);
    if (index < PEXCZ_BLOB_PAGE || index > len
        || pages > (len - index) / PEXCZ_BLOB_PAGE || sums > len
        || pages * 8 > len - sums || table_end > PEXCZ_BLOB_PAGE
        || table_end < sizeof(h)) {
        return;
    }
    for (uint64_t at = pexcz_le16_get(h.header_size);
         at + sizeof(s) <= table_end; at += sizeof(s)) {
        memcpy(&s, bytes + at, sizeof(s));
        if (pexcz_le32_get(s.kind) == PEXCZ_SECTION_PAYLOADS
            && pexcz_le64_get(s.offset) <= len
            && pexcz_le64_get(s.size) <= len - pexcz_le64_get(s.offset)) {
            reseal_payloads(bytes, len, pexcz_le64_get(s.offset),
                            pexcz_le64_get(s.size));
        }
    }
    for (uint64_t i = 0; i < pages; i++) {
        pexcz_le64 sum = pexcz_le64_put(
            XXH3_64bits(bytes + index + i * PEXCZ_BLOB_PAGE, PEXCZ_BLOB_PAGE));

        memcpy(bytes + sums + i * sizeof(sum), &sum, sizeof(sum));
    }
    reseal_header(bytes, &h, table_end, sums, pages);
}

#endif
