/* SPDX-License-Identifier: Apache-2.0 */
/* The Python files of this folder, NUL-terminated. */
#ifndef PEXCZ_WORKER_TEXT_H
#define PEXCZ_WORKER_TEXT_H

extern const char pexcz_worker_text[];       /* compile_worker.py */
extern const char pexcz_snapshot_use_text[]; /* snapshot_use.py */
/* snapshot_known.py, snapshot_home.py, snapshot_home_watch.py,
 * snapshot_late.py, snapshot_zone_watch.py,
 * snapshot_locale_watch.py, snapshot_variables_watch.py, snapshot_watch.py,
 * snapshot_standby.py, snapshot_patterns.py, snapshot_script.py and
 * snapshot_trace.py; the first two, snapshot_zone.py and snapshot_import.py,
 * alone and with one more. */
extern const char pexcz_snapshot_trace_text[];
extern const char pexcz_snapshot_import_text[];
extern const char pexcz_snapshot_digest_text[];  /* snapshot_digest.py */
extern const char pexcz_snapshot_outcome_text[]; /* snapshot_outcome.py */

#endif
