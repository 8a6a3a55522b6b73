/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 (FIPS 180-4), for the RECORD rows of files that packing changes.
 */
#ifndef PEXCZ_SHA256_H
#define PEXCZ_SHA256_H

#include "slice.h"

#define PEXCZ_SHA256_SIZE 32

void pexcz_sha256(struct pexcz_slice data, uint8_t ret[PEXCZ_SHA256_SIZE]);

/* "sha256=" and the digest in URL-safe base64 without padding, as RECORD
 * files want it; NUL-terminated. */
#define PEXCZ_RECORD_HASH_SIZE 51
void pexcz_record_hash(struct pexcz_slice data,
                       char ret[PEXCZ_RECORD_HASH_SIZE]);

#endif
