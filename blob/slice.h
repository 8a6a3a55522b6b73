/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A borrowed range of bytes.
 *
 * A slice never owns: the comment of whoever hands one out names the owner
 * that it must not outlive.  A slice of length 0 may have any pointer.
 */
#ifndef PEXCZ_SLICE_H
#define PEXCZ_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct pexcz_slice {
    const uint8_t *ptr;
    size_t len;
};

static inline struct pexcz_slice
pexcz_slice_make(const void *ptr, size_t len)
{
    struct pexcz_slice s = {(const uint8_t *)ptr, len};
    return s;
}

static inline struct pexcz_slice
pexcz_slice_str(const char *str)
{
    return pexcz_slice_make(str, strlen(str));
}

/*
 * The part [off, off + len) of `in`.  False, and *ret untouched, when it does
 * not lie inside; offsets and lengths from a file go through here.
 */
static inline bool
pexcz_slice_sub(struct pexcz_slice in, uint64_t off, uint64_t len,
                struct pexcz_slice *ret)
{
    if (off > in.len || len > in.len - off) {
        return false;
    }
    *ret = pexcz_slice_make(in.ptr + off, (size_t)len);
    return true;
}

/* The part before the first byte `end`, or all of it; it and that byte are
 * taken from *rest.  A line of a text, a field of a line. */
static inline struct pexcz_slice
pexcz_slice_take(struct pexcz_slice *rest, uint8_t end)
{
    const uint8_t *at
        = rest->len == 0 ? NULL
                         : (const uint8_t *)memchr(rest->ptr, end, rest->len);
    struct pexcz_slice part = *rest;

    if (at == NULL) {
        *rest = pexcz_slice_make(rest->ptr, 0);
        return part;
    }
    part.len = (size_t)(at - rest->ptr);
    *rest = pexcz_slice_make(at + 1, rest->len - part.len - 1);
    return part;
}

static inline bool
pexcz_slice_eq(struct pexcz_slice a, struct pexcz_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Byte order, the shorter one first among equals: the order of the format. */
static inline int
pexcz_slice_cmp(struct pexcz_slice a, struct pexcz_slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n == 0 ? 0 : memcmp(a.ptr, b.ptr, n);

    if (c != 0) {
        return c;
    }
    return (a.len > b.len) - (a.len < b.len);
}

#endif
