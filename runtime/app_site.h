/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `site` does at the start of a Python, for an application.
 */
#ifndef PEXCZ_APP_SITE_H
#define PEXCZ_APP_SITE_H

#include <Python.h>

#include "blob_reader.h"

/*
 * exit(), help() and the like, the search path, lines of .pth files,
 * sitecustomize and usercustomize, from the settings that packing derived, so
 * that no folder is listed.  `argv0` becomes sys.argv[0].  0, or -1 with an
 * exception.
 */
PEXCZ_MUST_USE int pexcz_app_site(const struct pexcz_blob *app,
                                  const char *argv0);

#endif
