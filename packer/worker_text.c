/* SPDX-License-Identifier: Apache-2.0 */
#include "worker_text.h"

#include "text_file.h"

PEXCZ_TEXT_FILE(pexcz_worker_text, "compile_worker.py");
PEXCZ_TEXT_THREE_FILES(pexcz_snapshot_trace_text, "snapshot_watch.py",
                       "snapshot_standby.py", "snapshot_trace.py");
PEXCZ_TEXT_FILE(pexcz_snapshot_import_text, "snapshot_import.py");
PEXCZ_TEXT_FILES(pexcz_snapshot_digest_text, "snapshot_import.py",
                 "snapshot_digest.py");
