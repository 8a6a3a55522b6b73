/* SPDX-License-Identifier: Apache-2.0 */
/* Private to library_*.c: the libraries that are loaded, in the process that
 * makes a snapshot and in one that was restored. */
#ifndef PEXCZ_LIBRARY_STATE_H
#define PEXCZ_LIBRARY_STATE_H

#include "library_elf.h"
#include "snapshot_format.h"

#define PEXCZ_LIBRARIES 1024
#define PEXCZ_LIBRARY_WORDS 65536

struct pexcz_library_state {
    const struct pexcz_snapshot_library *all;
    size_t count;
    /* While one is made. */
    struct pexcz_snapshot_library made[PEXCZ_LIBRARIES];
    struct pexcz_library_elf files[PEXCZ_LIBRARIES]; /* of those in made */
    struct pexcz_snapshot_word words[PEXCZ_LIBRARY_WORDS];
    size_t word_count;
    uint32_t glibc_minor;
};

extern struct pexcz_library_state pexcz_library_state;

/* Puts a library's segments that nobody writes to in place, over memory that
 * is reserved; `fd` is the executable. */
bool pexcz_library_map_code(const struct pexcz_snapshot_library *library,
                            int fd);
/* Sets a word of the process; false when it refers to what is not there. */
bool pexcz_library_set_word(const struct pexcz_snapshot_word *word);
/* Notes one that pexcz_library_set_word() sets in each process; `import` < 0:
 * none.  NULL, or why not. */
const char *pexcz_library_note_word(enum pexcz_snapshot_word_kind kind,
                                    uint64_t address, int import,
                                    uint64_t addend);
/* Makes read-only what is so once it is relocated. */
bool pexcz_library_protect(const struct pexcz_snapshot_library *library);

/* What of segment `i` is written to after that; false: nothing. */
bool pexcz_library_data(const struct pexcz_snapshot_library *library, size_t i,
                        uint64_t *ret_start, uint64_t *ret_end);

#endif
