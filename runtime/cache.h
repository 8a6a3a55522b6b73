/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user's cache of files that ld.so must find on disk.
 *
 * ROOT/so/BLOB-ID/PATH mirrors the tree, so $ORIGIN and siblings are true.
 * ROOT is $PEXCZ_CACHE, $XDG_CACHE_HOME/pexcz or $HOME/.cache/pexcz; it is
 * used only when it belongs to the effective user and nobody else may write
 * to it, and never in a set-uid process.  Files appear complete (temporary
 * name, fsync, rename); a file whose size differs is replaced.
 */
#ifndef PEXCZ_CACHE_H
#define PEXCZ_CACHE_H

#include "error.h"
#include "slice.h"

struct pexcz_cache {
    int dir; /* ROOT/so/BLOB-ID; -1: no cache can be used */
    char path[4096];
};

/* Finds and creates the folder of the blob with `id`; on failure *cache has
 * no folder and the caller does without. */
PEXCZ_MUST_USE int pexcz_cache_open(struct pexcz_cache *cache,
                                    const uint8_t id[16],
                                    struct pexcz_error *err);

/* Makes sure that `path` (under the root of the tree) holds `content`. */
PEXCZ_MUST_USE int pexcz_cache_put(const struct pexcz_cache *cache,
                                   const char *path,
                                   struct pexcz_slice content,
                                   struct pexcz_error *err);

#endif
