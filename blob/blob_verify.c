/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks a whole blob: after it, no bit of it can have changed unnoticed, be
 * it in a padding.  This file: header, sections, pages, payloads, boot
 * settings.
 */
#include "blob_verify.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static struct pexcz_blob_header_f
header_of(const struct pexcz_blob *blob)
{
    struct pexcz_blob_header_f h;

    memcpy(&h, blob->bytes.ptr, sizeof(h));
    return h;
}

bool
pexcz_blob_is_minor_known(const struct pexcz_blob *blob)
{
    struct pexcz_blob_header_f h = header_of(blob);

    return pexcz_le16_get(h.minor) <= PEXCZ_BLOB_MINOR;
}

/* Zero bytes in [from, to), which the caller knows to lie in the blob. */
static int
verify_zero(const struct pexcz_blob *blob, uint64_t from, uint64_t to,
            struct pexcz_error *err)
{
    for (uint64_t i = from; i < to; i++) {
        if (blob->bytes.ptr[i] != 0) {
            return pexcz_blob_corrupt(blob, err, "padding", i);
        }
    }
    return PEXCZ_OK;
}

static uint64_t
next_page(uint64_t offset)
{
    return (offset + PEXCZ_BLOB_PAGE - 1) & ~(uint64_t)(PEXCZ_BLOB_PAGE - 1);
}

/* --- header and sections ------------------------------------------------ */

struct extent {
    uint64_t from;
    uint64_t to;
};

static int
compare_extents(const void *pa, const void *pb)
{
    const struct extent *a = pa;
    const struct extent *b = pb;

    if (a->from != b->from) {
        return a->from < b->from ? -1 : 1;
    }
    return (a->to > b->to) - (a->to < b->to);
}

static struct extent
extent_of(const struct pexcz_range *range)
{
    uint64_t size = (uint64_t)range->count * range->record_size;

    return (struct extent){range->offset, range->offset + size};
}

/* Header page, data, index and sums follow one another in this order. */
static int
verify_layout(const struct pexcz_blob *blob, struct pexcz_error *err)
{
    uint64_t index_end
        = blob->index_offset + (uint64_t)blob->page_count * PEXCZ_BLOB_PAGE;
    uint64_t sums_end
        = blob->sums_offset + (uint64_t)blob->page_count * sizeof(pexcz_le64);
    struct extent sections[] = {
        extent_of(&blob->entries),   extent_of(&blob->path_hash),
        extent_of(&blob->modules),   extent_of(&blob->module_hash),
        extent_of(&blob->payloads),  extent_of(&blob->strings),
        extent_of(&blob->boot),      extent_of(&blob->dict),
        extent_of(&blob->libraries), extent_of(&blob->needs),
        extent_of(&blob->copies),
    };
    size_t count = sizeof(sections) / sizeof(sections[0]);

    if (blob->data.offset != PEXCZ_BLOB_PAGE
        || blob->data_size != blob->index_offset - PEXCZ_BLOB_PAGE
        || blob->sums_offset != index_end
        || next_page(sums_end) != pexcz_blob_size(blob)) {
        return pexcz_blob_corrupt(blob, err, "layout", 0);
    }
    qsort(sections, count, sizeof(sections[0]), compare_extents);
    for (size_t i = 1; i < count; i++) {
        if (sections[i].from < sections[i - 1].to) {
            return pexcz_blob_corrupt(blob, err, "overlapping section",
                                      sections[i].from);
        }
    }
    return verify_zero(blob, sums_end, pexcz_blob_size(blob), err);
}

