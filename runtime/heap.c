/* SPDX-License-Identifier: Apache-2.0 */
#include "heap.h"

#include "arenas.h"
#include "exe_layout.h"
#include "heap_places.h"

#include <Python.h>

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RESERVED (PEXCZ_ADDR_SNAPSHOT_END - PEXCZ_ADDR_SNAPSHOT)
/* Four sizes for each doubling, from 16 bytes to the whole reservation. */
#define CLASS_COUNT 132
#define ALIGNED_CLASS CLASS_COUNT /* of a block that is never reused */
#define MAX_ARENAS 4096
#define MAX_SERVED 32
/* Where memory begins that is not stored: at some page behind this. */
#define DIVERTED (PEXCZ_ADDR_SNAPSHOT + RESERVED / 2)
#define DIVERTED_PAGES 0xfffffu

/* glibc's own entry points under its malloc. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t align, size_t size);
extern void __libc_free(void *block);
extern const char __executable_start[];
extern const char etext[];

/* In front of each block of the arena. */
struct block {
    uint64_t size; /* bytes behind this header */
    uint64_t class;
};

static struct {
    bool active;
    uint64_t size; /* of the arena in this process: reserved or adopted */
    uint64_t next; /* address of the first byte never handed out */
    atomic_flag lock;
    struct block *free[CLASS_COUNT];
    size_t arena_count; /* of Python's */
    bool arenas_are_full;
    void *arenas[MAX_ARENAS];
    size_t served_count;
    struct {
        uint64_t start;
        uint64_t size;
    } served[MAX_SERVED];
    bool diverting;
    uint64_t diverted;      /* 0, or address of that memory */
    uint64_t diverted_next; /* as `next` */
    uint64_t together;      /* room for blocks that are to lie together */
    uint64_t together_end;
} heap = {.lock = ATOMIC_FLAG_INIT};

/* Free blocks of a class are linked through their first word. */
static struct block *
next_free(const struct block *b)
{
    return *(struct block *const *)(b + 1);
}

static void
set_next_free(struct block *b, struct block *next)
{
    *(struct block **)(b + 1) = next;
}

static inline bool
is_arena(const void *p)
{
    return (uint64_t)(uintptr_t)p - PEXCZ_ADDR_SNAPSHOT < heap.size;
}

/* Whether the executable itself calls, or a library that is stored with it
 * (library_direct.h), or one that works for those; not libc. */
static inline bool
is_own_call(const void *return_address)
{
    const char *p = return_address;

    if ((p >= __executable_start && p < etext)
        || (uint64_t)(uintptr_t)p - PEXCZ_ADDR_LIBRARIES
               < PEXCZ_ADDR_LIBRARIES_END - PEXCZ_ADDR_LIBRARIES) {
        return true;
    }
    for (size_t i = 0; i < heap.served_count; i++) {
        if ((uint64_t)(uintptr_t)p - heap.served[i].start
            < heap.served[i].size) {
            return true;
        }
    }
    return false;
}

static void
lock(void)
{
    while (
        atomic_flag_test_and_set_explicit(&heap.lock, memory_order_acquire)) {
    }
}

static void
unlock(void)
{
    atomic_flag_clear_explicit(&heap.lock, memory_order_release);
}

/* --- blocks of the arena ------------------------------------------------- */

/* The class whose blocks hold `size` bytes; *ret_size: how many they hold. */
static unsigned int
class_of(size_t size, uint64_t *ret_size)
{
    uint64_t whole = 16;
    unsigned int class = 0;

    while (whole < size) {
        for (uint64_t quarter = 1; quarter <= 4; quarter++) {
            uint64_t part = (whole + whole * quarter / 4 + 15) & ~(uint64_t)15;

            if (part >= size) {
                *ret_size = part;
                return class + (unsigned int)quarter;
            }
        }
        whole *= 2;
        class += 4;
    }
    *ret_size = whole;
    return class;
}

