/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of pexcz_blob_verify(): shared by its files, not for others. */
#ifndef PEXCZ_BLOB_VERIFY_H
#define PEXCZ_BLOB_VERIFY_H

#include "blob_access.h"

/* Entries, names, order, child ranges, sizes; the path hash table. */
PEXCZ_MUST_USE int pexcz_blob_verify_entries(const struct pexcz_blob *blob,
                                             struct pexcz_error *err);

/* The module table against the entries; the module hash table. */
PEXCZ_MUST_USE int pexcz_blob_verify_modules(const struct pexcz_blob *blob,
                                             struct pexcz_error *err);

/* Shared objects and what they need, against the entries. */
PEXCZ_MUST_USE int pexcz_blob_verify_libraries(const struct pexcz_blob *blob,
                                               struct pexcz_error *err);

/*
 * A hash table against what it is of: each record has one slot with the right
 * upper half, and no empty slot cuts it off from where its probing starts.
 * The record's hash is its first field, an le64.
 */
PEXCZ_MUST_USE int pexcz_blob_verify_slots(const struct pexcz_blob *blob,
                                           const struct pexcz_range *slots,
                                           const struct pexcz_range *of,
                                           const char *what,
                                           struct pexcz_error *err);

/* Whether fields that 1.0 reserves must be zero: in a later minor version
 * they may mean something. */
bool pexcz_blob_is_minor_known(const struct pexcz_blob *blob);

#endif
