/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_report.h"

#include <stdlib.h>
#include <string.h>

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
    for (size_t i = 0; i < report->late.count && rc == PEXCZ_OK; i++) {
        rc = pexcz_buf_printf(ret, err, "note\truns at each start: %.*s\n",
                              (int)strcspn(report->late.items[i], " "),
                              report->late.items[i]);
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

/* One line for each module that stays outside, when asked for. */
void
pexcz_snapshot_report_say(const struct pexcz_snapshot_report *report,
                          struct pexcz_progress *progress)
{
    for (size_t i = 0; i < report->left_count; i++) {
        const struct pexcz_snapshot_left *l = &report->left[i];
        const char *cause = strrchr(l->chain, ' ');

        pexcz_progress_say(progress, 1, "  not in the snapshot: %s: %s%s",
                           l->module, cause != NULL ? "imports" : l->reason,
                           cause != NULL ? cause : "");
    }
    if (report->no_libraries != NULL) {
        pexcz_progress_say(progress, 1,
                           "  no shared object in the snapshot: %s",
                           report->no_libraries);
    }
    if (report->ended != NULL) {
        pexcz_progress_say(progress, 1, "  the imports ended with %s",
                           report->ended);
    }
    for (size_t i = 0; i < report->gate.count; i++) {
        const char *name = report->gate.items[i];
        size_t n = strcspn(name, "=");

        if (name[n] == '=') {
            pexcz_progress_say(progress, 1,
                               "  the snapshot is used only when $%.*s is %s",
                               (int)n, name, name + n + 1);
            continue;
        }
        pexcz_progress_say(progress, 1,
                           "  the snapshot is not used when $%s is set", name);
    }
    for (size_t i = 0; i < report->late.count; i++) {
        pexcz_progress_say(progress, 1, "  runs at each start: %.*s",
                           (int)strcspn(report->late.items[i], " "),
                           report->late.items[i]);
    }
    if (report->home.count != 0) {
        pexcz_progress_say(progress, 1,
                           "  the snapshot is not used when $HOME is not set, "
                           "or no usual path");
    }
    if (report->reads_encoding) {
        pexcz_progress_say(
            progress, 1,
            "  the snapshot is not used when the locale is none "
            "of UTF-8");
    }
    for (size_t i = 0; i < report->set.count; i++) {
        pexcz_progress_say(progress, 1, "  set at each start: $%s",
                           report->set.items[i]);
    }
    for (size_t i = 0; i < report->absent.count; i++) {
        pexcz_progress_say(progress, 1,
                           "  the snapshot is not used when %s is there",
                           report->absent.items[i]);
    }
    for (size_t i = 0; i < report->unlearnt.count; i++) {
        pexcz_progress_say(progress, 1, "  not known what is written to by %s",
                           report->unlearnt.items[i]);
    }
    if (report->off != NULL) {
        pexcz_progress_say(progress, 0, "pexcz-pack: no snapshot: %s",
                           report->off);
    }
}

int
pexcz_snapshot_report_unlearnt(struct pexcz_snapshot_report *report,
                               const char *start, struct pexcz_error *err)
{
    const char *text
        = pexcz_arena_printf(&report->arena, err, "%s: %s", start, err->msg);

    return text != NULL ? pexcz_strings_add(&report->unlearnt, &report->arena,
                                            pexcz_slice_str(text), err)
                        : PEXCZ_E_NOMEM;
}

void
pexcz_snapshot_report_done(struct pexcz_snapshot_report *report)
{
    free(report->left);
    pexcz_arena_done(&report->arena);
    *report = (struct pexcz_snapshot_report){0};
}
