/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files below a folder: PEXes that are not one file (loose, packed).
 *
 * Links are followed, as Python does when it runs such a PEX.  Names obey the
 * rules for members of zips (zip_reader.h), and so do the limits on their
 * number and size; anything but a file or a folder is refused.
 */
#ifndef PEXCZ_FOLDER_H
#define PEXCZ_FOLDER_H

#include "arena.h"
#include "buf.h"

struct pexcz_folder_entry {
    const char *name; /* relative to the folder */
    const char *path; /* folder and name */
    uint64_t size;    /* of a file */
    bool is_dir;
    bool executable;
};

struct pexcz_folder {
    struct pexcz_folder_entry *items; /* in byte order of the names */
    size_t count;
};

/* Whether `path` is a folder; a path that cannot be looked at is none. */
bool pexcz_is_folder(const char *path);

/* Everything in *ret lives in `arena`. */
PEXCZ_MUST_USE int pexcz_folder_read(const char *path,
                                     struct pexcz_arena *arena,
                                     struct pexcz_folder *ret,
                                     struct pexcz_error *err);

/* The content of a file, at the end of `scratch`.  CORRUPT when it is not
 * `size` bytes long any more. */
PEXCZ_MUST_USE int pexcz_folder_file_read(const char *path, uint64_t size,
                                          struct pexcz_buf *scratch,
                                          struct pexcz_slice *ret,
                                          struct pexcz_error *err);

#endif
