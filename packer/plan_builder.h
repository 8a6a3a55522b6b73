/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collects the entries of a plan.  Private to the planner.
 */
#ifndef PEXCZ_PLAN_BUILDER_H
#define PEXCZ_PLAN_BUILDER_H

#include "plan.h"

struct pexcz_plan_slot;

struct pexcz_plan_builder {
    struct pexcz_plan *plan; /* strings and entries live in its arena */
    const struct pexcz_target *target;
    const char *pex_name;            /* for messages */
    struct pexcz_plan_slot *by_path; /* uthash */
    size_t entry_cap;
    struct pexcz_error *err;
};

void pexcz_builder_done(struct pexcz_plan_builder *b);

/*
 * Adds a file and the directories above it.  `origin` as in the entry, and
 * "user code" in messages when NULL.  Where there is a file already it stays:
 * other bytes give a warning.  CONFLICT where a directory is in the way.
 */
PEXCZ_MUST_USE int pexcz_builder_add_file(struct pexcz_plan_builder *b,
                                          const char *path,
                                          const struct pexcz_content *content,
                                          bool executable, int64_t mtime,
                                          const char *origin);
PEXCZ_MUST_USE int pexcz_builder_add_dir(struct pexcz_plan_builder *b,
                                         const char *path, int64_t mtime,
                                         const char *origin);

/* NULL when there is none; valid until the next add. */
struct pexcz_plan_entry *pexcz_builder_find(const struct pexcz_plan_builder *b,
                                            const char *path);

PEXCZ_MUST_USE int pexcz_builder_warn(struct pexcz_plan_builder *b,
                                      const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Drops bytecode that has its source beside it and __pycache__ directories
 * that are empty then, and sorts the entries.  The last call but done. */
PEXCZ_MUST_USE int pexcz_builder_finish(struct pexcz_plan_builder *b);

/* Adds what installing `dist` creates (wheel_install.c). */
PEXCZ_MUST_USE int pexcz_wheel_install(struct pexcz_plan_builder *b,
                                       const struct pexcz_dist *dist);

/* Reads the .pth files of site-packages into plan->boot (pth.c).  Entries must
 * be sorted. */
PEXCZ_MUST_USE int pexcz_pth_read(struct pexcz_plan_builder *b);

#endif
