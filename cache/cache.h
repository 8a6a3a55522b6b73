/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real files for shared objects, which ld.so opens by itself.
 *
 *   ROOT/so/GROUP/PATH   PATH is that in the tree, so $ORIGIN, siblings and
 *                        cycles are as in an ordinary installation
 *
 * A group's name is a hash of what is in it, so every application with the
 * same wheel shares the files, and a new version never meets old ones.  ROOT
 * is $PEXCZ_CACHE; else $XDG_CACHE_HOME/pexcz or $HOME/.cache/pexcz, the first
 * that can be used.
 *
 * Trust: a folder counts only when it belongs to the effective user and nobody
 * else may write to it, and when nobody but root and the user could have put
 * another in its place.  A file counts when it is the user's, of the right
 * size, and its modification time carries the stamp of its content (whoever
 * writes to it later changes that); contents are hashed only when loading
 * failed, and by `pexcz cache verify`.
 *
 * Files appear complete or not at all: written under a temporary name that is
 * a function of the final one and locked meanwhile (flock), so of many first
 * runs one writes, and what a killed one left behind is taken over by the
 * next.  No lock outlives the process that holds it; there are no lock files.
 *
 * Nothing here prints.  Any thread; nothing is kept open between calls.
 */
#ifndef PEXCZ_CACHE_H
#define PEXCZ_CACHE_H

#include "error.h"
#include "slice.h"

#include <limits.h>
#include <sys/types.h>

#define PEXCZ_CACHE_TEMP ".tmp-" /* how temporary names begin */

struct pexcz_cache {
    uid_t owner; /* of files that count besides the effective user's */
    bool read_only;
    bool for_all;        /* made so that every user may read it */
    char path[PATH_MAX]; /* the folder "so" */
};

struct pexcz_cache_group {
    const struct pexcz_cache *cache;
    int dir;
    char path[PATH_MAX];
};

struct pexcz_cache_file {
    const char *path; /* below the group */
    uint64_t size;
    uint64_t hash; /* XXH3-64 of the content */
};

/* Finds the user's cache, and creates what is missing if `create`.  Fails with
 * the reason why the last place cannot be used. */
PEXCZ_MUST_USE int pexcz_cache_find(bool create, struct pexcz_cache *ret,
                                    struct pexcz_error *err);

/* The folder EXECUTABLE.files/so, filled when the executable was packed. */
PEXCZ_MUST_USE int pexcz_cache_adjacent(const char *executable,
                                        struct pexcz_cache *ret,
                                        struct pexcz_error *err);

/* "so/" + 32 hexadecimal digits; `ret` has room for them and a NUL. */
void pexcz_cache_group_name(const uint8_t group[16], char ret[33]);

/* Opens (and creates, unless the cache is read-only) a group's folder and
 * notes that it was used; the caller closes it. */
PEXCZ_MUST_USE int pexcz_cache_group_open(const struct pexcz_cache *cache,
                                          const uint8_t group[16],
                                          struct pexcz_cache_group *ret,
                                          struct pexcz_error *err);
void pexcz_cache_group_close(struct pexcz_cache_group *group);

/* Whether the file is there and looks right: one system call. */
bool pexcz_cache_has(const struct pexcz_cache_group *group,
                     const struct pexcz_cache_file *file);

/* Whether its content is right: reads all of it. */
bool pexcz_cache_matches(const struct pexcz_cache_group *group,
                         const struct pexcz_cache_file *file);

/* Writes the content to the descriptor. */
typedef int (*pexcz_cache_writer)(void *context, int fd,
                                  struct pexcz_error *err);

/*
 * Makes the file, unless another process did meanwhile.  Nothing stays behind
 * after a failure.  UNSUPPORTED: programs cannot be mapped from there.
 */
PEXCZ_MUST_USE int pexcz_cache_fill(const struct pexcz_cache_group *group,
                                    const struct pexcz_cache_file *file,
                                    pexcz_cache_writer writer, void *context,
                                    struct pexcz_error *err);

/* Removes a file that turned out to be wrong. */
void pexcz_cache_drop(const struct pexcz_cache_group *group,
                      const struct pexcz_cache_file *file);

/* Nanoseconds of the modification time that stand for a content. */
long pexcz_cache_stamp(uint64_t hash);

#endif
