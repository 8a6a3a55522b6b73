/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of a snapshot: stored one behind the other, without those that are
 * all zero, and moved to their addresses at start.
 *
 * Moving a mapping costs a system call for each run of pages and copies
 * nothing: the pages stay those of the file until they are written to.
 */
#ifndef PEXCZ_PAGE_RUNS_H
#define PEXCZ_PAGE_RUNS_H

#include "buf.h"
#include "snapshot_format.h"

/* Being collected; zeroed at first. */
struct pexcz_page_runs {
    struct pexcz_buf bytes; /* of the pages */
    struct pexcz_buf runs;  /* struct pexcz_snapshot_page_run */
};

/* Adds what lies at [start, end), page-aligned, as it is now; `first` is the
 * offset of the pages in the snapshot. */
PEXCZ_MUST_USE int pexcz_page_runs_add(struct pexcz_page_runs *pages,
                                       uint64_t start, uint64_t end,
                                       uint64_t first,
                                       struct pexcz_error *err);
/* Stores 0 for the word at `address`, if it is among them. */
void pexcz_page_runs_clear_word(struct pexcz_page_runs *pages, uint64_t first,
                                uint64_t address);
void pexcz_page_runs_done(struct pexcz_page_runs *pages);

/* Whether each run of the table lies inside of the snapshot's `pages` (a range
 * of offsets) and is page-aligned. */
bool pexcz_page_runs_check(struct pexcz_slice table, uint64_t first,
                           uint64_t end);

/* Puts the runs below `end` where they belong, from the snapshot that is
 * mapped at `snapshot`. */
void pexcz_page_runs_put(struct pexcz_slice table, const void *snapshot,
                         uint64_t end);

/* Moves the runs of [start, end) to their addresses.  False when the kernel
 * refuses one. */
bool pexcz_page_runs_move(struct pexcz_slice table, const void *snapshot,
                          uint64_t start, uint64_t end);

#endif
