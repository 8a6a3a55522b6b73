/* SPDX-License-Identifier: Apache-2.0 */
/* Which executable a snapshot belongs to, and whether it is whole. */
#ifndef PEXCZ_SNAPSHOT_HEADER_H
#define PEXCZ_SNAPSHOT_HEADER_H

#include "locate.h"
#include "snapshot_format.h"

/* Fills in the blobs and anchors of this process. */
void pexcz_snapshot_identify(const struct pexcz_located *located,
                             struct pexcz_snapshot_header *header);

uint64_t pexcz_snapshot_header_sum(const struct pexcz_snapshot_header *header);

/* Whether the sums of the header and of the heap's pages are right; all else
 * is checked when it is restored. */
bool pexcz_snapshot_is_whole(struct pexcz_slice snapshot);

/* The header at the start of `snapshot`; NULL when it is damaged or made by
 * another executable.  The heap is not looked at: `pexcz verify` does. */
const struct pexcz_snapshot_header *
pexcz_snapshot_check(const struct pexcz_located *located,
                     struct pexcz_slice snapshot);

/* A table of a checked snapshot. */
struct pexcz_slice
pexcz_snapshot_table(const struct pexcz_snapshot_header *header,
                     const struct pexcz_snapshot_table *table);

#endif
