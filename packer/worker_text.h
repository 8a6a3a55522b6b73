/* SPDX-License-Identifier: Apache-2.0 */
/* compile_worker.py, NUL-terminated. */
#ifndef PEXCZ_WORKER_TEXT_H
#define PEXCZ_WORKER_TEXT_H

extern const char pexcz_worker_text[];

#endif
