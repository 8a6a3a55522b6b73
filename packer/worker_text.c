/* SPDX-License-Identifier: Apache-2.0 */
#include "worker_text.h"

#include "text_file.h"

PEXCZ_TEXT_FILE(pexcz_worker_text, "compile_worker.py");
PEXCZ_TEXT_FILE(pexcz_snapshot_use_text, "snapshot_use.py");
/* What tells of the imports, in front of what does them. */
#define WATCH                                                                 \
    PEXCZ_TEXT_AND("snapshot_zone_watch.py")                                  \
    PEXCZ_TEXT_AND("snapshot_locale_watch.py")                                \
    PEXCZ_TEXT_AND("snapshot_variables_watch.py")                             \
    PEXCZ_TEXT_AND("snapshot_watch.py")                                       \
    PEXCZ_TEXT_AND("snapshot_standby.py")                                     \
    PEXCZ_TEXT_AND("snapshot_patterns.py")                                    \
    PEXCZ_TEXT_AND("snapshot_script.py")

PEXCZ_TEXT_FILES(pexcz_snapshot_trace_text, "snapshot_known.py",
                 PEXCZ_TEXT_AND("snapshot_home.py")
                     PEXCZ_TEXT_AND("snapshot_home_rules.py")
                         PEXCZ_TEXT_AND("snapshot_home_watch.py")
                             PEXCZ_TEXT_AND("snapshot_late.py")
                                 WATCH PEXCZ_TEXT_AND("snapshot_trace.py"));
/* In front of what runs with the modules of a snapshot. */
#define IMPORT                                                                \
    PEXCZ_TEXT_AND("snapshot_home.py")                                        \
    PEXCZ_TEXT_AND("snapshot_zone.py") PEXCZ_TEXT_AND("snapshot_import.py")

PEXCZ_TEXT_FILES(pexcz_snapshot_import_text, "snapshot_known.py", IMPORT);
PEXCZ_TEXT_FILES(pexcz_snapshot_digest_text, "snapshot_known.py",
                 IMPORT PEXCZ_TEXT_AND("snapshot_digest.py"));
PEXCZ_TEXT_FILES(pexcz_snapshot_outcome_text, "snapshot_known.py",
                 IMPORT PEXCZ_TEXT_AND("snapshot_outcome.py"));
