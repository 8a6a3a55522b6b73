/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `site` does at the start of a Python, for an application.
 */
#ifndef PEXCZ_APP_SITE_H
#define PEXCZ_APP_SITE_H

#include <Python.h>

#include "blob_reader.h"

/*
 * All from the settings that packing derived, so that no folder is listed.
 * 0, or -1 with an exception.
 *
 * paths(): exit(), help() and the like and the search path; `argv0` becomes
 * sys.argv[0].  startup(), after it: lines of .pth files, sitecustomize and
 * usercustomize.  site(): both.
 */
PEXCZ_MUST_USE int pexcz_app_paths(const struct pexcz_blob *app,
                                   const char *argv0);
PEXCZ_MUST_USE int pexcz_app_startup(const struct pexcz_blob *app);
PEXCZ_MUST_USE int pexcz_app_site(const struct pexcz_blob *app,
                                  const char *argv0);

#endif
