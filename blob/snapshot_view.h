/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heap snapshot of a packed executable, opened for reading, never run.
 *
 * The file is hostile: sums, sizes and tables are checked at open.
 */
#ifndef PEXCZ_SNAPSHOT_VIEW_H
#define PEXCZ_SNAPSHOT_VIEW_H

#include "error.h"
#include "packed_file.h"
#include "snapshot_format.h"

struct pexcz_snapshot_view {
    struct pexcz_slice bytes; /* of its segment, borrowed; len 0: there is
                               * no snapshot */
    struct pexcz_snapshot_header header;
    struct pexcz_slice report; /* lines, see snapshot_format.h */
};

/* PEXCZ_OK also without a snapshot.  CORRUPT: it is damaged. */
PEXCZ_MUST_USE int
pexcz_snapshot_view_open(const struct pexcz_packed_file *file,
                         struct pexcz_snapshot_view *ret,
                         struct pexcz_error *err);

/* The bytes of one of the header's tables; borrowed from the file. */
struct pexcz_slice
pexcz_snapshot_view_table(const struct pexcz_snapshot_view *view,
                          const struct pexcz_snapshot_table *table);

#endif
