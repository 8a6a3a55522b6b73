/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The standard streams of a snapshot.  Modules keep references to them, so
 * they stay the objects that they are and get what depends on the process:
 * the error handler, line buffering, whether they can seek, sizes.
 *
 * __init__ of a text stream runs Python code and touches forty pages; instead
 * its fields are set.  Where they lie is asked of the type and checked when
 * the snapshot is made.
 */
#ifndef PEXCZ_SNAPSHOT_STREAMS_H
#define PEXCZ_SNAPSHOT_STREAMS_H

#include "error.h"

/* Before the dump: finds the streams.  PEXCZ_E_UNSUPPORTED when they are not
 * what this file knows. */
PEXCZ_MUST_USE int pexcz_streams_prepare(struct pexcz_error *err);

/* `stdio_errors` of stdin and stdout: "strict" or "surrogateescape".  0, or
 * -1 with an exception. */
int pexcz_streams_refresh(const char *stdio_errors);

#endif
