/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the symbols of a library that is opened, and of those that it needs,
 * are looked for: in itself and in these, breadth first, behind what every
 * process has.
 */
#ifndef PEXCZ_LIBRARY_SCOPE_H
#define PEXCZ_LIBRARY_SCOPE_H

#include "library_elf.h"

#include <stddef.h>

#define PEXCZ_LIBRARY_SCOPE 128

struct pexcz_library_scope {
    size_t count;
    struct {
        size_t number;       /* of a library of the image */
        const char *outside; /* or the name of one that is not */
    } items[PEXCZ_LIBRARY_SCOPE];
};

/* What a symbol was found to be. */
struct pexcz_library_found {
    const char *outside; /* the library, or NULL: one of the image */
    uint64_t address;
    size_t number; /* in the image: the library, and its symbol */
    Elf64_Sym symbol;
};

/* The library of the image that `name` means to ld.so: by its SONAME, or the
 * last part of its path; false: none. */
bool pexcz_library_named(const char *name, size_t *ret);

/* The scope of library `root`; what it needs is loaded or opened.  Sets what
 * the libraries know of each other.  NULL, or why not. */
const char *pexcz_library_scope_make(size_t root,
                                     struct pexcz_library_scope *ret);

/* Looks in the scope, for a symbol of library `number`. */
bool pexcz_library_scope_find(const struct pexcz_library_scope *scope,
                              const char *name, const char *version,
                              struct pexcz_library_found *ret);

#endif
