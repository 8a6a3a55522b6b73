/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that knows pexcz's version. */
#ifndef PEXCZ_PEXCZ_VERSION_H
#define PEXCZ_PEXCZ_VERSION_H

#define PEXCZ_VERSION "0.1.0"

/* The boot setting OPTION of a base is this and the version that made it. */
#define PEXCZ_BASE_OPTION "pexcz="

#endif
