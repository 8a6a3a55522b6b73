/* SPDX-License-Identifier: Apache-2.0 */
#include "verify_first.h"

#include "snapshot_header.h"

bool
pexcz_verifies_always(const struct pexcz_tree *tree)
{
    struct pexcz_slice value;

    return pexcz_blob_option(tree->layers[0], "verify", &value)
           && pexcz_slice_eq(value, pexcz_slice_str("always"));
}

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
    if (rc == PEXCZ_OK && snapshot.len != 0
        && !pexcz_snapshot_is_whole(snapshot)) {
        rc = pexcz_fail(err, PEXCZ_E_CORRUPT, 0, "snapshot: damaged");
    }
    return rc;
}
