/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `pexcz inspect`.
 */
#ifndef PEXCZ_INSPECT_H
#define PEXCZ_INSPECT_H

#include "inspection.h"
#include "options.h"

#include <jansson.h>

/* Prints what is in the file on stdout, which the caller flushes. */
PEXCZ_MUST_USE int pexcz_inspect(const struct pexcz_file_options *options,
                                 struct pexcz_error *err);

/* The two forms of the report. */
void pexcz_inspect_print_text(const struct pexcz_inspection *inspection);
PEXCZ_MUST_USE int
pexcz_inspect_print_json(const struct pexcz_inspection *inspection,
                         struct pexcz_error *err);

/* Of the heap snapshot; `inspection` is of the standard library, too. */
PEXCZ_MUST_USE int
pexcz_inspect_print_snapshot(struct pexcz_inspection *inspection, bool json,
                             struct pexcz_error *err);

/* "file", "directory", "link", "self". */
const char *pexcz_entry_kind_name(enum pexcz_entry_kind kind);

/* "package", "module", "extension", "bytecode". */
const char *pexcz_module_kind_name(const struct pexcz_module *module);

/* "raw", "zstd", "dict": zstd with the blob's dictionary. */
const char *pexcz_storage_name(enum pexcz_storage storage);

/* A string, with "\xNN" where JSON has no way to say it; NULL: no memory. */
json_t *pexcz_inspect_json_text(struct pexcz_slice s);

/* What an enum pexcz_boot_key is called, or NULL. */
const char *pexcz_boot_key_name(uint32_t key);

#endif
