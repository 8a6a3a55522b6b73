/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `pexcz extract`: the tree of a packed file as real files.
 *
 * Everything goes to a temporary folder beside the target, which is renamed
 * at the end: the target appears complete or not at all, also when the run is
 * interrupted.  Modes are those of the tree, reduced by the umask and without
 * set-id bits; times are kept.
 */
#ifndef PEXCZ_EXTRACT_H
#define PEXCZ_EXTRACT_H

#include "options.h"

/*
 * options->directory must not exist or be empty.  CONFLICT when it is not;
 * CORRUPT for a damaged file or a link that leaves the tree.
 */
PEXCZ_MUST_USE int pexcz_extract(const struct pexcz_file_options *options,
                                 struct pexcz_error *err);

/* Whether a link at `path` with this target stays in the tree, whatever other
 * links it leads through: relative, all ".." at the front. */
bool pexcz_link_stays_inside(const char *path, const char *target);

#endif
