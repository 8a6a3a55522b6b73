/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the zip reader share.
 */
#ifndef PEXCZ_ZIP_INTERNAL_H
#define PEXCZ_ZIP_INTERNAL_H

#include "zip_reader.h"

struct pexcz_zip {
    char *name;
    struct pexcz_slice data;
    void *map; /* non-NULL: unmapped at close */
    struct pexcz_buf owned;
    uint64_t prefix_size;
    char *names; /* NUL-terminated, one after the other */
    struct pexcz_zip_member *members;
    size_t count;
};

/*
 * Reads and checks the directory of zip->data: fills prefix_size, names,
 * members (sorted) and count.  After a failure they are half-built, for
 * pexcz_zip_close() to free.
 */
PEXCZ_MUST_USE int pexcz_zip_index(struct pexcz_zip *zip,
                                   struct pexcz_error *err);

#endif
