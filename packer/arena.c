/* SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_SIZE ((size_t)64 << 10)

struct pexcz_arena_block {
    struct pexcz_arena_block *next;
    size_t used;
    size_t cap;
    alignas(max_align_t) uint8_t data[];
};

void
pexcz_arena_done(struct pexcz_arena *arena)
{
    struct pexcz_arena_block *b = arena->head;

    while (b != NULL) {
        struct pexcz_arena_block *next = b->next;

        free(b);
        b = next;
    }
    arena->head = NULL;
}

static struct pexcz_arena_block *
new_block(size_t cap)
{
    struct pexcz_arena_block *b;

    if (cap > SIZE_MAX / 2) {
        return NULL;
    }
    b = calloc(1, sizeof(*b) + cap);
    if (b != NULL) {
        b->cap = cap;
    }
    return b;
}

void *
pexcz_arena_alloc(struct pexcz_arena *arena, size_t n, size_t size,
                  struct pexcz_error *err)
{
    const size_t align = alignof(max_align_t);
    struct pexcz_arena_block *b = arena->head;
    size_t bytes;
    void *p;

    if (__builtin_mul_overflow(n, size, &bytes)
        || bytes > SIZE_MAX / 2 - align) {
        goto nomem;
    }
    bytes = (bytes + align - 1) & ~(align - 1);
    if (bytes == 0) {
        bytes = align;
    }
    if (bytes > BLOCK_SIZE / 4) {
        /* A block of its own, behind the one that is being filled. */
        struct pexcz_arena_block *own = new_block(bytes);

        if (own == NULL) {
            goto nomem;
        }
        own->used = bytes;
        if (b == NULL) {
            arena->head = own;
        }
        else {
            own->next = b->next;
            b->next = own;
        }
        return own->data;
    }
    if (b == NULL || bytes > b->cap - b->used) {
        b = new_block(BLOCK_SIZE);
        if (b == NULL) {
            goto nomem;
        }
        b->next = arena->head;
        arena->head = b;
    }
    p = b->data + b->used;
    b->used += bytes;
    return p;

nomem:
    (void)pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    return NULL;
}

char *
pexcz_arena_dup(struct pexcz_arena *arena, struct pexcz_slice s,
                struct pexcz_error *err)
{
    char *p = pexcz_arena_alloc(arena, s.len + 1, 1, err);

    if (p != NULL && s.len != 0) {
        memcpy(p, s.ptr, s.len);
    }
    return p;
}

char *
pexcz_arena_printf(struct pexcz_arena *arena, struct pexcz_error *err,
                   const char *fmt, ...)
{
    va_list ap;
    char *p;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) {
        (void)pexcz_fail(err, PEXCZ_E_INTERNAL, 0, "bad format");
        return NULL;
    }
    p = pexcz_arena_alloc(arena, (size_t)n + 1, 1, err);
    if (p != NULL) {
        va_start(ap, fmt);
        (void)vsnprintf(p, (size_t)n + 1, fmt, ap);
        va_end(ap);
    }
    return p;
}

int
pexcz_arena_grow(struct pexcz_arena *arena, void **items, size_t n,
                 size_t *cap, size_t size, struct pexcz_error *err)
{
    size_t want = *cap < 8 ? 8 : *cap;
    void *p;

    if (n < *cap) {
        return PEXCZ_OK;
    }
    if (*cap != 0 && __builtin_mul_overflow(want, (size_t)2, &want)) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    p = pexcz_arena_alloc(arena, want, size, err);
    if (p == NULL) {
        return PEXCZ_E_NOMEM;
    }
    if (n != 0) {
        memcpy(p, *items, n * size);
    }
    *items = p;
    *cap = want;
    return PEXCZ_OK;
}

int
pexcz_strings_add(struct pexcz_strings *list, struct pexcz_arena *arena,
                  struct pexcz_slice s, struct pexcz_error *err)
{
    void *items = list->items;
    char *copy;

    if (pexcz_arena_grow(arena, &items, list->count, &list->cap,
                         sizeof(*list->items), err)
        < 0) {
        return PEXCZ_E_NOMEM;
    }
    list->items = items;
    copy = pexcz_arena_dup(arena, s, err);
    if (copy == NULL) {
        return PEXCZ_E_NOMEM;
    }
    list->items[list->count++] = copy;
    return PEXCZ_OK;
}

bool
pexcz_strings_contain(const struct pexcz_strings *list, const char *s)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], s) == 0) {
            return true;
        }
    }
    return false;
}
