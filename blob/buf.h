/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer that owns its memory, and checked array allocation.
 *
 * After any failure the buffer is unchanged and still valid.  Zero-initialise
 * it ({0}) and call pexcz_buf_done() once; both are safe on an empty one.
 */
#ifndef PEXCZ_BUF_H
#define PEXCZ_BUF_H

#include "error.h"
#include "slice.h"

struct pexcz_buf {
    uint8_t *ptr;
    size_t len;
    size_t cap;
};

void pexcz_buf_done(struct pexcz_buf *buf);

/* Room for `extra` more bytes; ptr may move. */
PEXCZ_MUST_USE int pexcz_buf_reserve(struct pexcz_buf *buf, size_t extra,
                                     struct pexcz_error *err);
PEXCZ_MUST_USE int pexcz_buf_append(struct pexcz_buf *buf, const void *ptr,
                                    size_t len, struct pexcz_error *err);
PEXCZ_MUST_USE int pexcz_buf_append_str(struct pexcz_buf *buf, const char *str,
                                        struct pexcz_error *err);
PEXCZ_MUST_USE int pexcz_buf_printf(struct pexcz_buf *buf,
                                    struct pexcz_error *err, const char *fmt,
                                    ...) __attribute__((format(printf, 3, 4)));
/* Zero bytes up to the next multiple of `align`, a power of two. */
PEXCZ_MUST_USE int pexcz_buf_align(struct pexcz_buf *buf, size_t align,
                                   struct pexcz_error *err);

/* Borrowed until the next change of the buffer. */
static inline struct pexcz_slice
pexcz_buf_slice(const struct pexcz_buf *buf)
{
    return pexcz_slice_make(buf->ptr, buf->len);
}

/*
 * Zeroed memory for n items of `size` bytes; NULL when n * size overflows or
 * memory is gone.  n == 0 gives a non-NULL pointer.  Caller frees with free().
 */
void *pexcz_alloc_array(size_t n, size_t size);

/*
 * Grow *items (n in use, *cap allocated) so that one more fits.  For arrays
 * that are appended to; *items may move.
 */
PEXCZ_MUST_USE int pexcz_grow_array(void **items, size_t n, size_t *cap,
                                    size_t size, struct pexcz_error *err);

/* A NUL-terminated heap copy; NULL when memory is gone or s holds a NUL. */
char *pexcz_slice_dup(struct pexcz_slice s);

#endif
