/* SPDX-License-Identifier: Apache-2.0 */
#include "arenas.h"

#include <Python.h>

#include <stdatomic.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define USUAL_PAGE 4096
/* A small program, or one that was restored, needs no more than the first: it
 * is not to take 2 MB for that. */
#define FIRST_HUGE 1

static atomic_uint count;
/* The second half of a huge page. */
static _Atomic(void *) spare;

/* Where the next one is to be; NULL: anywhere. */
static _Atomic(char *) place;

static void *
map(size_t size)
{
    void *want = place != NULL ? atomic_fetch_add(&place, size) : NULL;
    void *p = mmap(want, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p != MAP_FAILED ? p : NULL;
}

void
pexcz_arenas_place(void *address)
{
    place = address;
}

/* Where a huge page can be; NULL: there is no room. */
static char *
map_huge(void)
{
    char *p = map(2 * HUGE_PAGE);
    size_t before;

    if (p == NULL) {
        return NULL;
    }
    before = HUGE_PAGE - (uintptr_t)p % HUGE_PAGE;
    (void)munmap(p, before);
    p += before;
    if (before != HUGE_PAGE) {
        (void)munmap(p + HUGE_PAGE, HUGE_PAGE - before);
    }
    (void)madvise(p, HUGE_PAGE, MADV_HUGEPAGE);
    return p;
}

void *
pexcz_arena_map(size_t size)
{
    void *p;

    if (size != HUGE_PAGE / 2 || getauxval(AT_PAGESZ) != USUAL_PAGE
        || atomic_fetch_add(&count, 1) < FIRST_HUGE) {
        return map(size);
    }
    p = atomic_exchange(&spare, NULL);
    if (p == NULL) {
        char *both = map_huge();

        if (both == NULL) {
            return map(size);
        }
        p = both;
        /* Of two threads one may have to let its half go. */
        pexcz_arena_unmap(atomic_exchange(&spare, both + size), size);
    }
    return p;
}

void
pexcz_arena_unmap(void *p, size_t size)
{
    if (p != NULL) {
        (void)munmap(p, size);
    }
}

static void *
arena_alloc(void *context, size_t size)
{
    (void)context;
    return pexcz_arena_map(size);
}

static void
arena_free(void *context, void *p, size_t size)
{
    (void)context;
    pexcz_arena_unmap(p, size);
}

void
pexcz_arenas_use(void)
{
    PyObjectArenaAllocator arenas = {.alloc = arena_alloc, .free = arena_free};

    PyObject_SetArenaAllocator(&arenas);
}
