/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smallest shared object: a name and a list of libraries that it needs.
 *
 * ld.so maps what an opened object needs before it looks at what those need,
 * and takes an object that is mapped already for one that has its SONAME.  So
 * opening a stub that lists memory files by their paths loads them all, in
 * that order, whatever names, run paths or cycles there are between them.
 * Source: gABI 5, dynamic linking.
 */
#ifndef PEXCZ_STUB_LIBRARY_H
#define PEXCZ_STUB_LIBRARY_H

#include "buf.h"

/* Appends its bytes to the empty buffer `ret`; `soname` may be NULL. */
PEXCZ_MUST_USE int pexcz_stub_library(const char *soname,
                                      const char *const *needed, size_t count,
                                      struct pexcz_buf *ret,
                                      struct pexcz_error *err);

#endif
