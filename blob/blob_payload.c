/* SPDX-License-Identifier: Apache-2.0 */
#include "blob_access.h"

#include <stdatomic.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zstd.h>

/* What a prepared dictionary takes besides its bytes: zstd 1.5 has 27 KB of
 * tables. */
#define ROOM_OF_DDICT ((size_t)64 << 10)

int
pexcz_blob_payload(const struct pexcz_blob *blob, uint32_t index,
                   struct pexcz_payload *ret, struct pexcz_error *err)
{
    struct pexcz_error local;
    struct pexcz_payload_f f;
    struct pexcz_payload p;
    uint64_t stored_size;
    uint64_t where
        = blob->payloads.offset + (uint64_t)index * blob->payloads.record_size;
    size_t bit = (size_t)blob->page_count + index;

    err = err != NULL ? err : &local;
    if (!pexcz_blob_record(blob, &blob->payloads, index, &f, sizeof(f), err)) {
        return err->code;
    }
    p.offset = pexcz_le64_get(f.offset);
    p.size = pexcz_le64_get(f.size);
    stored_size = pexcz_le64_get(f.stored_size);
    if (f.storage > PEXCZ_STORAGE_ZSTD_DICT || f.align_log2 < 3
        || f.align_log2 > 12 || p.size > PEXCZ_MAX_PAYLOAD
        || p.offset % (UINT64_C(1) << f.align_log2) != 0
        || (f.storage == PEXCZ_STORAGE_RAW && stored_size != p.size)
        || (f.storage == PEXCZ_STORAGE_ZSTD_DICT && blob->dict.count == 0)
        || p.offset < blob->data.offset
        || p.offset - blob->data.offset > blob->data_size
        || stored_size > blob->data_size - (p.offset - blob->data.offset)
        || !pexcz_slice_sub(blob->bytes, p.offset, stored_size, &p.stored)) {
        return pexcz_blob_corrupt(blob, err, "payload record", where);
    }
    p.hash = pexcz_le64_get(f.hash);
    p.storage = (enum pexcz_storage)f.storage;
    p.align = 1u << f.align_log2;
    if (!pexcz_blob_bit_get(blob, bit)) {
        if (XXH3_64bits(p.stored.ptr, p.stored.len) != p.hash) {
            return pexcz_blob_corrupt(blob, err, "payload", p.offset);
        }
        pexcz_blob_bit_set(blob, bit);
    }
    *ret = p;
    return PEXCZ_OK;
}

bool
pexcz_blob_find_copy(const struct pexcz_blob *blob, uint64_t hash,
                     uint32_t *ret_payload)
{
    uint32_t from = 0;
    uint32_t to = blob->copies.count;

    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        struct pexcz_copy_f f;
        uint64_t have;

        if (!pexcz_blob_record(blob, &blob->copies, middle, &f, sizeof(f),
                               NULL)) {
            return false;
        }
        have = pexcz_le64_get(f.hash);
        if (have == hash) {
            *ret_payload = pexcz_le32_get(f.payload);
            return true;
        }
        if (have < hash) {
            from = middle + 1;
        }
        else {
            to = middle;
        }
    }
    return false;
}

/* zstd says NULL alike for bytes that are no dictionary and for want of
 * memory.
 */
static int
fail_ddict(const struct pexcz_blob *blob, struct pexcz_error *err)
{
    void *room = malloc(blob->dict.count + ROOM_OF_DDICT);

    free(room);
    return room == NULL ? pexcz_fail(err, PEXCZ_E_NOMEM, 0,
                                     "%s: out of memory", blob->name)
                        : pexcz_blob_corrupt(blob, err, "dictionary",
                                             blob->dict.offset);
}

/* The prepared dictionary; two threads may prepare it, one copy stays. */
static int
get_ddict(const struct pexcz_blob *blob, const ZSTD_DDict **ret,
          struct pexcz_error *err)
{
    ZSTD_DDict *have = atomic_load_explicit(blob->ddict, memory_order_acquire);
    ZSTD_DDict *none = NULL;
    const uint8_t *bytes;

