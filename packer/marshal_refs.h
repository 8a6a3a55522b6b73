/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes marshalled bytes depend on the object graph alone.
 *
 * marshal.dumps() flags every object whose reference count happens to be above
 * one as a possible target of a later reference, so the bytes change with what
 * the process did before.  Here the flags of objects that nothing refers to
 * are dropped and the others numbered anew: loading gives an equal graph with
 * the same sharing, and the bytes compress better.
 * One-character strings that are no identifiers lose their "interned" mark:
 * CPython shares those whatever the mark says, and sets it by chance.
 *
 * Source: Python/marshal.c of CPython 3.11 to 3.14 (format versions 3 to 5).
 */
#ifndef PEXCZ_MARSHAL_REFS_H
#define PEXCZ_MARSHAL_REFS_H

#include "error.h"
#include "slice.h"

/*
 * Rewrites one marshalled object in place; its size does not change.  CORRUPT,
 * with the bytes untouched, when they are not exactly one object of a type
 * that a code object can hold.  Any bytes are safe.
 */
PEXCZ_MUST_USE int pexcz_marshal_normalise(uint8_t *bytes, size_t size,
                                           struct pexcz_error *err);

#endif
