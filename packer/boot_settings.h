/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan's boot settings as records of the blob (enum pexcz_boot_key).
 */
#ifndef PEXCZ_BOOT_SETTINGS_H
#define PEXCZ_BOOT_SETTINGS_H

#include "blob_writer.h"
#include "plan.h"

/* `name` is for the runtime's messages; `options` are NAME=value. */
PEXCZ_MUST_USE int
pexcz_boot_settings_write(const struct pexcz_plan *plan, const char *name,
                          const struct pexcz_strings *options,
                          struct pexcz_blob_writer *writer,
                          struct pexcz_error *err);

#endif
