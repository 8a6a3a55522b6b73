/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adds a blob to an executable: a segment and a section of its own.
 *
 * The output is the base, the blob at the next page, then the section names
 * and section headers.  The program header goes into the room that the base's
 * link left behind the table, so nothing of the base moves.  Because segment
 * and section are real ones, strip, objcopy and signing tools keep the blob.
 *
 *   pexcz_exe_open()    checks the base
 *   pexcz_exe_begin()   copies it; *ret_offset is where the blob goes
 *   (the caller writes the blob there)
 *   pexcz_exe_finish()  writes the headers
 *
 * Used for the stdlib when a base is made, for the application when a PEX is
 * packed, and for the heap snapshot, whose segment is writable (and so private
 * to each process).  `base` may be a mapping of the file that is written: then
 * begin() is left out, and the blob goes to exe->offset.
 */
#ifndef PEXCZ_EXE_WRITER_H
#define PEXCZ_EXE_WRITER_H

#include "buf.h"
#include "elf_file.h"
#include "out_file.h"

struct pexcz_exe {
    struct pexcz_elf elf;
    uint64_t address;       /* of the blob */
    const char *section;    /* its name */
    struct pexcz_buf names; /* of the base's sections */
    uint64_t base_size;     /* bytes of the base that are copied */
    uint64_t page_size;     /* by which it is aligned */
    uint64_t offset;        /* of the blob in the file */
};

/*
 * Checks that a blob can be added at `address` (a constant of exe_layout.h)
 * as `section`: non-PIE, room for a program header, address and name free.
 * `base` and `name` are borrowed until close.
 */
PEXCZ_MUST_USE int pexcz_exe_open(struct pexcz_exe *exe,
                                  struct pexcz_slice base, const char *name,
                                  uint64_t address, const char *section,
                                  struct pexcz_error *err);
void pexcz_exe_close(struct pexcz_exe *exe);

PEXCZ_MUST_USE int pexcz_exe_begin(struct pexcz_exe *exe,
                                   const struct pexcz_out_file *out,
                                   uint64_t *ret_offset,
                                   struct pexcz_error *err);

/* `size` is the blob's; *ret_total the file's. */
PEXCZ_MUST_USE int pexcz_exe_finish(const struct pexcz_exe *exe,
                                    const struct pexcz_out_file *out,
                                    uint64_t size, uint64_t *ret_total,
                                    struct pexcz_error *err);

#endif
