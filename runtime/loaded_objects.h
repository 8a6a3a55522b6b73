/* SPDX-License-Identifier: Apache-2.0 */
/* Shared objects of the tree that ld.so has loaded, by what they ask for. */
#ifndef PEXCZ_LOADED_OBJECTS_H
#define PEXCZ_LOADED_OBJECTS_H

#include <stdbool.h>

/*
 * Whether the code of one of them could be noticed at the end of its objects:
 * true unless every symbol that each of them takes from elsewhere is one of
 * Python's or a function that merely computes.
 */
bool pexcz_loaded_objects_are_noticeable(void);

#endif
