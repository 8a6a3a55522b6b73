/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Python's cache of attributes that were looked up in classes.
 *
 * A start that finds an attribute in it writes nothing; one that does not goes
 * through the bases and writes to the cache, of which each page then has to be
 * copied.  So a snapshot has in it what rehearsed starts looked up.
 */
#ifndef PEXCZ_TYPE_LOOKUPS_H
#define PEXCZ_TYPE_LOOKUPS_H

#include "snapshot_place.h"

#include <stdbool.h>
#include <stddef.h>

/* What is in the cache now, at most PEXCZ_PLACE_PAIRS; returns the number.  Of
 * classes and names that `is_known` is true for. */
size_t pexcz_type_lookups_get(struct pexcz_place_pair ret[PEXCZ_PLACE_PAIRS],
                              bool (*is_known)(const void *object));

/* Puts one there, unless these are no class and name. */
void pexcz_type_lookups_put(const struct pexcz_place_pair *pair);

#endif
