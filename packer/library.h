/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a shared object says about itself and asks of others.
 *
 * Read from the program headers and the dynamic table, as ld.so does; section
 * headers are not looked at.  Every offset and count is checked against the
 * file.  Source: System V ABI, gABI 5; ld.so(8).
 */
#ifndef PEXCZ_LIBRARY_H
#define PEXCZ_LIBRARY_H

#include "arena.h"

/* Version names of the system's libraries, by what is before the number. */
enum pexcz_version_family {
    PEXCZ_FAMILY_GLIBC,
    PEXCZ_FAMILY_GLIBCXX,
    PEXCZ_FAMILY_CXXABI,
    PEXCZ_FAMILY_COUNT,
};

struct pexcz_library_info {
    struct pexcz_arena arena; /* of the strings */
    const char *soname;       /* NULL: none */
    const char *rpath;        /* NULL: none, or hidden by a run path */
    const char *runpath;      /* NULL: none */
    struct pexcz_strings needed;
    /* The highest that is asked for, "2.17"; NULL: none. */
    const char *highest[PEXCZ_FAMILY_COUNT];
    bool executable_stack;
    bool text_relocations;
    uint64_t hash; /* XXH3-64 of the content */
};

/* "GLIBC", "GLIBCXX", "CXXABI". */
const char *pexcz_version_family_name(enum pexcz_version_family family);

/* Whether dotted numbers a < b; NULL is lower than any. */
bool pexcz_version_is_lower(const char *a, const char *b);

/* An ELF shared object for `machine` (EM_X86_64), and no program, unless it is
 * one that looks for shared objects beside itself; `name` is its file name. */
bool pexcz_is_library(struct pexcz_slice content, const char *name,
                      uint16_t machine);

/*
 * Reads the shared object `content`; what contradicts the format is taken as
 * absent, since only ld.so's opinion counts.  *ret must be zeroed; the caller
 * frees it with done(), also after a failure (NOMEM).
 */
PEXCZ_MUST_USE int pexcz_library_read(struct pexcz_slice content,
                                      struct pexcz_library_info *ret,
                                      struct pexcz_error *err);
void pexcz_library_done(struct pexcz_library_info *info);

#endif
