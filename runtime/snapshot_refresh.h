/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a restored Python knows of the process that made the snapshot, made
 * anew for this one.
 */
#ifndef PEXCZ_SNAPSHOT_REFRESH_H
#define PEXCZ_SNAPSHOT_REFRESH_H

#include "error.h"
#include "pyconfig.h"

/* Before the dump: finds what will be made anew, and leaves it empty. */
PEXCZ_MUST_USE int pexcz_refresh_prepare(struct pexcz_error *err);

/* Before the dump: goes through a refresh, which fills caches that each
 * restored process would have to fill, and leaves nothing behind that it would
 * have to take away.  0, or -1. */
int pexcz_refresh_rehearse(void);

/* sys.argv, sys.orig_argv, sys.executable and os.environ: before any Python
 * code runs.  0, or -1 with an exception. */
int pexcz_refresh_arguments(const struct pexcz_python_options *options,
                            const char *argv0);

/* Standard streams, signal handlers, the time zone, and what the variables
 * PYTHONUNBUFFERED and PYTHONDONTWRITEBYTECODE ask for.  0 or -1. */
int pexcz_refresh_process(const char *stdio_errors);

#endif
