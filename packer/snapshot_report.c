/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_report.h"

#include <stdlib.h>

int
pexcz_snapshot_report_text(const struct pexcz_snapshot_report *report,
                           struct pexcz_buf *ret, struct pexcz_error *err)
{
    const struct {
        const char *what;
        const char *text;
    } notes[] = {
        {"no shared object in the snapshot:", report->no_libraries},
        {"the imports ended with", report->ended},
    };
    int rc = PEXCZ_OK;

    for (size_t i = 0; i < report->modules.count && rc == PEXCZ_OK; i++) {
        rc = pexcz_buf_printf(ret, err, "module\t%s\n",
                              report->modules.items[i]);
    }
    for (size_t i = 0; i < report->left_count && rc == PEXCZ_OK; i++) {
        const struct pexcz_snapshot_left *left = &report->left[i];

        rc = pexcz_buf_printf(ret, err, "left\t%s\t%s\t%s\n", left->module,
                              left->chain, left->reason);
    }
    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]) && rc == PEXCZ_OK;
         i++) {
        if (notes[i].text != NULL) {
            rc = pexcz_buf_printf(ret, err, "note\t%s %s\n", notes[i].what,
                                  notes[i].text);
        }
    }
    return rc;
}

void
pexcz_snapshot_report_done(struct pexcz_snapshot_report *report)
{
    free(report->left);
    pexcz_arena_done(&report->arena);
    *report = (struct pexcz_snapshot_report){0};
}
