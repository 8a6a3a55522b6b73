/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are looked for while a snapshot is made and not found: OpenSSL's
 * configuration, for one.  The snapshot is good for processes
 * that would not find them either.
 */
#ifndef PEXCZ_LIBRARY_ABSENT_H
#define PEXCZ_LIBRARY_ABSENT_H

#include "buf.h"

#include <stdio.h>
#include <sys/stat.h>

void pexcz_library_absent_begin(void);

/* In the place of libc's; all but finding nothing is reported. */
FILE *pexcz_library_fopen(const char *path, const char *mode);
int pexcz_library_stat(const char *path, struct stat *ret);
int pexcz_library_open_file(const char *path, int flags, ...);
int pexcz_library_access(const char *path, int mode);
/* The same for a library of the system by its name. */
void *pexcz_library_dlopen(const char *name, int mode);

/* A path "~/…" below $HOME must not be there either.  False: too many. */
bool pexcz_library_absent_at_home(const char *path);

/* Whether one of them has opened a file that can be written to, in a process
 * that makes no snapshot, since forget() was called. */
bool pexcz_library_files_used(void);
void pexcz_library_files_forget(void);

/* Appends the table `absent` of snapshot_format.h. */
PEXCZ_MUST_USE int pexcz_library_absent_write(struct pexcz_buf *out,
                                              struct pexcz_error *err);

/* Whether none of the table's files is there. */
bool pexcz_library_absent_matches(struct pexcz_slice table);

#endif
