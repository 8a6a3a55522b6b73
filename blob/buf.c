/* SPDX-License-Identifier: Apache-2.0 */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
pexcz_buf_done(struct pexcz_buf *buf)
{
    free(buf->ptr);
    *buf = (struct pexcz_buf){0};
}

int
pexcz_buf_reserve(struct pexcz_buf *buf, size_t extra, struct pexcz_error *err)
{
    size_t need;
    size_t cap;
    uint8_t *p;

    if (extra <= buf->cap - buf->len) {
        return PEXCZ_OK;
    }
    if (__builtin_add_overflow(buf->len, extra, &need)
        || need > SIZE_MAX / 2) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    cap = buf->cap + buf->cap / 2;
    cap = cap < need ? need : cap;
    cap = cap < 256 ? 256 : cap;
    p = realloc(buf->ptr, cap);
    if (p == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0,
                          "out of memory (%zu bytes wanted)", cap);
    }
    buf->ptr = p;
    buf->cap = cap;
    return PEXCZ_OK;
}

int
pexcz_buf_append(struct pexcz_buf *buf, const void *ptr, size_t len,
                 struct pexcz_error *err)
{
    if (pexcz_buf_reserve(buf, len, err) < 0) {
        return PEXCZ_E_NOMEM;
    }
    if (len != 0) {
        memcpy(buf->ptr + buf->len, ptr, len);
        buf->len += len;
    }
    return PEXCZ_OK;
}

int
pexcz_buf_append_str(struct pexcz_buf *buf, const char *str,
                     struct pexcz_error *err)
{
    return pexcz_buf_append(buf, str, strlen(str), err);
}

int
pexcz_buf_printf(struct pexcz_buf *buf, struct pexcz_error *err,
                 const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) {
        return pexcz_fail(err, PEXCZ_E_INTERNAL, 0, "bad format");
    }
    if (pexcz_buf_reserve(buf, (size_t)n + 1, err) < 0) {
        return PEXCZ_E_NOMEM;
    }
    va_start(ap, fmt);
    (void)vsnprintf((char *)buf->ptr + buf->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    buf->len += (size_t)n;
    return PEXCZ_OK;
}

int
pexcz_buf_align(struct pexcz_buf *buf, size_t align, struct pexcz_error *err)
{
    size_t pad = (align - (buf->len & (align - 1))) & (align - 1);

    if (pexcz_buf_reserve(buf, pad, err) < 0) {
        return PEXCZ_E_NOMEM;
    }
    if (pad != 0) {
        memset(buf->ptr + buf->len, 0, pad);
        buf->len += pad;
    }
    return PEXCZ_OK;
}

void *
pexcz_alloc_array(size_t n, size_t size)
{
    return calloc(n == 0 ? 1 : n, size);
}

int
pexcz_grow_array(void **items, size_t n, size_t *cap, size_t size,
                 struct pexcz_error *err)
{
    size_t want = *cap < 16 ? 16 : *cap;
    size_t bytes;
    void *p;

    if (n < *cap) {
        return PEXCZ_OK;
    }
    if (__builtin_add_overflow(want, want / 2, &want)
        || __builtin_mul_overflow(want, size, &bytes)) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    p = realloc(*items, bytes);
    if (p == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0,
                          "out of memory (%zu bytes wanted)", bytes);
    }
    *items = p;
    *cap = want;
    return PEXCZ_OK;
}

char *
pexcz_slice_dup(struct pexcz_slice s)
{
    char *p;

    if (s.len != 0 && memchr(s.ptr, 0, s.len) != NULL) {
        return NULL;
    }
    p = malloc(s.len + 1);
    if (p == NULL) {
        return NULL;
    }
    if (s.len != 0) {
        memcpy(p, s.ptr, s.len);
    }
    p[s.len] = '\0';
    return p;
}
