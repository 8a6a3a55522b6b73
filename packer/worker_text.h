/* SPDX-License-Identifier: Apache-2.0 */
/* The Python files of this folder, NUL-terminated. */
#ifndef PEXCZ_WORKER_TEXT_H
#define PEXCZ_WORKER_TEXT_H

extern const char pexcz_worker_text[];          /* compile_worker.py */
extern const char pexcz_snapshot_trace_text[];  /* snapshot_watch.py and
                                                 * snapshot_trace.py */
extern const char pexcz_snapshot_import_text[]; /* snapshot_import.py */
extern const char pexcz_snapshot_digest_text[]; /* the same, and
                                                 * snapshot_digest.py */

#endif
