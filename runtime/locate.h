/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the blobs that the kernel mapped with the executable.
 *
 * Walks the program headers (AT_PHDR) for the addresses of exe_layout.h;
 * opens no file and allocates only what pexcz_blob_open() does.  The file's
 * size is compared with its section header table, which is the last thing in
 * it, so that a cut or appended-to file is named instead of crashing later.
 * One that lacks nothing but (a part of) the snapshot is as one without.
 */
#ifndef PEXCZ_LOCATE_H
#define PEXCZ_LOCATE_H

#include "tree.h"

struct pexcz_located {
    struct pexcz_blob stdlib;
    struct pexcz_blob app;
    bool has_app;
    struct pexcz_slice snapshot; /* empty: there is none; unchecked */
    struct pexcz_tree tree;      /* app over stdlib; borrows the two */
};

/* Errors: CORRUPT, UNSUPPORTED, NOT_FOUND (no stdlib blob).  *ret must stay
 * where it is as long as the tree is used. */
PEXCZ_MUST_USE int pexcz_locate(struct pexcz_located *ret,
                                struct pexcz_error *err);

#endif
