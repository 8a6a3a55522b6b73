/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the application's entry point in an initialised interpreter.
 */
#ifndef PEXCZ_ENTRY_POINT_H
#define PEXCZ_ENTRY_POINT_H

#include <Python.h>

#include "blob_reader.h"

/*
 * What `site` would do at start, from the settings that packing derived:
 * exit(), help() and the like, the search path, lines of .pth files,
 * sitecustomize and usercustomize.  `argv0` becomes sys.argv[0].  0, or -1
 * with an exception.
 */
PEXCZ_MUST_USE int pexcz_prepare_site(const struct pexcz_blob *app,
                                      const char *argv0);

/* 0, or -1 with an exception, which may be SystemExit. */
int pexcz_run_entry_point(const struct pexcz_blob *app);

#endif
