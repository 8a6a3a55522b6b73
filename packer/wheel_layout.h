/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds out what form a distribution of a PEX has, and reads its metadata.
 */
#ifndef PEXCZ_WHEEL_LAYOUT_H
#define PEXCZ_WHEEL_LAYOUT_H

#include "pex_reader.h"

/*
 * From dist->files and dist->file_name fills in the rest.  `is_archive` says
 * that the files came out of a zip of their own: a wheel, or in packed PEXes
 * a chroot.  `where` begins every message.
 */
PEXCZ_MUST_USE int pexcz_wheel_layout_read(struct pexcz_dist *dist,
                                           const char *where, bool is_archive,
                                           struct pexcz_arena *arena,
                                           struct pexcz_error *err);

#endif
