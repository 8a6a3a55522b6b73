/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8.h"

#include <stdio.h>

/* Bytes of the well-formed sequence at s.ptr[i], 0 if there is none. */
static size_t
sequence_size(struct pexcz_slice s, size_t i)
{
    uint8_t c = s.ptr[i];
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    size_t n;

    if (c < 0x80) {
        return 1;
    }
    if (c >= 0xc2 && c <= 0xdf) {
        n = 2;
    }
    else if (c >= 0xe0 && c <= 0xef) {
        n = 3;
        low = c == 0xe0 ? 0xa0 : low;
        high = c == 0xed ? 0x9f : high;
    }
    else if (c >= 0xf0 && c <= 0xf4) {
        n = 4;
        low = c == 0xf0 ? 0x90 : low;
        high = c == 0xf4 ? 0x8f : high;
    }
    else {
        return 0;
    }
    if (s.len - i < n || s.ptr[i + 1] < low || s.ptr[i + 1] > high) {
        return 0;
    }
    for (size_t k = 2; k < n; k++) {
        if ((s.ptr[i + k] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return n;
}

bool
pexcz_utf8_valid(struct pexcz_slice s)
{
    for (size_t i = 0; i < s.len;) {
        size_t n = sequence_size(s, i);

        if (n == 0) {
            return false;
        }
        i += n;
    }
    return true;
}

/* Fit for a terminal; `n` is the size of the sequence at s.ptr[i]. */
static bool
is_plain(struct pexcz_slice s, size_t i, size_t n)
{
    uint8_t c = s.ptr[i];

    if (n == 2 && c == 0xc2 && s.ptr[i + 1] < 0xa0) {
        return false; /* C1 control characters steer terminals too */
    }
    return n > 1 || (n == 1 && c >= 0x20 && c < 0x7f);
}

void
pexcz_utf8_clean(char *text)
{
    struct pexcz_slice s = pexcz_slice_str(text);

    for (size_t i = 0; i < s.len;) {
        size_t n = sequence_size(s, i);

        if (is_plain(s, i, n) || (text[i] == '\n' && text[i + 1] == ' ')) {
            i += n;
        }
        else {
            memset(text + i, '?', n > 1 ? n : 1);
            i++;
        }
    }
}

void
pexcz_utf8_escape(struct pexcz_slice s, char *ret, size_t size)
{
    size_t at = 0;
    size_t i = 0;

    /* 4 for the longest piece, 4 for "..." and the NUL. */
    while (i < s.len && size - at >= 8) {
        size_t n = sequence_size(s, i);

        if (is_plain(s, i, n) && s.ptr[i] != '\\') {
            memcpy(ret + at, s.ptr + i, n);
            at += n;
            i += n;
        }
        else {
            (void)snprintf(ret + at, 5, "\\x%02x", s.ptr[i]);
            at += 4;
            i++;
        }
    }
    if (i < s.len) {
        memcpy(ret + at, "...", 3);
        at += 3;
    }
    ret[at] = '\0';
}