static struct block *
take_new(uint64_t size, uint64_t align)
{
    uint64_t *next = heap.diverting ? &heap.diverted_next : &heap.next;
    uint64_t end = heap.diverting ? PEXCZ_ADDR_SNAPSHOT + RESERVED : DIVERTED;
    uint64_t start = *next + sizeof(struct block);
    struct block *b;

    start = (start + align - 1) & ~(align - 1);
    if (start + size > end) {
        errno = ENOMEM;
        return NULL;
    }
    *next = start + size;
    b = (struct block *)(uintptr_t)(start - sizeof(*b));
    b->size = size;
    return b;
}

static void *
arena_alloc(size_t size)
{
    uint64_t whole;
    unsigned int class;
    struct block *b;

    if (size > RESERVED / 2) {
        errno = ENOMEM;
        return NULL;
    }
    class = class_of(size, &whole);
    lock();
    b = heap.diverting ? NULL : heap.free[class];
    if (b != NULL) {
        heap.free[class] = next_free(b);
    }
    else {
        b = take_new(whole, 16);
    }
    unlock();
    if (b == NULL) {
        return NULL;
    }
    b->class = class;
    return b + 1;
}

static void *
arena_alloc_aligned(size_t align, size_t size)
{
    struct block *b;

    if (size > RESERVED / 2 || align > RESERVED / 2) {
        errno = ENOMEM;
        return NULL;
    }
    lock();
    b = take_new((size + 15) & ~(size_t)15, align < 16 ? 16 : align);
    unlock();
    if (b == NULL) {
        return NULL;
    }
    b->class = ALIGNED_CLASS;
    return b + 1;
}

static void
arena_free(void *p)
{
    struct block *b = (struct block *)p - 1;

    if (!heap.active || (uint64_t)(uintptr_t)b >= DIVERTED) {
        return;
    }
    /* What it held would show in the padding of what comes next. */
    memset(p, 0, b->size);
    if (b->class >= CLASS_COUNT) {
        return;
    }
    lock();
    set_next_free(b, heap.free[b->class]);
    heap.free[b->class] = b;
    unlock();
}

static uint64_t
arena_size(const void *p)
{
    return ((const struct block *)p - 1)->size;
}

/* --- malloc and its family ----------------------------------------------- */

/* For shared objects, too: one of them may free what another allocated. */
#pragma GCC visibility push(default)

void *
malloc(size_t size)
{
    if (heap.active && is_own_call(__builtin_return_address(0))) {
        return arena_alloc(size);
    }
    return __libc_malloc(size);
}

void
free(void *p)
{
    if (is_arena(p)) {
        arena_free(p);
        return;
    }
    __libc_free(p);
}

void *
calloc(size_t count, size_t size)
{
    if (heap.active && is_own_call(__builtin_return_address(0))) {
        size_t all;
        void *p;

        if (__builtin_mul_overflow(count, size, &all)) {
            errno = ENOMEM;
            return NULL;
        }
        p = arena_alloc(all);
        return p != NULL ? memset(p, 0, all) : NULL;
    }
    return __libc_calloc(count, size);
}

void *
realloc(void *p, size_t size)
{
    bool own = heap.active && is_own_call(__builtin_return_address(0));
    void *copy;

    if (p == NULL) {
        return own ? arena_alloc(size) : __libc_malloc(size);
    }
    if (!is_arena(p)) {
        return __libc_realloc(p, size);
    }
    if (size == 0) {
        arena_free(p);
        return NULL;
    }
    if (size <= arena_size(p)) {
        return p;
    }
    copy = heap.active ? arena_alloc(size) : __libc_malloc(size);
    if (copy != NULL) {
        memcpy(copy, p, arena_size(p));
        arena_free(p);
    }
    return copy;
}

void *
memalign(size_t align, size_t size)
{
    if (heap.active && is_own_call(__builtin_return_address(0))) {
        return arena_alloc_aligned(align, size);
    }
    return __libc_memalign(align, size);
}

