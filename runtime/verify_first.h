/* SPDX-License-Identifier: Apache-2.0 */
/* `pexcz-pack --verify always`: all sums are checked before anything runs. */
#ifndef PEXCZ_VERIFY_FIRST_H
#define PEXCZ_VERIFY_FIRST_H

#include "tree.h"

/* Whether the tree's application was packed so. */
bool pexcz_verifies_always(const struct pexcz_tree *tree);

/* Checks all blobs of the tree, and the snapshot unless it is empty, if the
 * application was packed so.  CORRUPT: one is damaged. */
PEXCZ_MUST_USE int pexcz_verify_first(const struct pexcz_tree *tree,
                                      struct pexcz_slice snapshot,
                                      struct pexcz_error *err);

#endif
