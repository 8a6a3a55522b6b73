/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 checks, and text of unknown origin made fit for a message.
 */
#ifndef PEXCZ_UTF8_H
#define PEXCZ_UTF8_H

#include "slice.h"

/* Well-formed as RFC 3629 says: no surrogates, no overlong forms. */
bool pexcz_utf8_valid(struct pexcz_slice s);

/*
 * Writes `s` to `ret` (`size` bytes, NUL-terminated), with "\xNN" for control
 * characters, backslashes and bytes that are not UTF-8, cut with "..." when
 * it does not fit.  size >= 8.
 */
void pexcz_utf8_escape(struct pexcz_slice s, char *ret, size_t size);

/* A finished message, in place: what could steer a terminal becomes '?'.
 * Line ends stay before an indented line only: those are ours. */
void pexcz_utf8_clean(char *text);

#endif
