/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RECORD files of installed distributions (PEP 376): CSV rows of path, hash
 * and size.
 */
#ifndef PEXCZ_RECORD_H
#define PEXCZ_RECORD_H

#include "arena.h"
#include "buf.h"

struct pexcz_record_row {
    const char *path;
    const char *hash; /* "" if missing */
    const char *size; /* "" if missing */
};

struct pexcz_record {
    struct pexcz_record_row *rows;
    size_t count;
    size_t cap;
    bool crlf; /* lines end in "\r\n" */
};

/* Parses; `where` begins every message. */
PEXCZ_MUST_USE int pexcz_record_parse(struct pexcz_slice text,
                                      const char *where,
                                      struct pexcz_arena *arena,
                                      struct pexcz_record *ret,
                                      struct pexcz_error *err);

/* Appends a row; the strings are borrowed. */
PEXCZ_MUST_USE int pexcz_record_add(struct pexcz_record *record,
                                    struct pexcz_arena *arena,
                                    const char *path, const char *hash,
                                    const char *size, struct pexcz_error *err);

/* The text of the file, as Python's csv module writes it. */
PEXCZ_MUST_USE int pexcz_record_format(const struct pexcz_record *record,
                                       struct pexcz_arena *arena,
                                       struct pexcz_slice *ret,
                                       struct pexcz_error *err);

#endif
