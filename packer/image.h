/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An executable with one more blob, from a plan: the end of both `pexcz pack`
 * (application) and `pexcz base` (standard library).
 */
#ifndef PEXCZ_IMAGE_H
#define PEXCZ_IMAGE_H

#include "out_file.h"
#include "tree_store.h"

struct pexcz_image {
    const char *elf;            /* path of the executable that is extended */
    struct pexcz_out_file *out; /* open; opened early, so that a target that
                                   cannot be written is named at once */
    uint64_t address;           /* of the blob and */
    const char *section;        /* its section, see exe_layout.h */
    const struct pexcz_python *python;
    const struct pexcz_tree_store *store;
    /* Adds what is not a file of the plan: boot settings, special entries. */
    int (*extra)(void *context, struct pexcz_blob_writer *writer,
                 struct pexcz_error *err);
    void *context;
};

struct pexcz_image_sizes {
    uint64_t base; /* bytes before the blob */
    uint64_t blob;
    uint64_t total; /* of the file */
};

/* Writes it; the caller commits and closes `out`. */
PEXCZ_MUST_USE int pexcz_image_write(const struct pexcz_image *image,
                                     struct pexcz_image_sizes *ret,
                                     struct pexcz_error *err);

#endif
