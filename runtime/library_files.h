/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared objects as real files, beside the executable or in the user's cache
 * (cache.h).
 */
#ifndef PEXCZ_LIBRARY_FILES_H
#define PEXCZ_LIBRARY_FILES_H

#include "library_set.h"

/* `adjacent` is the executable's path when its files may lie beside it. */
struct pexcz_library_places {
    const char *adjacent; /* or NULL */
    bool verify;          /* the content of what is there, too */
};

/*
 * The real path, in buf[cap], of the first item, all the others being where
 * ld.so finds them; what is missing is written on all processors.  On failure
 * the error says why there can be no files.  Any thread.
 */
PEXCZ_MUST_USE int
pexcz_library_files_place(const struct pexcz_library_places *places,
                          const struct pexcz_library_set *set, char *buf,
                          size_t cap, struct pexcz_error *err);

enum pexcz_repair {
    PEXCZ_REPAIR_NONE,   /* the files are as they should be */
    PEXCZ_REPAIR_DONE,   /* some were not, and are now */
    PEXCZ_REPAIR_FAILED, /* or cannot be used */
};

/* After ld.so refused what place() gave. */
enum pexcz_repair
pexcz_library_files_repair(const struct pexcz_library_places *places,
                           const struct pexcz_library_set *set);

/* The path under the root of the object that has the real path `real`, or
 * NULL. */
const char *pexcz_library_files_inner(const char *real);

#endif