void *
aligned_alloc(size_t align, size_t size)
{
    if (heap.active && is_own_call(__builtin_return_address(0))) {
        return arena_alloc_aligned(align, size);
    }
    return __libc_memalign(align, size);
}

int
posix_memalign(void **ret, size_t align, size_t size)
{
    int saved = errno;
    void *p;

    if (align < sizeof(void *) || (align & (align - 1)) != 0) {
        return EINVAL;
    }
    p = heap.active && is_own_call(__builtin_return_address(0))
            ? arena_alloc_aligned(align, size)
            : __libc_memalign(align, size);
    errno = saved;
    if (p == NULL) {
        return ENOMEM;
    }
    *ret = p;
    return 0;
}

void *
valloc(size_t size)
{
    return __libc_memalign(PEXCZ_PAGE_SIZE, size);
}

void *
pvalloc(size_t size)
{
    size_t whole
        = (size + PEXCZ_PAGE_SIZE - 1) & ~(size_t)(PEXCZ_PAGE_SIZE - 1);

    if (whole < size) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_memalign(PEXCZ_PAGE_SIZE, whole);
}

/* glibc keeps a chunk's size, with flags, in front of it; a chunk of its own
 * mapping (flag 2) has one word less. */
size_t
malloc_usable_size(void *p)
{
    size_t word;

    if (p == NULL) {
        return 0;
    }
    if (is_arena(p)) {
        return (size_t)arena_size(p);
    }
    memcpy(&word, (const char *)p - sizeof(word), sizeof(word));
    return (word & ~(size_t)7)
           - ((word & 2) != 0 ? 2 * sizeof(word) : sizeof(word));
}

#pragma GCC visibility pop

/* --- Python's arenas ----------------------------------------------------- */

/* ARENA_SIZE, POOL_SIZE and struct pool_header of CPython's
 * Objects/obmalloc.c: an arena is cut into aligned pools of blocks of one
 * size.  Stacks of frames come from the same allocator, in other sizes. */
#define ARENA_SIZE (1u << 20)
#define POOL_SIZE (1u << 14)
#define POOL_CLASSES 32u

struct pool {
    uint64_t used; /* blocks */
    char *free;    /* first free block; its first word leads to the next */
    void *links[2];
    uint32_t arena;
    uint32_t class; /* blocks have 16 * (class + 1) bytes */
    uint32_t end;   /* of the blocks that were ever used */
    uint32_t last;
};

/* What freed objects held would differ from one dump to the next. */
static void
clear_free_blocks(struct pool *pool)
{
    size_t size = 16 * ((size_t)pool->class + 1);

    if (pool->end == 0 || pool->class >= POOL_CLASSES) {
        return; /* never used */
    }
    for (char *block = pool->free; block != NULL;) {
        char *next;

        memcpy(&next, block, sizeof(next));
        memset(block + sizeof(next), 0, size - sizeof(next));
        block = next;
    }
}

static void
clear_arenas(void)
{
    for (size_t i = 0; i < heap.arena_count; i++) {
        char *arena = heap.arenas[i];

        for (size_t at = 0; at < ARENA_SIZE; at += POOL_SIZE) {
            clear_free_blocks((struct pool *)(void *)(arena + at));
        }
    }
}

static void *
python_arena_alloc(void *context, size_t size)
{
    void *p;

    (void)context;
    if (!heap.active) {
        return pexcz_arena_map(size);
    }
    if (heap.arena_count == MAX_ARENAS || heap.arenas_are_full) {
        return NULL;
    }
    p = arena_alloc_aligned(POOL_SIZE, size);
    if (p != NULL && size == ARENA_SIZE) {
        heap.arenas[heap.arena_count++] = p;
    }
    return p;
}

static void
python_arena_free(void *context, void *p, size_t size)
{
    (void)context;
    if (!is_arena(p)) {
        pexcz_arena_unmap(p, size);
        return;
    }
    if (heap.active) {
        memset(p, 0, size);
    }
}

