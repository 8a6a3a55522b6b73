/* SPDX-License-Identifier: Apache-2.0 */
#include "library_tls.h"

#include "exe_layout.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#define ALIGN 64u
#define PAGE_MASK ((uintptr_t)PEXCZ_PAGE_SIZE - 1)

/* Not in .tbss: threads get a copy of what the executable says here. */
static __thread char reserve[ALIGN + PEXCZ_LIBRARY_TLS]
    __attribute__((aligned(ALIGN)))
    = {1};
static uint64_t taken;

static char *
place(uint64_t offset)
{
    return reserve + ALIGN + offset;
}

/* The executable's thread-local data: what ld.so copies for each thread. */
static const Elf64_Phdr *
find_segment(void)
{
    const Elf64_Phdr *ph = (const Elf64_Phdr *)getauxval(AT_PHDR);
    unsigned long count = getauxval(AT_PHNUM);

    for (unsigned long i = 0; i < count; i++) {
        if (ph[i].p_type == PT_TLS) {
            return &ph[i];
        }
    }
    return NULL; /* cannot be: `reserve` is in it */
}

/* It ends, aligned, at the thread's pointer. */
static char *
start_of_module(void)
{
    const Elf64_Phdr *ph = find_segment();
    uint64_t size = (ph->p_memsz + ph->p_align - 1) & ~(ph->p_align - 1);

    return (char *)__builtin_thread_pointer() - size;
}

uint64_t
pexcz_library_tls_from_thread(uint64_t offset)
{
    return (uint64_t)(place(offset) - (char *)__builtin_thread_pointer());
}

uint64_t
pexcz_library_tls_in_module(uint64_t offset)
{
    return (uint64_t)(place(offset) - start_of_module());
}

bool
pexcz_library_tls_begin_with(uint64_t offset, struct pexcz_slice init)
{
    char *all = (char *)(uintptr_t)find_segment()->p_vaddr;
    char *start;
    uintptr_t first;
    size_t size;

    if (init.len == 0) {
        return true;
    }
    start = all + (place(offset) - start_of_module());
    first = (uintptr_t)start & ~PAGE_MASK;
    size = (uintptr_t)start + init.len - first;
    if (mprotect((void *)first, size, PROT_READ | PROT_WRITE) != 0) {
        return false;
    }
    memcpy(start, init.ptr, init.len);
    return mprotect((void *)first, size, PROT_READ) == 0;
}

bool
pexcz_library_tls_take(struct pexcz_slice init, uint64_t size, uint64_t align,
                       uint64_t *ret_offset)
{
    uint64_t start = (taken + (align - 1)) & ~(align - 1);

    if (align == 0 || (align & (align - 1)) != 0 || align > ALIGN
        || size > PEXCZ_LIBRARY_TLS || start > PEXCZ_LIBRARY_TLS - size
        || init.len > size) {
        return false;
    }
    if (!pexcz_library_tls_begin_with(start, init)) {
        return false;
    }
    if (init.len != 0) {
        memcpy(place(start), init.ptr, init.len);
    }
    taken = start + size;
    *ret_offset = start;
    return true;
}

struct pexcz_slice
pexcz_library_tls_content(void)
{
    return pexcz_slice_make(place(0), (size_t)taken);
}

bool
pexcz_library_tls_set(struct pexcz_slice content)
{
    if (content.len > PEXCZ_LIBRARY_TLS) {
        return false;
    }
    memcpy(place(0), content.ptr, content.len);
    taken = content.len;
    return true;
}
