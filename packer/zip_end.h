/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding the directory of a zip archive.  Private to the zip reader.
 */
#ifndef PEXCZ_ZIP_END_H
#define PEXCZ_ZIP_END_H

#include "error.h"
#include "slice.h"

struct pexcz_zip_end {
    uint64_t bias;             /* what recorded offsets lack: prefix bytes */
    uint64_t directory_offset; /* from the start of the input */
    struct pexcz_slice directory;
    uint64_t count; /* members */
};

/* `name` is for messages. */
PEXCZ_MUST_USE int pexcz_zip_end_find(struct pexcz_slice data,
                                      const char *name,
                                      struct pexcz_zip_end *ret,
                                      struct pexcz_error *err);

#endif