/* --- Python's small blocks ----------------------------------------------- */

/* What freed objects held would show in the padding of new ones: a block is
 * cleared when it is freed. */
static const PyMemAllocatorDomain domains[]
    = {PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};
#define DOMAINS (sizeof(domains) / sizeof(domains[0]))
static PyMemAllocatorEx usual[DOMAINS];

/* How many bytes the block has; 0: it is none of Python's arenas. */
static size_t
block_size(const void *p)
{
    static const char *last;
    const struct pool *pool;

    if (last == NULL || (uintptr_t)p - (uintptr_t)last >= ARENA_SIZE) {
        size_t i = heap.arena_count;

        while (i != 0
               && (uintptr_t)p - (uintptr_t)heap.arenas[i - 1] >= ARENA_SIZE) {
            i--;
        }
        if (i == 0) {
            return 0;
        }
        last = heap.arenas[i - 1];
    }
    pool = (const struct pool *)((uintptr_t)p & ~(uintptr_t)(POOL_SIZE - 1));
    return pool->class < POOL_CLASSES ? 16 * ((size_t)pool->class + 1) : 0;
}

/* Of those that are to lie together; NULL: it is to lie anywhere.  In a
 * process that was restored, they are to Python blocks of malloc. */
static void *
take_together(size_t size)
{
    uint64_t start = heap.together + sizeof(struct block);
    uint64_t whole = (size + 15) & ~(uint64_t)15;
    struct block *b = (struct block *)(uintptr_t)heap.together;

    if (!pexcz_places_next() || heap.diverting || whole > RESERVED / 2
        || start + whole > heap.together_end) {
        return NULL;
    }
    b->size = whole;
    b->class = ALIGNED_CLASS;
    heap.together = start + whole;
    return b + 1;
}

/* Of any block that Python has. */
static size_t
python_block_size(const void *p)
{
    size_t size = block_size(p);

    return size != 0 ? size : (size_t)arena_size(p);
}

static void *
clearing_malloc(void *context, size_t size)
{
    const PyMemAllocatorEx *u = context;
    void *p = take_together(size);

    p = p != NULL ? p : u->malloc(u->ctx, size);
    pexcz_places_note(p);
    return p;
}

static void *
clearing_calloc(void *context, size_t count, size_t size)
{
    const PyMemAllocatorEx *u = context;
    void *p = NULL;
    size_t all;

    if (!__builtin_mul_overflow(count, size, &all)) {
        p = take_together(all); /* memory that nobody had before */
    }
    p = p != NULL ? p : u->calloc(u->ctx, count, size);
    pexcz_places_note(p);
    return p;
}

static void
clearing_free(void *context, void *p)
{
    const PyMemAllocatorEx *u = context;
    size_t size = p != NULL ? block_size(p) : 0;

    if (size != 0) {
        memset(p, 0, size);
    }
    pexcz_places_forget(p);
    u->free(u->ctx, p);
}

static void *
clearing_realloc(void *context, void *p, size_t size)
{
    const PyMemAllocatorEx *u = context;
    size_t old = p != NULL ? block_size(p) : 0;
    void *copy = take_together(size);

    if (copy == NULL && old == 0) {
        copy = u->realloc(u->ctx, p, size);
        if (copy != NULL) {
            pexcz_places_forget(p);
            pexcz_places_note(copy);
        }
        return copy;
    }
    if (copy == NULL && size <= old) {
        pexcz_places_note(p);
        return p;
    }
    if (copy == NULL) {
        copy = u->malloc(u->ctx, size);
    }
    if (copy != NULL) {
        old = p != NULL ? python_block_size(p) : 0;
        memcpy(copy, p, old < size ? old : size);
        clearing_free(context, p);
        pexcz_places_note(copy);
    }
    return copy;
}

