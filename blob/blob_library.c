/* SPDX-License-Identifier: Apache-2.0 */
/* Shared objects of a blob: the reader's part, and its verification. */
#include "blob_verify.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint32_t
pexcz_blob_library_count(const struct pexcz_blob *blob)
{
    return blob->libraries.count;
}

static int
bad(const struct pexcz_blob *blob, const struct pexcz_range *range,
    uint32_t index, const char *what, struct pexcz_error *err)
{
    return pexcz_blob_corrupt(
        blob, err, what, range->offset + (uint64_t)index * range->record_size);
}

/* A name in STRINGS: no NUL. */
static bool
name_at(const struct pexcz_blob *blob, pexcz_le32 offset, pexcz_le16 size,
        struct pexcz_slice *ret, struct pexcz_error *err)
{
    uint32_t at = pexcz_le32_get(offset);
    uint16_t len = pexcz_le16_get(size);
    const uint8_t *p;

    if (at > blob->strings.count || len > blob->strings.count - at) {
        return false;
    }
    p = pexcz_blob_index_bytes(blob, blob->strings.offset + at, len, err);
    if (p == NULL || memchr(p, 0, len) != NULL) {
        return false;
    }
    *ret = pexcz_slice_make(p, len);
    return true;
}

int
pexcz_blob_library(const struct pexcz_blob *blob, uint32_t index,
                   struct pexcz_library *ret, struct pexcz_error *err)
{
    struct pexcz_error local;
    struct pexcz_library_f f;
    struct pexcz_library l;

    err = err != NULL ? err : &local;
    if (!pexcz_blob_record(blob, &blob->libraries, index, &f, sizeof(f),
                           err)) {
        return err->code;
    }
    l.entry = pexcz_le32_get(f.entry);
    l.first_need = pexcz_le32_get(f.first_need);
    l.need_count = pexcz_le32_get(f.need_count);
    l.hash = pexcz_le64_get(f.hash);
    memcpy(l.group, f.group, sizeof(l.group));
    if (l.entry >= blob->entries.count || l.first_need > blob->needs.count
        || l.need_count > blob->needs.count - l.first_need
        || !name_at(blob, f.name_offset, f.name_size, &l.soname, err)) {
        return bad(blob, &blob->libraries, index, "library record", err);
    }
    *ret = l;
    return PEXCZ_OK;
}

bool
pexcz_blob_find_library(const struct pexcz_blob *blob, uint32_t entry,
                        struct pexcz_library *ret)
{
    uint32_t low = 0;
    uint32_t high = blob->libraries.count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (pexcz_blob_library(blob, middle, ret, NULL) < 0) {
            return false;
        }
        if (ret->entry == entry) {
            return true;
        }
        if (ret->entry < entry) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    return false;
}

int
pexcz_blob_need(const struct pexcz_blob *blob, uint32_t index,
                struct pexcz_need *ret, struct pexcz_error *err)
{
    struct pexcz_error local;
    struct pexcz_need_f f;
    struct pexcz_need n;

    err = err != NULL ? err : &local;
    if (!pexcz_blob_record(blob, &blob->needs, index, &f, sizeof(f), err)) {
        return err->code;
    }
    n.entry = pexcz_le32_get(f.entry);
    n.kind = (enum pexcz_need_kind)f.kind;
    if (n.entry >= blob->entries.count || f.kind < PEXCZ_NEED_LIBRARY
        || f.kind > PEXCZ_NEED_FOLDER
        || !name_at(blob, f.name_offset, f.name_size, &n.name, err)) {
        return bad(blob, &blob->needs, index, "need record", err);
    }
    *ret = n;
    return PEXCZ_OK;
}

/* --- verification ------------------------------------------------------- */

static int
verify_need(const struct pexcz_blob *blob, uint32_t index,
            struct pexcz_error *err)
{
    struct pexcz_library library;
    struct pexcz_need_f f;
    struct pexcz_need n;
    struct pexcz_entry e;
    int rc = pexcz_blob_need(blob, index, &n, err);

    if (rc == PEXCZ_OK) {
        rc = pexcz_blob_entry(blob, n.entry, &e, err);
    }
    if (rc < 0) {
        return rc;
    }
    if (!pexcz_blob_record(blob, &blob->needs, index, &f, sizeof(f), err)) {
        return err->code;
    }
    if ((pexcz_blob_is_minor_known(blob)
         && (f.reserved0 != 0 || pexcz_le32_get(f.reserved1) != 0))
        || (n.kind == PEXCZ_NEED_FOLDER
                ? e.kind != PEXCZ_KIND_DIR || n.name.len != 0
                : !pexcz_blob_find_library(blob, n.entry, &library))) {
        return bad(blob, &blob->needs, index, "need record", err);
    }
    return PEXCZ_OK;
}

static int
verify_library_content(const struct pexcz_blob *blob, uint32_t index,
                       const struct pexcz_library *l, struct pexcz_error *err)
{
    struct pexcz_buf scratch = {0};
    struct pexcz_slice content;
    struct pexcz_entry e;
    int rc = pexcz_blob_entry(blob, l->entry, &e, err);

    if (rc == PEXCZ_OK && e.kind != PEXCZ_KIND_FILE) {
        rc = bad(blob, &blob->libraries, index, "library record", err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_blob_content(blob, e.payload, &scratch, &content, err);
    }
    if (rc == PEXCZ_OK && XXH3_64bits(content.ptr, content.len) != l->hash) {
        rc = bad(blob, &blob->libraries, index, "hash of a library", err);
    }
    pexcz_buf_done(&scratch);
    return rc;
}

int
pexcz_blob_verify_libraries(const struct pexcz_blob *blob,
                            struct pexcz_error *err)
{
    uint32_t next_need = 0;
    uint32_t last_entry = 0;

    for (uint32_t i = 0; i < blob->libraries.count; i++) {
        struct pexcz_library_f f;
        struct pexcz_library l;
        int rc = pexcz_blob_library(blob, i, &l, err);

        if (rc < 0) {
            return rc;
        }
        if (!pexcz_blob_record(blob, &blob->libraries, i, &f, sizeof(f),
                               err)) {
            return err->code;
        }
        if (l.entry <= last_entry || l.first_need != next_need
            || (pexcz_blob_is_minor_known(blob)
                && (pexcz_le16_get(f.reserved0) != 0
                    || pexcz_le32_get(f.reserved1) != 0))) {
            return bad(blob, &blob->libraries, i, "library record", err);
        }
        rc = verify_library_content(blob, i, &l, err);
        if (rc < 0) {
            return rc;
        }
        last_entry = l.entry;
        next_need += l.need_count;
    }
    if (next_need != blob->needs.count) {
        return bad(blob, &blob->needs, next_need, "need record", err);
    }
    for (uint32_t i = 0; i < blob->needs.count; i++) {
        int rc = verify_need(blob, i, err);

        if (rc < 0) {
            return rc;
        }
    }
    return PEXCZ_OK;
}
