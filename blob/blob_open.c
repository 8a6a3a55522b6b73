/* SPDX-License-Identifier: Apache-2.0 */
#include "blob_access.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zstd.h>

static struct pexcz_range *
range_of_kind(struct pexcz_blob *blob, uint32_t kind, uint32_t *ret_min_size)
{
    *ret_min_size = 1;
    switch ((enum pexcz_section_kind)kind) {
    case PEXCZ_SECTION_ENTRIES:
        *ret_min_size = sizeof(struct pexcz_entry_f);
        return &blob->entries;
    case PEXCZ_SECTION_PATH_HASH:
        *ret_min_size = sizeof(struct pexcz_slot_f);
        return &blob->path_hash;
    case PEXCZ_SECTION_MODULES:
        *ret_min_size = sizeof(struct pexcz_module_f);
        return &blob->modules;
    case PEXCZ_SECTION_MODULE_HASH:
        *ret_min_size = sizeof(struct pexcz_slot_f);
        return &blob->module_hash;
    case PEXCZ_SECTION_PAYLOADS:
        *ret_min_size = sizeof(struct pexcz_payload_f);
        return &blob->payloads;
    case PEXCZ_SECTION_STRINGS:
        return &blob->strings;
    case PEXCZ_SECTION_BOOT:
        return &blob->boot;
    case PEXCZ_SECTION_DICT:
        return &blob->dict;
    case PEXCZ_SECTION_PAYLOAD_DATA:
        return &blob->data;
    case PEXCZ_SECTION_LIBRARIES:
        *ret_min_size = sizeof(struct pexcz_library_f);
        return &blob->libraries;
    case PEXCZ_SECTION_NEEDS:
        *ret_min_size = sizeof(struct pexcz_need_f);
        return &blob->needs;
    case PEXCZ_SECTION_COPIES:
        *ret_min_size = sizeof(struct pexcz_copy_f);
        return &blob->copies;
    }
    return NULL;
}

static int
read_section(struct pexcz_blob *blob, const struct pexcz_section_f *s,
             uint64_t where, struct pexcz_error *err)
{
    uint64_t total = pexcz_blob_size(blob);
    uint64_t index_end
        = blob->index_offset + (uint64_t)blob->page_count * PEXCZ_BLOB_PAGE;
    uint64_t offset = pexcz_le64_get(s->offset);
    uint64_t size = pexcz_le64_get(s->size);
    uint32_t record_size = pexcz_le32_get(s->record_size);
    uint32_t kind = pexcz_le32_get(s->kind);
    uint32_t min_size;
    struct pexcz_range *range = range_of_kind(blob, kind, &min_size);
    bool in_index = kind != PEXCZ_SECTION_PAYLOAD_DATA;

    if (range == NULL) {
        return PEXCZ_OK; /* of a later minor version */
    }
    if (range->record_size != 0 || record_size < min_size
        || (min_size == 1 && record_size != 1) || offset > total
        || size > total - offset || size % record_size != 0
        || offset % 64 != 0) {
        return pexcz_blob_corrupt(blob, err, "section record", where);
    }
    if (in_index
        && (offset < blob->index_offset || offset > index_end
            || size > index_end - offset
            || size / record_size >= PEXCZ_NONE)) {
        return pexcz_blob_corrupt(blob, err, "section outside the index",
                                  where);
    }
    range->offset = offset;
    range->record_size = record_size;
    range->count = in_index ? (uint32_t)(size / record_size) : 0;
    if (!in_index) {
        blob->data_size = size;
    }
    return PEXCZ_OK;
}

static bool
hash_table_ok(const struct pexcz_range *slots, const struct pexcz_range *of)
{
    return slots->count != 0 && (slots->count & (slots->count - 1)) == 0
           && of->count <= slots->count / 2;
}

static int
check_header(struct pexcz_blob *blob, const struct pexcz_blob_header_f *h,
             struct pexcz_error *err)
{
    struct pexcz_blob_header_f copy = *h;
    uint32_t header_size = pexcz_le16_get(h->header_size);
    uint32_t section_size = pexcz_le16_get(h->section_size);
    uint32_t section_count = pexcz_le16_get(h->section_count);
    uint64_t total = pexcz_le64_get(h->total_size);
    uint64_t table_size = (uint64_t)section_count * section_size;
    uint64_t sums_size;
    XXH3_state_t state;

