/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared objects of the application inside of the heap snapshot.
 *
 * While a snapshot is made the runtime loads them itself, at fixed addresses,
 * instead of ld.so: code is mapped from the application's blob in the
 * executable, data is stored with the snapshot, libc is reached through stubs
 * (library_stubs.h).  So nothing of them has to be loaded or relocated at
 * start, and no file is needed beside the executable.
 *
 * A library that cannot be loaded so is left to ld.so, and so left out.
 */
#ifndef PEXCZ_LIBRARY_DIRECT_H
#define PEXCZ_LIBRARY_DIRECT_H

#include "locate.h"
#include "page_runs.h"
#include "snapshot_format.h"

/* From now on libraries of the application are loaded so.  While a snapshot
 * is made, or what can be in it is found out. */
void pexcz_libraries_begin(const struct pexcz_located *located);

/* The library at `inner`, a path below the root of the tree, loaded if it was
 * not; NULL when it cannot be, and *ret_why says why: "is …", "needs …".
 * Always NULL in a process that makes no snapshot, unless it is in the
 * snapshot that the process was restored from. */
const struct pexcz_snapshot_library *pexcz_library_open(const char *inner,
                                                        const char **ret_why);

/* Leaves it to ld.so, unless it is loaded. */
void pexcz_library_refuse(const char *inner);

/* The same as a handle for dlopen(): NULL leaves it to ld.so. */
void *pexcz_library_handle(const char *inner, int mode);

/* Those that are loaded. */
const struct pexcz_snapshot_library *pexcz_libraries(size_t *ret_count);

/* The one that `address` lies in, or NULL. */
const struct pexcz_snapshot_library *pexcz_library_of(const void *address);

/* Whether that one defines a function of one of the names. */
bool pexcz_library_has_any(const void *address, const char *const *names,
                           size_t count);

/* Where the string, a constant of a library, lies in the application's blob;
 * NULL: nowhere.  While a snapshot is made. */
const char *pexcz_library_in_blob(const char *text);

/* Whether one of them has got hold of something by which the end of an object
 * of it could be noticed, since a program that was restored began to run. */
bool pexcz_libraries_are_noticeable(void);

/* Whether the code at `address` is of one that prints; NULL: any of them. */
bool pexcz_libraries_print(const void *address);

/* Adds their data to the pages, what `first` is as in page_runs.h. */
PEXCZ_MUST_USE int pexcz_libraries_pages(struct pexcz_page_runs *pages,
                                         uint64_t first,
                                         struct pexcz_error *err);

/* Sets the header's fields and appends the tables, which follow `offset`
 * bytes of the snapshot; the fields of the tables are set, too. */
PEXCZ_MUST_USE int pexcz_libraries_write(struct pexcz_snapshot_header *header,
                                         uint64_t offset,
                                         struct pexcz_buf *out,
                                         struct pexcz_error *err);

#endif
