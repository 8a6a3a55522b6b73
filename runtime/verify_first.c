/* SPDX-License-Identifier: Apache-2.0 */
#include "verify_first.h"

#include "exe_layout.h"

#ifndef PEXCZ_LIBRARY /* which has no snapshot */
#include "snapshot_header.h"

#define XXH_INLINE_ALL
#include <xxhash.h>
#endif

bool
pexcz_verifies_always(const struct pexcz_tree *tree)
{
    struct pexcz_slice value;

    return pexcz_blob_option(tree->layers[0], "verify", &value)
           && pexcz_slice_eq(value, pexcz_slice_str("always"));
}

#ifndef PEXCZ_LIBRARY
/* The pages of the heap; all else is checked when it is restored. */
static bool
is_whole(struct pexcz_slice snapshot)
{
    const struct pexcz_snapshot_header *h = (const void *)snapshot.ptr;

    return snapshot.len >= PEXCZ_PAGE_SIZE
           && h->sum == pexcz_snapshot_header_sum(h)
           && h->tables >= PEXCZ_PAGE_SIZE && h->tables <= snapshot.len
           && XXH3_64bits(snapshot.ptr + PEXCZ_PAGE_SIZE,
                          (size_t)h->tables - PEXCZ_PAGE_SIZE)
                  == h->pages_sum;
}
#endif

int
pexcz_verify_first(const struct pexcz_tree *tree, struct pexcz_slice snapshot,
                   struct pexcz_error *err)
{
    int rc = PEXCZ_OK;

    if (!pexcz_verifies_always(tree)) {
        return PEXCZ_OK;
    }
    for (uint32_t i = 0; rc == PEXCZ_OK && i < tree->layer_count; i++) {
        rc = pexcz_blob_verify_sums(tree->layers[i], err);
    }
#ifndef PEXCZ_LIBRARY
    if (rc == PEXCZ_OK && snapshot.len != 0 && !is_whole(snapshot)) {
        rc = pexcz_fail(err, PEXCZ_E_CORRUPT, 0, "snapshot: damaged");
    }
#else
    (void)snapshot;
#endif
    return rc;
}
