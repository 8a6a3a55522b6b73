/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checked access to the bytes of a blob: shared by the reader's files, not
 * for others.
 */
#ifndef PEXCZ_BLOB_ACCESS_H
#define PEXCZ_BLOB_ACCESS_H

#include "blob_reader.h"

/* Fills err (may be NULL), calls on_corrupt, returns PEXCZ_E_CORRUPT. */
int pexcz_blob_corrupt(const struct pexcz_blob *blob, struct pexcz_error *err,
                       const char *what, uint64_t where);

/* The "already verified" bits: index pages first, then payloads. */
bool pexcz_blob_bit_get(const struct pexcz_blob *blob, size_t bit);
void pexcz_blob_bit_set(const struct pexcz_blob *blob, size_t bit);

/* `len` bytes of the index at `offset` (from the start of the blob) after
 * checking their pages; NULL when they are corrupt or outside. */
const uint8_t *pexcz_blob_index_bytes(const struct pexcz_blob *blob,
                                      uint64_t offset, uint64_t len,
                                      struct pexcz_error *err);

/* Copies the first `size` bytes of record `i`; err must not be NULL when the
 * caller wants to know why it failed. */
bool pexcz_blob_record(const struct pexcz_blob *blob,
                       const struct pexcz_range *range, uint32_t i, void *dst,
                       size_t size, struct pexcz_error *err);

/* Cuts the first frame off `rest`, at most `left` bytes of content. */
bool pexcz_blob_frame_next(struct pexcz_slice *rest, uint64_t left,
                           struct pexcz_slice *ret, size_t *ret_size);

#endif