    if (have != NULL) {
        *ret = have;
        return PEXCZ_OK;
    }
    bytes = pexcz_blob_index_bytes(blob, blob->dict.offset, blob->dict.count,
                                   err);
    if (bytes == NULL) {
        return PEXCZ_E_CORRUPT;
    }
    have = ZSTD_createDDict(bytes, blob->dict.count);
    if (have == NULL) {
        return fail_ddict(blob, err);
    }
    if (!atomic_compare_exchange_strong(blob->ddict, &none, have)) {
        (void)ZSTD_freeDDict(have);
        have = none;
    }
    *ret = have;
    return PEXCZ_OK;
}

/* One context waits for its next use: a new one is 160 KB of fresh memory,
 * several times what it costs to inflate a usual module. */
static _Atomic(ZSTD_DCtx *) spare_ctx;

static ZSTD_DCtx *
take_ctx(void)
{
    ZSTD_DCtx *ctx = atomic_exchange(&spare_ctx, NULL);

    return ctx != NULL ? ctx : ZSTD_createDCtx();
}

static void
give_ctx(ZSTD_DCtx *ctx)
{
    (void)ZSTD_freeDCtx(atomic_exchange(&spare_ctx, ctx));
}

static int
inflate(const struct pexcz_blob *blob, const struct pexcz_payload *p,
        void *dst, struct pexcz_error *err)
{
    ZSTD_DCtx *ctx = take_ctx();
    const ZSTD_DDict *ddict = NULL;
    size_t n;
    int rc = PEXCZ_OK;

    if (ctx == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "%s: out of memory",
                          blob->name);
    }
    if (p->storage == PEXCZ_STORAGE_ZSTD_DICT) {
        rc = get_ddict(blob, &ddict, err);
        if (rc < 0) {
            goto out;
        }
    }
    n = ddict != NULL ? ZSTD_decompress_usingDDict(
            ctx, dst, (size_t)p->size, p->stored.ptr, p->stored.len, ddict)
                      : ZSTD_decompressDCtx(ctx, dst, (size_t)p->size,
                                            p->stored.ptr, p->stored.len);
    if (ZSTD_isError(n) || n != p->size) {
        rc = pexcz_blob_corrupt(blob, err, "compressed payload", p->offset);
    }

out:
    give_ctx(ctx);
    return rc;
}

int
pexcz_blob_content_into(const struct pexcz_blob *blob, uint32_t payload,
                        void *dst, size_t size, struct pexcz_error *err)
{
    struct pexcz_payload p;
    int rc = pexcz_blob_payload(blob, payload, &p, err);

    if (rc < 0) {
        return rc;
    }
    if (p.size != size) {
        return pexcz_fail(err, PEXCZ_E_INTERNAL, 0,
                          "%s: payload %u has %llu bytes, %zu wanted",
                          blob->name, payload, (unsigned long long)p.size,
                          size);
    }
    if (p.storage == PEXCZ_STORAGE_RAW) {
        if (size != 0) {
            memcpy(dst, p.stored.ptr, size);
        }
        return PEXCZ_OK;
    }
    return inflate(blob, &p, dst, err);
}

int
pexcz_blob_content(const struct pexcz_blob *blob, uint32_t payload,
                   struct pexcz_buf *scratch, struct pexcz_slice *ret,
                   struct pexcz_error *err)
{
    struct pexcz_payload p;
    int rc = pexcz_blob_payload(blob, payload, &p, err);

    if (rc < 0) {
        return rc;
    }
    if (p.storage == PEXCZ_STORAGE_RAW) {
        *ret = p.stored;
        return PEXCZ_OK;
    }
    scratch->len = 0;
    /* A frame of n bytes cannot hold more than this; without the check a
     * flipped size would ask for a terabyte. */
    if (p.size / 65536 > p.stored.len) {
        return pexcz_blob_corrupt(blob, err, "payload size", p.offset);
    }
    rc = pexcz_buf_reserve(scratch, (size_t)p.size, err);
    if (rc < 0) {
        return pexcz_wrap(err, "%s", blob->name);
    }
    rc = inflate(blob, &p, scratch->ptr, err);
    if (rc < 0) {
        return rc;
    }
    scratch->len = (size_t)p.size;
    *ret = pexcz_buf_slice(scratch);
    return PEXCZ_OK;
}
