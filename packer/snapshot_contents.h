/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in the heap snapshot of a packed file, ready to be printed.
 */
#ifndef PEXCZ_SNAPSHOT_CONTENTS_H
#define PEXCZ_SNAPSHOT_CONTENTS_H

#include "inspection.h"
#include "snapshot_report.h"
#include "snapshot_view.h"

/* A variable that the imports have read. */
struct pexcz_snapshot_variable {
    const char *name;
    const char *value; /* that it must have; NULL: it must be unset */
};

struct pexcz_snapshot_module {
    const char *name;
    uint64_t size; /* of its bytecode; 0: it has none */
};

struct pexcz_snapshot_contents {
    struct pexcz_snapshot_view view;
    struct pexcz_snapshot_module *modules; /* in the order of their imports */
    size_t module_count;
    struct pexcz_snapshot_left *left;
    size_t left_count;
    struct pexcz_strings notes;
    struct pexcz_snapshot_variable *variables;
    size_t variable_count;
    struct pexcz_strings absent; /* files that must not be there */
    const struct pexcz_snapshot_library *libraries; /* in the file */
    size_t library_count;
    double gain;   /* predicted, see the source: ms of an ordinary start */
    uint64_t heap; /* bytes of the heap */
    uint64_t static_data;  /* bytes of Python's static data */
    uint64_t library_data; /* bytes of the libraries' data */
    uint64_t tables;       /* bytes of the rest */
};

/*
 * `inspection` is of the whole file, standard library included, and holds the
 * memory of *ret.  UNSUPPORTED: the file has no snapshot; CORRUPT: it is
 * damaged.
 */
PEXCZ_MUST_USE int
pexcz_snapshot_contents_read(struct pexcz_inspection *inspection,
                             struct pexcz_snapshot_contents *ret,
                             struct pexcz_error *err);

#endif
