/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in a cache, for `pexcz cache`.  Other processes may fill it
 * meanwhile: what comes or goes is skipped.  Links are never followed.
 */
#ifndef PEXCZ_CACHE_WALK_H
#define PEXCZ_CACHE_WALK_H

#include "cache.h"

#include <time.h>

struct pexcz_cache_use {
    char name[33];  /* of the group */
    char first[64]; /* name in site-packages that tells what it is */
    uint64_t bytes;
    size_t files;
    time_t last; /* use */
};

/* All groups, the one that was used last in front; the caller frees *ret. */
PEXCZ_MUST_USE int pexcz_cache_list(const struct pexcz_cache *cache,
                                    struct pexcz_cache_use **ret,
                                    size_t *ret_count,
                                    struct pexcz_error *err);

/* Removes a group.  Programs that use it make it anew when they need it. */
PEXCZ_MUST_USE int pexcz_cache_remove(const struct pexcz_cache *cache,
                                      const char *name,
                                      struct pexcz_error *err);

/* Removes unfinished files that nobody is writing. */
void pexcz_cache_sweep(const struct pexcz_cache *cache);

/* Calls `bad` for each file whose content does not fit its stamp, with its
 * path below the cache's folder, after removing it. */
PEXCZ_MUST_USE int
pexcz_cache_verify(const struct pexcz_cache *cache,
                   void (*bad)(void *context, const char *path), void *context,
                   size_t *ret_files, struct pexcz_error *err);

#endif
