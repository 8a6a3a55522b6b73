/* SPDX-License-Identifier: Apache-2.0 */
#include "record_report.h"

#include "utf8.h"

static int
report_one(const struct pexcz_plan *plan, const bool *differs, size_t first,
           struct pexcz_arena *arena, struct pexcz_strings *ret,
           struct pexcz_error *err)
{
    const struct pexcz_plan_entry *e = &plan->entries[first];
    char shown[300];
    const char *line;
    size_t more = 0;

    for (size_t i = first + 1; i < plan->entry_count; i++) {
        more += differs[i] && plan->entries[i].origin == e->origin;
    }
    pexcz_utf8_escape(pexcz_slice_str(e->path), shown, sizeof(shown));
    line = more == 0
               ? pexcz_arena_printf(arena, err,
                                    "%s: %s: its SHA-256 is not that of "
                                    "RECORD",
                                    e->origin, shown)
               : pexcz_arena_printf(arena, err,
                                    "%s: %s and %zu more: their SHA-256 is "
                                    "not that of RECORD",
                                    e->origin, shown, more);
    return line == NULL
               ? PEXCZ_E_NOMEM
               : pexcz_strings_add(ret, arena, pexcz_slice_str(line), err);
}

static bool
is_first(const struct pexcz_plan *plan, const bool *differs, size_t entry)
{
    for (size_t i = 0; i < entry; i++) {
        if (differs[i]
            && plan->entries[i].origin == plan->entries[entry].origin) {
            return false;
        }
    }
    return true;
}

int
pexcz_record_report_make(const struct pexcz_plan *plan, const bool *differs,
                         struct pexcz_arena *arena, struct pexcz_strings *ret,
                         struct pexcz_error *err)
{
    int rc = PEXCZ_OK;

    for (size_t i = 0; rc == PEXCZ_OK && i < plan->entry_count; i++) {
        if (differs[i] && is_first(plan, differs, i)) {
            rc = report_one(plan, differs, i, arena, ret, err);
        }
    }
    return rc;
}
