/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the libraries of a snapshot in place.
 */
#ifndef PEXCZ_LIBRARY_RESTORE_H
#define PEXCZ_LIBRARY_RESTORE_H

#include "locate.h"
#include "snapshot_format.h"

/* Whether this process can have them: tables that make sense, a libc that is
 * new enough, the processor of the snapshot where that matters.  NULL, or why
 * not. */
const char *pexcz_libraries_check(const struct pexcz_located *located,
                                  const struct pexcz_snapshot_header *header);

/* Reserves their addresses and maps their code.  False, and nothing there,
 * when that is not possible. */
bool pexcz_libraries_place(const struct pexcz_snapshot_header *header);
/* Takes them away again. */
void pexcz_libraries_remove(const struct pexcz_snapshot_header *header);

/* Their data, once the code is in place; as main() got them: `argc`, `argv`.
 * False when a function that they need is not there. */
bool pexcz_libraries_resume(const struct pexcz_snapshot_header *header,
                            int argc, char *const *argv);

/* Then what the imports did that each process does again. */
void pexcz_libraries_act(const struct pexcz_snapshot_header *header);

#endif
