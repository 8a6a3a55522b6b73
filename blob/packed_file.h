/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packed executable, or a base, opened for reading.
 *
 * The blobs are found as the runtime finds them, by the addresses of their
 * segments (exe_layout.h), or, when program headers were changed, by the
 * names of their sections.  The file is hostile: everything is checked
 * before it is used.
 */
#ifndef PEXCZ_PACKED_FILE_H
#define PEXCZ_PACKED_FILE_H

#include "elf_file.h"
#include "tree.h"

/* In the order of their layers in the tree. */
enum pexcz_part {
    PEXCZ_PART_APPLICATION,
    PEXCZ_PART_STDLIB,
};
#define PEXCZ_PART_COUNT 2

/* One blob of the file. */
struct pexcz_packed_blob {
    bool present;
    uint64_t offset; /* in the file */
    uint64_t size;   /* bytes of its segment */
    struct pexcz_blob blob;
};

/* Not to be copied: `tree` points into `parts`. */
struct pexcz_packed_file {
    const char *path; /* borrowed, for messages */
    struct pexcz_slice bytes;
    bool mapped; /* bytes are ours to unmap */
    struct pexcz_elf elf;
    struct pexcz_packed_blob parts[PEXCZ_PART_COUNT];
    struct pexcz_tree tree; /* of the parts that are there */
};

/*
 * Opens `path`, which must live as long.  At least one part is present
 * afterwards.  UNSUPPORTED: not an executable of pexcz; CORRUPT: it is, but
 * damaged.  On failure *file is zeroed.
 */
PEXCZ_MUST_USE int pexcz_packed_file_open(struct pexcz_packed_file *file,
                                          const char *path,
                                          struct pexcz_error *err);

/* The same for a file whose bytes are in memory already and stay there until
 * it is closed; `name` is for messages. */
PEXCZ_MUST_USE int pexcz_packed_file_from(struct pexcz_packed_file *file,
                                          struct pexcz_slice bytes,
                                          const char *name,
                                          struct pexcz_error *err);
void pexcz_packed_file_close(struct pexcz_packed_file *file);

/*
 * Checks every byte of the blobs, that they belong together, and that the
 * file ends where it should: after it the program starts, unless the code of
 * the base was changed.
 */
PEXCZ_MUST_USE int
pexcz_packed_file_verify(const struct pexcz_packed_file *file,
                         struct pexcz_error *err);

/*
 * The application's tree, over the standard library if `all`; of a base the
 * standard library's.  Valid as long as the file is open.
 */
void pexcz_packed_file_tree(const struct pexcz_packed_file *file, bool all,
                            struct pexcz_tree *ret);

/* "application", "standard library". */
const char *pexcz_part_name(enum pexcz_part part);

/* Which part `blob` of this file is. */
enum pexcz_part pexcz_packed_file_part(const struct pexcz_packed_file *file,
                                       const struct pexcz_blob *blob);

#endif
