/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An output file that appears complete or not at all.
 *
 * The content goes to a file without a name (O_TMPFILE) in the target's
 * folder, or, where the file system has none, to a temporary name; commit
 * syncs it and puts it at its place with link or rename.  So a run that fails
 * or is killed leaves what was there before, and nothing else.  A symbolic
 * link at the target is refused: replacing the link and writing through it
 * would each surprise somebody.
 */
#ifndef PEXCZ_OUT_FILE_H
#define PEXCZ_OUT_FILE_H

#include "error.h"

#include <stdint.h>
#include <sys/types.h>

struct pexcz_out_file {
    int fd;           /* for the writer; O_RDWR */
    int dir;          /* folder of the target */
    char *path;       /* target as given */
    char shown[512];  /* the same, fit for a message */
    const char *name; /* its last component */
    char *temp;       /* name in the folder, NULL while it has none */
};

/* Checks the target and opens the temporary file.  Errors name the target. */
PEXCZ_MUST_USE int pexcz_out_file_open(struct pexcz_out_file *out,
                                       const char *path,
                                       struct pexcz_error *err);

/* CONFLICT when the target exists and is the same file as `input`. */
PEXCZ_MUST_USE int pexcz_out_file_differs(const struct pexcz_out_file *out,
                                          const char *input,
                                          struct pexcz_error *err);

/* Syncs the content and gives it its name; `mode` is reduced by the umask. */
PEXCZ_MUST_USE int pexcz_out_file_commit(struct pexcz_out_file *out,
                                         mode_t mode, struct pexcz_error *err);

/* Closes; without a commit nothing remains.  Accepts a struct that open
 * failed on. */
void pexcz_out_file_close(struct pexcz_out_file *out);

/* The process's umask. */
mode_t pexcz_umask(void);

/* Writes all of it at `offset`; IO, and the message names the file. */
PEXCZ_MUST_USE int pexcz_out_file_write(const struct pexcz_out_file *out,
                                        const void *bytes, size_t size,
                                        uint64_t offset,
                                        struct pexcz_error *err);

#endif
