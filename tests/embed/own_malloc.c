/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program's own malloc: glibc's with a mark in front of each block, so that
 * a block that came from elsewhere ends the process.
 */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MARK UINT64_C(0x70657863676d616c)

extern void *__libc_malloc(size_t size);
extern void __libc_free(void *block);

/* 16 bytes in front of each block: where it starts, and the mark. */
static void *
take(size_t align, size_t size)
{
    char *raw;
    uintptr_t at;

    if (size > SIZE_MAX / 2) {
        errno = ENOMEM;
        return NULL;
    }
    raw = __libc_malloc(size + align + 32);
    if (raw == NULL) {
        return NULL;
    }
    at = ((uintptr_t)raw + 32 + align - 1) & ~(uintptr_t)(align - 1);
    ((uint64_t *)at)[-1] = MARK;
    ((uint64_t *)at)[-2] = (uintptr_t)raw;
    ((uint64_t *)at)[-3] = size;
    return (void *)at;
}

void *
malloc(size_t size)
{
    return take(16, size);
}

void
free(void *block)
{
    uint64_t *words = block;

    if (block == NULL) {
        return;
    }
    if (words[-1] != MARK) {
        abort();
    }
    words[-1] = 0;
    __libc_free((void *)(uintptr_t)words[-2]);
}

void *
calloc(size_t count, size_t size)
{
    size_t whole;
    void *block;

    if (__builtin_mul_overflow(count, size, &whole)) {
        errno = ENOMEM;
        return NULL;
    }
    block = take(16, whole);
    return block != NULL ? memset(block, 0, whole) : NULL;
}

void *
realloc(void *block, size_t size)
{
    void *copy = take(16, size);

    if (copy != NULL && block != NULL) {
        size_t old = ((uint64_t *)block)[-3];

        memcpy(copy, block, old < size ? old : size);
        free(block);
    }
    return copy;
}

void *
memalign(size_t align, size_t size)
{
    return take(align < 16 ? 16 : align, size);
}

void *
aligned_alloc(size_t align, size_t size)
{
    return memalign(align, size);
}

int
posix_memalign(void **ret, size_t align, size_t size)
{
    void *block = memalign(align, size);

    if (block == NULL) {
        return ENOMEM;
    }
    *ret = block;
    return 0;
}