static int
verify_header(const struct pexcz_blob *blob, struct pexcz_error *err)
{
    struct pexcz_blob_header_f h = header_of(blob);
    uint64_t table_end = pexcz_le16_get(h.header_size)
                         + (uint64_t)pexcz_le16_get(h.section_count)
                               * pexcz_le16_get(h.section_size);
    XXH128_canonical_t id;

    XXH128_canonicalFromHash(
        &id, XXH3_128bits(blob->bytes.ptr + blob->sums_offset,
                          (size_t)blob->page_count * sizeof(pexcz_le64)));
    if (memcmp(id.digest, h.id, sizeof(h.id)) != 0) {
        return pexcz_blob_corrupt(blob, err, "id",
                                  offsetof(struct pexcz_blob_header_f, id));
    }
    if (pexcz_blob_is_minor_known(blob)) {
        uint64_t at = offsetof(struct pexcz_blob_header_f, reserved);
        int rc = verify_zero(blob, at, at + sizeof(h.reserved), err);

        if (rc < 0) {
            return rc;
        }
    }
    return verify_zero(blob, table_end, PEXCZ_BLOB_PAGE, err);
}

static int
verify_pages(const struct pexcz_blob *blob, struct pexcz_error *err)
{
    for (uint32_t i = 0; i < blob->page_count; i++) {
        uint64_t at = blob->index_offset + (uint64_t)i * PEXCZ_BLOB_PAGE;

        if (pexcz_blob_index_bytes(blob, at, PEXCZ_BLOB_PAGE, err) == NULL) {
            return PEXCZ_E_CORRUPT;
        }
    }
    return PEXCZ_OK;
}

int
pexcz_blob_verify_sums(const struct pexcz_blob *blob, struct pexcz_error *err)
{
    struct pexcz_payload payload;
    int rc = verify_pages(blob, err);

    for (uint32_t i = 0; rc == PEXCZ_OK && i < blob->payloads.count; i++) {
        rc = pexcz_blob_payload(blob, i, &payload, err);
    }
    return rc;
}

/* --- payloads ----------------------------------------------------------- */

static bool
are_frames(const struct pexcz_payload *p)
{
    struct pexcz_slice rest = p->stored;
    struct pexcz_slice frame;
    uint64_t left = p->size;
    size_t size;

    while (rest.len != 0
           && pexcz_blob_frame_next(&rest, left, &frame, &size)) {
        left -= size;
    }
    return rest.len == 0 && left == 0;
}

static int
verify_payload(const struct pexcz_blob *blob, uint32_t index,
               struct pexcz_buf *scratch, struct extent *ret,
               struct pexcz_error *err)
{
    struct pexcz_payload_f f;
    struct pexcz_payload p;
    struct pexcz_slice content;
    int rc = pexcz_blob_payload(blob, index, &p, err);

    if (rc < 0) {
        return rc;
    }
    if (!pexcz_blob_record(blob, &blob->payloads, index, &f, sizeof(f), err)) {
        return PEXCZ_E_CORRUPT;
    }
    if (pexcz_blob_is_minor_known(blob)
        && (pexcz_le16_get(f.reserved0) != 0
            || pexcz_le32_get(f.reserved1) != 0)) {
        return pexcz_blob_corrupt(blob, err, "payload record",
                                  blob->payloads.offset
                                      + (uint64_t)index
                                            * blob->payloads.record_size);
    }
    if (p.storage != PEXCZ_STORAGE_RAW && !are_frames(&p)) {
        return pexcz_blob_corrupt(blob, err, "compressed payload", p.offset);
    }
    *ret = (struct extent){p.offset, p.offset + p.stored.len};
    return pexcz_blob_content(blob, index, scratch, &content, err);
}

/* Payloads do not overlap, and between them are zeros. */
static int
verify_gaps(const struct pexcz_blob *blob, struct extent *extents,
            uint32_t count, struct pexcz_error *err)
{
    uint64_t end = blob->data.offset;

    if (count != 0) {
        qsort(extents, count, sizeof(*extents), compare_extents);
    }
    for (uint32_t i = 0; i < count; i++) {
        int rc;

        if (extents[i].from < end) {
            return pexcz_blob_corrupt(blob, err, "overlapping payload",
                                      extents[i].from);
        }
        rc = verify_zero(blob, end, extents[i].from, err);
        if (rc < 0) {
            return rc;
        }
        end = extents[i].to;
    }
    return verify_zero(blob, end, blob->data.offset + blob->data_size, err);
}

