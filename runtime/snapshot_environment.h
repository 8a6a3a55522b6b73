/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment gate: variables that were read while a snapshot was made,
 * with the values that they had.  Where one differs, the imports might have
 * gone another way.
 */
#ifndef PEXCZ_SNAPSHOT_ENVIRONMENT_H
#define PEXCZ_SNAPSHOT_ENVIRONMENT_H

#include "buf.h"

/* Notes that `name` was read; for the C code of the executable (getenv() is
 * wrapped) and for the script that makes the snapshot. */
void pexcz_snapshot_environment_note(const char *name);

/* Starts noting what getenv() is asked for. */
void pexcz_snapshot_environment_watch(void);

/* Appends the table `env` of snapshot_format.h. */
PEXCZ_MUST_USE int pexcz_snapshot_environment_write(struct pexcz_buf *out,
                                                    struct pexcz_error *err);

/* Whether this process's environment says the same.  Of what Python itself
 * takes from variables whose names begin with PYTHON, only
 * PYTHONDONTWRITEBYTECODE and PYTHONUNBUFFERED may be there
 * (snapshot_refresh.h), and PYTHONHASHSEED with the snapshot's own. */
bool pexcz_snapshot_environment_matches(struct pexcz_slice table,
                                        uint32_t hash_seed);

#endif
