/* SPDX-License-Identifier: Apache-2.0 */
/*
 * $HOME while a snapshot is made: docs/snapshot.md.
 *
 * The imports of the two processes that make one see homes of the same length
 * that agree in no character but the slash.  Where a home is in the text of an
 * object, a start puts the real one.
 */
#ifndef PEXCZ_SNAPSHOT_HOME_H
#define PEXCZ_SNAPSHOT_HOME_H

#include <stdbool.h>
#include <stddef.h>

/* A slash and one component.  Homes up to this length can take its place. */
#define PEXCZ_SNAPSHOT_HOME_SIZE ((size_t)250)

/* The home that the first or the second process sees. */
void pexcz_snapshot_home_make(bool second,
                              char ret[PEXCZ_SNAPSHOT_HOME_SIZE + 1]);

/* Homes of other shapes, with which the imports must come to the same. */
#define PEXCZ_SNAPSHOT_HOME_SAMPLES 3
extern const char
    *const pexcz_snapshot_home_samples[PEXCZ_SNAPSHOT_HOME_SAMPLES];

/* Whether a home can take the place of one that was seen: absolute, as
 * normpath() would leave it, not the root, of letters, digits and "._@-". */
bool pexcz_snapshot_home_fits(const char *home);

#endif