static void
begin_clearing(void)
{
    for (size_t i = 0; i < DOMAINS; i++) {
        PyMemAllocatorEx clearing = {
            .ctx = &usual[i],
            .malloc = clearing_malloc,
            .calloc = clearing_calloc,
            .realloc = clearing_realloc,
            .free = clearing_free,
        };

        PyMem_GetAllocator(domains[i], &usual[i]);
        PyMem_SetAllocator(domains[i], &clearing);
    }
}

static void
end_clearing(void)
{
    for (size_t i = 0; i < DOMAINS; i++) {
        PyMem_SetAllocator(domains[i], &usual[i]);
    }
}

/* Takes all that Python has left.  A process that was restored begins with an
 * arena of its own then, where new objects of a size lie close together: the
 * free blocks of these are in as many pages, each of which it would copy. */
static void
fill_arenas(void)
{
    heap.arenas_are_full = true;
    for (size_t size = 16; size <= 16 * (size_t)POOL_CLASSES; size += 16) {
        void *p;

        while ((p = PyObject_Malloc(size)) != NULL && block_size(p) != 0) {
            memset(p, 0, size);
        }
        PyObject_Free(p);
    }
}

bool
pexcz_heap_begin(uint64_t together)
{
    PyObjectArenaAllocator arenas = {
        .alloc = python_arena_alloc,
        .free = python_arena_free,
    };
    void *want = (void *)(uintptr_t)PEXCZ_ADDR_SNAPSHOT;
    void *got = mmap(want, RESERVED, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
                         | MAP_FIXED_NOREPLACE,
                     -1, 0);

    if (got != want) {
        return false;
    }
    heap.together = PEXCZ_ADDR_HEAP;
    heap.together_end = PEXCZ_ADDR_HEAP + together;
    heap.next = (heap.together_end + PEXCZ_PAGE_SIZE - 1)
                & ~(uint64_t)(PEXCZ_PAGE_SIZE - 1);
    heap.size = RESERVED;
    heap.active = true;
    PyObject_SetArenaAllocator(&arenas);
    begin_clearing();
    return true;
}

void
pexcz_heap_serve(uint64_t start, uint64_t size)
{
    if (heap.active && heap.served_count < MAX_SERVED) {
        heap.served[heap.served_count].start = start;
        heap.served[heap.served_count++].size = size;
    }
}

void
pexcz_heap_divert(bool on)
{
    if (on && heap.diverted == 0) {
        uint32_t number = 0;

        (void)syscall(SYS_getrandom, &number, sizeof(number), 0);
        heap.diverted
            = DIVERTED + (uint64_t)(number & DIVERTED_PAGES) * PEXCZ_PAGE_SIZE;
        heap.diverted_next = heap.diverted;
    }
    heap.diverting = on && heap.active;
}

void
pexcz_heap_diverted(uint64_t *ret_start, uint64_t *ret_end)
{
    *ret_start = heap.diverted;
    *ret_end = heap.diverted_next;
}

void
pexcz_heap_clear_free(void)
{
    clear_arenas();
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        for (struct block *b = heap.free[i]; b != NULL; b = next_free(b)) {
            struct block *next = next_free(b);

            memset(b + 1, 0, b->size);
            set_next_free(b, next);
        }
    }
}

uint64_t
pexcz_heap_end(void)
{
    end_clearing();
    fill_arenas();
    heap.active = false;
    pexcz_heap_clear_free();
    return heap.next;
}

void
pexcz_heap_adopt(uint64_t end)
{
    heap.size = end - PEXCZ_ADDR_SNAPSHOT;
}

int
pexcz_heap_record(struct pexcz_error *err)
{
    return pexcz_places_record(PEXCZ_ADDR_HEAP, DIVERTED, err);
}

int
pexcz_heap_write_places(int fd, struct pexcz_error *err)
{
    return pexcz_places_write(fd, heap.next, python_block_size, err);
}

int
pexcz_heap_each_lookup(void (*visit)(const struct pexcz_place_pair *pair),
                       struct pexcz_error *err)
{
    return pexcz_places_each_lookup(heap.next, visit, err);
}
