/* SPDX-License-Identifier: Apache-2.0 */
/* Writing all of some bytes to a place in a file. */
#ifndef PEXCZ_WRITE_AT_H
#define PEXCZ_WRITE_AT_H

#include "error.h"

#include <stddef.h>
#include <stdint.h>

/* IO, with errno; the message does not name the file. */
PEXCZ_MUST_USE int pexcz_write_at(int fd, const void *bytes, size_t size,
                                  uint64_t offset, struct pexcz_error *err);

#endif
