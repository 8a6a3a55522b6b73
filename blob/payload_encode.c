/* SPDX-License-Identifier: Apache-2.0 */
#include "blob_writer.h"

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zstd.h>

struct pexcz_content_key
pexcz_content_key_of(struct pexcz_slice content)
{
    XXH128_hash_t h = XXH3_128bits(content.ptr, content.len);
    struct pexcz_content_key key = {h.low64, h.high64, content.len};

    return key;
}

/* Frames of a size that several threads can decompress at once. */
static int
compress(struct pexcz_slice content, int level, const void *cdict,
         struct pexcz_encoded *enc, struct pexcz_error *err)
{
    ZSTD_CCtx *ctx = ZSTD_createCCtx();
    int rc = PEXCZ_OK;

    if (ctx == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    while (rc == PEXCZ_OK && content.len != 0) {
        size_t size
            = content.len < PEXCZ_MAX_FRAME ? content.len : PEXCZ_MAX_FRAME;
        size_t bound = ZSTD_compressBound(size);
        uint8_t *to;
        size_t n;

        rc = pexcz_buf_reserve(&enc->buf, bound, err);
        if (rc < 0) {
            break;
        }
        to = enc->buf.ptr + enc->buf.len;
        n = cdict != NULL
                ? ZSTD_compress_usingCDict(ctx, to, bound, content.ptr, size,
                                           cdict)
                : ZSTD_compressCCtx(ctx, to, bound, content.ptr, size, level);
        if (ZSTD_isError(n)) {
            rc = pexcz_fail(err, PEXCZ_E_INTERNAL, 0, "zstd: %s",
                            ZSTD_getErrorName(n));
            break;
        }
        enc->buf.len += n;
        content = pexcz_slice_make(content.ptr + size, content.len - size);
    }
    (void)ZSTD_freeCCtx(ctx);
    return rc;
}

int
pexcz_payload_encode(struct pexcz_slice content, enum pexcz_encoding how,
                     int level, const void *cdict, struct pexcz_encoded *ret,
                     struct pexcz_error *err)
{
    *ret = (struct pexcz_encoded){
        .key = pexcz_content_key_of(content),
        .storage = PEXCZ_STORAGE_RAW,
        .stored = content,
    };
    if (how == PEXCZ_ENCODE_RAW || content.len < 64) {
        return PEXCZ_OK;
    }
    if (compress(content, level, cdict, ret, err) < 0) {
        pexcz_encoded_done(ret);
        return err != NULL ? (int)err->code : PEXCZ_E_NOMEM;
    }
    if (ret->buf.len > content.len - content.len / 16) {
        pexcz_buf_done(&ret->buf);
        return PEXCZ_OK;
    }
    ret->storage
        = cdict != NULL ? PEXCZ_STORAGE_ZSTD_DICT : PEXCZ_STORAGE_ZSTD;
    ret->stored = pexcz_buf_slice(&ret->buf);
    return PEXCZ_OK;
}

void
pexcz_encoded_done(struct pexcz_encoded *enc)
{
    pexcz_buf_done(&enc->buf);
    *enc = (struct pexcz_encoded){0};
}

void *
pexcz_cdict_new(struct pexcz_slice dict, int level)
{
    return dict.len != 0 ? ZSTD_createCDict(dict.ptr, dict.len, level) : NULL;
}

void
pexcz_cdict_free(void *cdict)
{
    (void)ZSTD_freeCDict(cdict);
}
