/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How libraries of the image reach functions of libc: through numbered stubs
 * of the executable, whose addresses are constants of the link.
 *
 * A word of the image that holds a stub's address is right in every process,
 * whatever libc and CPU.  The stub jumps through a slot; the first call looks
 * the function up by name and version, as lazy binding does, so a function
 * that is never called costs nothing at start.
 */
#ifndef PEXCZ_LIBRARY_STUBS_H
#define PEXCZ_LIBRARY_STUBS_H

#include "buf.h"
#include "snapshot_format.h"

#include <stdbool.h>

/* Stubs that there are. */
#define PEXCZ_LIBRARY_STUBS 4096

/*
 * The number of the stub for the function `name` of version `version` (NULL:
 * any) of `library` (NULL: of those that every process has), which must lie in
 * the application's blob; negative when all are taken.
 * While a snapshot is made.  `watched`: every call of it goes to
 * pexcz_library_watched() first.
 */
int pexcz_library_stub_take(const char *name, const char *version,
                            const char *library, bool watched);
uint64_t pexcz_library_stub_address(int number);
/* Whose address it is; -1: no stub's. */
int pexcz_library_stub_number(uint64_t address);

/* The table `imports` of snapshot_format.h. */
PEXCZ_MUST_USE int pexcz_library_stubs_write(struct pexcz_buf *out,
                                             struct pexcz_error *err);

/* Takes over the table; its names are looked up when they are called. */
void pexcz_library_stubs_adopt(struct pexcz_slice table);

/* Whether a function for which `is_one` is true was called so far, or since
 * forget() was called with the same. */
bool pexcz_library_stubs_called(bool (*is_one)(const char *name));
void pexcz_library_stubs_forget(bool (*is_one)(const char *name));

/* What import `number` of the table is in this process; NULL: not there. */
void *pexcz_library_import(unsigned int number);

/* Where it is in thread-local data: the module, and the offset in it; false:
 * it is not there. */
bool pexcz_library_import_tls(unsigned int number, uint64_t *ret_module,
                              uint64_t *ret_offset);

/* The address of a libc function or variable, NULL: there is none. */
void *pexcz_library_look_up(const char *name, const char *version);

#endif
