/* SPDX-License-Identifier: Apache-2.0 */
#include "blob_access.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

/* What is decompressed before it is written: stays in the second-level cache,
 * and system calls do not count. */
#define CHUNK_SIZE ((size_t)256 << 10)

static int
write_all(int fd, struct pexcz_slice bytes, struct pexcz_error *err)
{
    while (bytes.len != 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return pexcz_fail(err, PEXCZ_E_IO, n < 0 ? errno : ENOSPC,
                              "cannot write");
        }
        bytes = pexcz_slice_make(bytes.ptr + n, bytes.len - (size_t)n);
    }
    return PEXCZ_OK;
}

static int
inflate_to(const struct pexcz_blob *blob, const struct pexcz_payload *p,
           int fd, struct pexcz_error *err)
{
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    uint8_t *chunk = malloc(CHUNK_SIZE);
    ZSTD_inBuffer in = {p->stored.ptr, p->stored.len, 0};
    uint64_t done = 0;
    size_t left = 1; /* of the frame */
    int rc = PEXCZ_OK;

    if (ctx == NULL || chunk == NULL) {
        rc = pexcz_fail(err, PEXCZ_E_NOMEM, 0, "%s: out of memory",
                        blob->name);
    }
    while (rc == PEXCZ_OK && left != 0) {
        ZSTD_outBuffer out = {chunk, CHUNK_SIZE, 0};
        size_t before = in.pos;

        left = ZSTD_decompressStream(ctx, &out, &in);
        done += out.pos;
        if (ZSTD_isError(left) || done > p->size
            || (left != 0 && out.pos == 0 && in.pos == before)) {
            rc = pexcz_blob_corrupt(blob, err, "compressed payload",
                                    p->offset);
            break;
        }
        rc = write_all(fd, pexcz_slice_make(chunk, out.pos), err);
    }
    if (rc == PEXCZ_OK && done != p->size) {
        rc = pexcz_blob_corrupt(blob, err, "compressed payload", p->offset);
    }
    free(chunk);
    (void)ZSTD_freeDCtx(ctx);
    return rc;
}

int
pexcz_blob_content_to(const struct pexcz_blob *blob, uint32_t payload, int fd,
                      struct pexcz_error *err)
{
    struct pexcz_buf scratch = {0};
    struct pexcz_slice content;
    struct pexcz_payload p;
    int rc = pexcz_blob_payload(blob, payload, &p, err);

    if (rc < 0) {
        return rc;
    }
    if (p.storage == PEXCZ_STORAGE_ZSTD) {
        return inflate_to(blob, &p, fd, err);
    }
    rc = pexcz_blob_content(blob, payload, &scratch, &content, err);
    if (rc == PEXCZ_OK) {
        rc = write_all(fd, content, err);
    }
    pexcz_buf_done(&scratch);
    return rc;
}
