/* SPDX-License-Identifier: Apache-2.0 */
#include "blob_access.h"
#include "threads.h"
#include "write_at.h"

#include <pthread.h>
#include <stdlib.h>
#include <zstd.h>

bool
pexcz_blob_frame_next(struct pexcz_slice *rest, uint64_t left,
                      struct pexcz_slice *ret, size_t *ret_size)
{
    size_t stored = ZSTD_findFrameCompressedSize(rest->ptr, rest->len);
    unsigned long long size = ZSTD_getFrameContentSize(rest->ptr, rest->len);

    if (ZSTD_isError(stored) || size > PEXCZ_MAX_FRAME || size > left) {
        return false;
    }
    *ret = pexcz_slice_make(rest->ptr, stored);
    *ret_size = (size_t)size;
    *rest = pexcz_slice_make(rest->ptr + stored, rest->len - stored);
    return true;
}

/* A payload whose frames several threads write. */
struct inflating {
    const struct pexcz_payload *payload;
    int fd;
    pthread_mutex_t lock;    /* of what follows */
    struct pexcz_slice rest; /* frames that nobody has taken */
    uint64_t given;          /* bytes of content in those taken */
    bool corrupt;
    bool failed;
    struct pexcz_error error; /* where it failed first */
};

static void
note_corrupt(struct inflating *f)
{
    (void)pthread_mutex_lock(&f->lock);
    f->corrupt = true;
    (void)pthread_mutex_unlock(&f->lock);
}

static void
note_failure(struct inflating *f, const struct pexcz_error *err)
{
    (void)pthread_mutex_lock(&f->lock);
    if (!f->failed) {
        f->failed = true;
        f->error = *err;
    }
    (void)pthread_mutex_unlock(&f->lock);
}

/* False: none is left, or it failed. */
static bool
take_frame(struct inflating *f, struct pexcz_slice *ret, uint64_t *ret_at,
           size_t *ret_size)
{
    bool taken = false;

    (void)pthread_mutex_lock(&f->lock);
    if (!f->failed && !f->corrupt && f->rest.len != 0) {
        taken = pexcz_blob_frame_next(&f->rest, f->payload->size - f->given,
                                      ret, ret_size);
        f->corrupt = !taken;
    }
    if (taken) {
        *ret_at = f->given;
        f->given += *ret_size;
    }
    (void)pthread_mutex_unlock(&f->lock);
    return taken;
}

/* Takes frames until none is left. */
static void
write_frames(void *context)
{
    struct inflating *f = context;
    uint64_t most = f->payload->size < PEXCZ_MAX_FRAME ? f->payload->size
                                                       : PEXCZ_MAX_FRAME;
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    uint8_t *buffer = malloc(most != 0 ? (size_t)most : 1);
    bool able = ctx != NULL && buffer != NULL;
    struct pexcz_slice stored;
    uint64_t at;
    size_t size;

    while (able && take_frame(f, &stored, &at, &size)) {
        struct pexcz_error err;

        if (ZSTD_decompressDCtx(ctx, buffer, size, stored.ptr, stored.len)
            != size) {
            note_corrupt(f);
        }
        else if (pexcz_write_at(f->fd, buffer, size, at, &err) < 0) {
            note_failure(f, &err);
        }
    }
    free(buffer);
    (void)ZSTD_freeDCtx(ctx);
}

static int
inflate_to(const struct pexcz_blob *blob, const struct pexcz_payload *p,
           int fd, struct pexcz_error *err)
{
    struct inflating f = {
        .payload = p,
        .fd = fd,
        .rest = p->stored,
    };
    uint64_t frames = (p->size + PEXCZ_MAX_FRAME - 1) / PEXCZ_MAX_FRAME;
    unsigned int threads = frames > 1 ? pexcz_processor_count() : 1;

    (void)pthread_mutex_init(&f.lock, NULL);
    pexcz_run_in_threads(threads > frames ? (unsigned int)frames : threads,
                         write_frames, &f);
    (void)pthread_mutex_destroy(&f.lock);
    if (f.failed) {
        *err = f.error;
        return err->code;
    }
    if (f.corrupt || (f.rest.len == 0 && f.given != p->size)) {
        return pexcz_blob_corrupt(blob, err, "compressed payload", p->offset);
    }
    return f.rest.len == 0 ? PEXCZ_OK
                           : pexcz_fail(err, PEXCZ_E_NOMEM, 0,
                                        "%s: out of memory", blob->name);
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
        rc = pexcz_write_at(fd, content.ptr, content.len, 0, err);
    }
    pexcz_buf_done(&scratch);
    return rc;
}