    if (memcmp(h->magic, PEXCZ_BLOB_MAGIC, PEXCZ_BLOB_MAGIC_SIZE) != 0) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0, "%s: not a pexcz blob",
                          blob->name);
    }
    if (pexcz_le16_get(h->major) != PEXCZ_BLOB_MAJOR
        || pexcz_le32_get(h->incompat_flags) != 0) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "%s: blob format %u.%u (flags %#x) needs a newer "
                          "pexcz",
                          blob->name, pexcz_le16_get(h->major),
                          pexcz_le16_get(h->minor),
                          pexcz_le32_get(h->incompat_flags));
    }
    if (total > blob->bytes.len) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: cut short: %zu of %llu bytes are there",
                          blob->name, blob->bytes.len,
                          (unsigned long long)total);
    }
    if (header_size < sizeof(*h) || total < PEXCZ_BLOB_PAGE
        || section_size < sizeof(struct pexcz_section_f)
        || section_count > PEXCZ_MAX_SECTIONS
        || header_size + table_size > PEXCZ_BLOB_PAGE) {
        return pexcz_blob_corrupt(blob, err, "header", 0);
    }
    blob->bytes.len = (size_t)total;
    blob->index_offset = pexcz_le64_get(h->index_offset);
    blob->page_count = pexcz_le32_get(h->page_count);
    blob->sums_offset = pexcz_le64_get(h->sums_offset);
    sums_size = (uint64_t)blob->page_count * sizeof(pexcz_le64);
    if (blob->index_offset % PEXCZ_BLOB_PAGE != 0 || blob->index_offset > total
        || blob->page_count > (total - blob->index_offset) / PEXCZ_BLOB_PAGE
        || blob->sums_offset > total
        || sums_size > total - blob->sums_offset) {
        return pexcz_blob_corrupt(blob, err, "header", 0);
    }
    copy.hash = pexcz_le64_put(0);
    (void)XXH3_64bits_reset(&state);
    (void)XXH3_64bits_update(&state, &copy, sizeof(copy));
    (void)XXH3_64bits_update(&state, blob->bytes.ptr + sizeof(copy),
                             header_size - sizeof(copy) + table_size);
    (void)XXH3_64bits_update(&state, blob->bytes.ptr + blob->sums_offset,
                             sums_size);
    if (XXH3_64bits_digest(&state) != pexcz_le64_get(h->hash)) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: corrupt header: its hash does not match",
                          blob->name);
    }
    return PEXCZ_OK;
}

static int
read_sections(struct pexcz_blob *blob, const struct pexcz_blob_header_f *h,
              struct pexcz_error *err)
{
    uint32_t step = pexcz_le16_get(h->section_size);
    uint32_t count = pexcz_le16_get(h->section_count);
    uint32_t where = pexcz_le16_get(h->header_size);

    for (uint32_t i = 0; i < count; i++, where += step) {
        struct pexcz_section_f s;
        int rc;

        memcpy(&s, blob->bytes.ptr + where, sizeof(s));
        rc = read_section(blob, &s, where, err);
        if (rc < 0) {
            return rc;
        }
    }
    if (blob->entries.count == 0 || blob->entries.count > PEXCZ_MAX_ENTRIES
        || blob->strings.record_size == 0 || blob->data.record_size == 0
        || blob->payloads.count >= PEXCZ_NONE
        || !hash_table_ok(&blob->path_hash, &blob->entries)
        || !hash_table_ok(&blob->module_hash, &blob->modules)) {
        return pexcz_blob_corrupt(blob, err, "section table", sizeof(*h));
    }
    return PEXCZ_OK;
}

int
pexcz_blob_open(struct pexcz_blob *blob, struct pexcz_slice bytes,
                const char *name, struct pexcz_error *err)
{
    struct pexcz_blob_header_f h;
    size_t bits;
    int rc;

    *blob = (struct pexcz_blob){.bytes = bytes, .name = name};
    if (bytes.len < sizeof(h)) {
        rc = pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                        "%s: cut short: no room for a header", name);
        goto out;
    }
    memcpy(&h, bytes.ptr, sizeof(h));
    rc = check_header(blob, &h, err);
    if (rc < 0) {
        goto out;
    }
    rc = read_sections(blob, &h, err);
    if (rc < 0) {
        goto out;
    }
    blob->machine = pexcz_le16_get(h.machine);
    blob->python_major = pexcz_le16_get(h.python_major);
    blob->python_minor = pexcz_le16_get(h.python_minor);
    blob->python_magic = pexcz_le32_get(h.python_magic);
    memcpy(blob->id, h.id, sizeof(blob->id));
    bits = (size_t)blob->page_count + blob->payloads.count;
    blob->verified = calloc(bits / 8 + 1, 1);
    blob->ddict = calloc(1, sizeof(*blob->ddict));
    if (blob->verified == NULL || blob->ddict == NULL) {
        rc = pexcz_fail(err, PEXCZ_E_NOMEM, 0, "%s: out of memory", name);
    }

out:
    if (rc < 0) {
        pexcz_blob_close(blob);
    }
    return rc;
}

void
pexcz_blob_close(struct pexcz_blob *blob)
{
    free(blob->verified);
    if (blob->ddict != NULL) {
        (void)ZSTD_freeDDict(blob->ddict[0]);
        free(blob->ddict);
    }
    *blob = (struct pexcz_blob){0};
}

uint64_t
pexcz_blob_size(const struct pexcz_blob *blob)
{
    return blob->bytes.len;
}

uint32_t
pexcz_blob_entry_count(const struct pexcz_blob *blob)
{
    return blob->entries.count;
}

uint32_t
pexcz_blob_module_count(const struct pexcz_blob *blob)
{
    return blob->modules.count;
}

uint32_t
pexcz_blob_payload_count(const struct pexcz_blob *blob)
{
    return blob->payloads.count;
}

uint64_t
pexcz_blob_hash(struct pexcz_slice path)
{
    return XXH3_64bits(path.ptr, path.len);
}