static int
verify_payloads(const struct pexcz_blob *blob, struct pexcz_error *err)
{
    uint32_t count = blob->payloads.count;
    struct extent *extents = pexcz_alloc_array(count, sizeof(*extents));
    struct pexcz_buf scratch = {0};
    int rc = PEXCZ_OK;

    if (extents == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "%s: out of memory",
                          blob->name);
    }
    for (uint32_t i = 0; rc == 0 && i < count; i++) {
        rc = verify_payload(blob, i, &scratch, &extents[i], err);
    }
    if (rc == 0) {
        rc = verify_gaps(blob, extents, count, err);
    }
    pexcz_buf_done(&scratch);
    free(extents);
    return rc;
}

/* --- copies ------------------------------------------------------------- */

/* In order, none twice, and of this blob's raw payloads. */
static int
verify_copies(const struct pexcz_blob *blob, struct pexcz_error *err)
{
    uint64_t last = 0;

    for (uint32_t i = 0; i < blob->copies.count; i++) {
        uint64_t where
            = blob->copies.offset + (uint64_t)i * blob->copies.record_size;
        struct pexcz_copy_f f;
        struct pexcz_payload p;
        uint64_t hash;
        int rc;

        if (!pexcz_blob_record(blob, &blob->copies, i, &f, sizeof(f), err)) {
            return PEXCZ_E_CORRUPT;
        }
        rc = pexcz_blob_payload(blob, pexcz_le32_get(f.payload), &p, err);
        if (rc < 0) {
            return rc;
        }
        hash = pexcz_le64_get(f.hash);
        if ((i != 0 && hash <= last) || p.storage != PEXCZ_STORAGE_RAW
            || (pexcz_blob_is_minor_known(blob)
                && pexcz_le32_get(f.reserved0) != 0)) {
            return pexcz_blob_corrupt(blob, err, "copy record", where);
        }
        last = hash;
    }
    return PEXCZ_OK;
}

/* --- boot settings ------------------------------------------------------ */

static int
verify_boot(const struct pexcz_blob *blob, struct pexcz_error *err)
{
    uint64_t seen = 0; /* bits: keys that may not come again */
    uint32_t cursor = 0;

    while (cursor < blob->boot.count) {
        uint64_t where = blob->boot.offset + cursor;
        struct pexcz_slice value;
        uint64_t end;
        uint32_t key;
        int rc;

        if (!pexcz_blob_boot_next(blob, &cursor, &key, &value)) {
            return pexcz_blob_corrupt(blob, err, "boot record", where);
        }
        end = where + sizeof(struct pexcz_boot_f) + value.len;
        if (((end - blob->boot.offset + 3) & ~UINT64_C(3))
            > blob->boot.count) {
            return pexcz_blob_corrupt(blob, err, "boot record", where);
        }
        rc = verify_zero(blob, end, blob->boot.offset + cursor, err);
        if (rc < 0) {
            return rc;
        }
        if (!pexcz_blob_boot_repeats(key)) {
            if ((seen >> key & 1) != 0) {
                return pexcz_blob_corrupt(blob, err, "repeated boot record",
                                          where);
            }
            seen |= UINT64_C(1) << key;
        }
    }
    return PEXCZ_OK;
}

/* --- all ---------------------------------------------------------------- */

int
pexcz_blob_verify(const struct pexcz_blob *blob, struct pexcz_error *err)
{
    static int (*const parts[])(const struct pexcz_blob *,
                                struct pexcz_error *)
        = {verify_layout,
           verify_header,
           verify_pages,
           verify_payloads,
           verify_copies,
           pexcz_blob_verify_entries,
           pexcz_blob_verify_modules,
           pexcz_blob_verify_libraries,
           verify_boot};
    struct pexcz_error local;

    err = err != NULL ? err : &local;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        int rc = parts[i](blob, err);

        if (rc < 0) {
            return rc;
        }
    }
    return PEXCZ_OK;
}
