/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a name was probably meant by another: for "did you mean".
 */
#ifndef PEXCZ_NEAR_NAME_H
#define PEXCZ_NEAR_NAME_H

#include <stddef.h>

/* How many letters must be inserted, dropped, replaced or swapped with their
 * neighbour to get from `a` to `b`; SIZE_MAX above a third of the length. */
size_t pexcz_name_distance(const char *a, const char *b);

#endif
