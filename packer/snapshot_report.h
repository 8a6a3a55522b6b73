/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What came of making a heap snapshot, and the part of it that is stored
 * behind the snapshot for `pexcz inspect`.
 */
#ifndef PEXCZ_SNAPSHOT_REPORT_H
#define PEXCZ_SNAPSHOT_REPORT_H

#include "arena.h"
#include "buf.h"
#include "progress.h"

/* A module that is not in the snapshot. */
struct pexcz_snapshot_left {
    const char *module;
    const char *chain; /* of imports, from it to that which `reason` is about,
                        * with blanks between */
    const char *reason;
};

struct pexcz_snapshot_report {
    struct pexcz_arena arena; /* of the texts */
    uint64_t size;            /* of the snapshot; 0: there is none */
    uint64_t total;           /* of the file, when there is one */
    const char *off;          /* why there is none */
    const char *no_libraries; /* why no shared object is in it, or NULL */
    const char *ended; /* the exception that ended the imports, or NULL */
    struct pexcz_strings gate; /* NAME of a variable that must not be set, or
                                * NAME=VALUE, which it must be */
    struct pexcz_strings modules;
    struct pexcz_strings libraries; /* below the root of the tree */
    struct pexcz_strings standby;   /* what functions import: standby.h */
    struct pexcz_strings
        patterns;                /* what they compile: snapshot_patterns.py */
    struct pexcz_strings cwd;    /* MODULE:NAME, is the working directory */
    struct pexcz_strings absent; /* files that must not be there */
    struct pexcz_strings late;   /* modules whose bodies run at each start,
                                  * each with what it imports */
    struct pexcz_strings home;   /* modules that read $HOME */
    struct pexcz_strings set;    /* variables that the imports set */
    struct pexcz_strings unlearnt; /* starts whose rehearsal failed, and why */
    bool reseeds;        /* there are generators to be seeded at each start */
    bool reads_encoding; /* the locale must be one of UTF-8 */
    struct pexcz_snapshot_left *left;
    size_t left_count;
    size_t left_cap;
};

/* That the rehearsal of `start` failed, as `err` says. */
PEXCZ_MUST_USE int
pexcz_snapshot_report_unlearnt(struct pexcz_snapshot_report *report,
                               const char *start, struct pexcz_error *err);

/* As snapshot_format.h has it. */
PEXCZ_MUST_USE int
pexcz_snapshot_report_text(const struct pexcz_snapshot_report *report,
                           struct pexcz_buf *ret, struct pexcz_error *err);

/* Says what does not show otherwise: modules and variables when asked for. */
void pexcz_snapshot_report_say(const struct pexcz_snapshot_report *report,
                               struct pexcz_progress *progress);

void pexcz_snapshot_report_done(struct pexcz_snapshot_report *report);

#endif
