/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is freed all at once.
 *
 * What the packer learns from one PEX (names, requirements, plan entries)
 * lives and dies together: it is cut from an arena, and nothing in it is
 * freed by itself.  Zero-initialise ({0}) and call pexcz_arena_done() once;
 * both are safe on an empty one.  Not thread-safe.
 */
#ifndef PEXCZ_ARENA_H
#define PEXCZ_ARENA_H

#include "error.h"
#include "slice.h"

struct pexcz_arena_block;

struct pexcz_arena {
    struct pexcz_arena_block *head;
};

void pexcz_arena_done(struct pexcz_arena *arena);

/* Zeroed, max-aligned memory for n items of `size` bytes, never NULL for
 * n == 0.  NULL, with err set, when n * size overflows or memory is gone. */
void *pexcz_arena_alloc(struct pexcz_arena *arena, size_t n, size_t size,
                        struct pexcz_error *err);

/* A NUL-terminated copy.  The slice may hold NULs; they are copied. */
char *pexcz_arena_dup(struct pexcz_arena *arena, struct pexcz_slice s,
                      struct pexcz_error *err);
char *pexcz_arena_printf(struct pexcz_arena *arena, struct pexcz_error *err,
                         const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Make room in *items (n in use, *cap allocated) for one more. */
PEXCZ_MUST_USE int pexcz_arena_grow(struct pexcz_arena *arena, void **items,
                                    size_t n, size_t *cap, size_t size,
                                    struct pexcz_error *err);

/* A list of strings; items and strings live in the arena given to add. */
struct pexcz_strings {
    const char **items;
    size_t count;
    size_t cap;
};

/* Appends a copy of `s`. */
PEXCZ_MUST_USE int pexcz_strings_add(struct pexcz_strings *list,
                                     struct pexcz_arena *arena,
                                     struct pexcz_slice s,
                                     struct pexcz_error *err);
bool pexcz_strings_contain(const struct pexcz_strings *list, const char *s);

#endif
