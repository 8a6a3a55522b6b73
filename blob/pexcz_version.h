/* SPDX-License-Identifier: Apache-2.0 */
/* The one place that knows pexcz's version. */
#ifndef PEXCZ_VERSION_H
#define PEXCZ_VERSION_H

#define PEXCZ_VERSION "0.1.0"

#endif
