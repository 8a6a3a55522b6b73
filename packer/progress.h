/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the packer says on stderr while it works.
 *
 * On a terminal one line shows the step, a bar and how much is done; it is
 * gone at the end.  Elsewhere nothing is said before the summary.  Calls may
 * come from any thread, one at a time.
 */
#ifndef PEXCZ_PROGRESS_H
#define PEXCZ_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

enum pexcz_unit { PEXCZ_UNIT_FILES, PEXCZ_UNIT_BYTES };

struct pexcz_progress {
    bool live;     /* a terminal, and not quiet */
    int verbosity; /* -1, 0, 1 */
    const char *step;
    enum pexcz_unit unit;
    int64_t shown_at; /* monotonic, ns: not more often than ten a second */
};

void pexcz_progress_init(struct pexcz_progress *p, int verbosity);
void pexcz_progress_step(struct pexcz_progress *p, const char *step,
                         enum pexcz_unit unit);
void pexcz_progress_update(struct pexcz_progress *p, uint64_t done,
                           uint64_t total);

/* Removes the line, before anything else is printed. */
void pexcz_progress_clear(struct pexcz_progress *p);

/* A line of its own, fit for a terminal, unless verbosity is below `level`. */
void pexcz_progress_say(struct pexcz_progress *p, int level, const char *fmt,
                        ...) __attribute__((format(printf, 3, 4)));

/* "12.3 MB"; decimal units. */
void pexcz_format_size(uint64_t bytes, char ret[16]);

#endif
