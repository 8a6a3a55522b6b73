/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `pexcz cache info|prune|verify`: the user's cache of shared objects.
 */
#ifndef PEXCZ_CACHE_VERBS_H
#define PEXCZ_CACHE_VERBS_H

#include "options.h"

/* Prints what there is.  A cache that does not exist is an empty one. */
PEXCZ_MUST_USE int pexcz_cache_info(struct pexcz_error *err);

/* Removes what the options say. */
PEXCZ_MUST_USE int pexcz_cache_prune(const struct pexcz_cache_options *options,
                                     struct pexcz_error *err);

/* Hashes all files and removes damaged ones; CORRUPT when there were any. */
PEXCZ_MUST_USE int pexcz_cache_check(const struct pexcz_cache_options *options,
                                     struct pexcz_error *err);

#endif
