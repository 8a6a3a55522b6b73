/* SPDX-License-Identifier: Apache-2.0 */
#include "library_tls.h"

#include "exe_layout.h"
#include "library_state.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#define ALIGN 64u
#define PAGE_MASK ((uintptr_t)PEXCZ_PAGE_SIZE - 1)
/* Module number of the executable's thread-local data. */
#define OWN_MODULE UINT64_C(1)
/* Of library 0; ld.so has none so high. */
#define FIRST_MODULE (UINT64_C(1) << 32)
/* A library with more has data of its own. */
#define MAX_SHARED 512u
/* Destructors of keys may use it: it is freed in the last round. */
#define ROUNDS PTHREAD_DESTRUCTOR_ITERATIONS

typedef void *get_addr_fn(const uint64_t module_and_offset[2]);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_memalign(size_t align, size_t size);
extern void __libc_free(void *block);
extern int __real_pthread_key_create(pthread_key_t *key,
                                     void (*destructor)(void *));

/* Not in .tbss: threads get a copy of what the executable says here. */
static __thread char reserve[ALIGN + PEXCZ_LIBRARY_TLS]
    __attribute__((aligned(ALIGN)))
    = {1};
static uint64_t taken;

/* Own data of a thread, by the library's number. */
struct own {
    char *blocks[PEXCZ_LIBRARIES];
    int rounds;
};

static __thread struct own *own;
static struct own own_of_main;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;

/* --- the executable's ---------------------------------------------------- */

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
    static uint64_t size; /* the same for whoever sets it */
    uint64_t known = __atomic_load_n(&size, __ATOMIC_RELAXED);

    if (known == 0) {
        const Elf64_Phdr *ph = find_segment();

        known = (ph->p_memsz + ph->p_align - 1) & ~(ph->p_align - 1);
        __atomic_store_n(&size, known, __ATOMIC_RELAXED);
    }
    return (char *)__builtin_thread_pointer() - known;
}

static bool
begin_with(uint64_t offset, struct pexcz_slice init)
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

/* --- libraries ----------------------------------------------------------- */

static bool
has_fixed_offsets(const struct pexcz_library_elf *file,
                  const struct pexcz_library_table *table)
{
    const Elf64_Rela *rela
        = pexcz_library_elf_at(file, table->address, table->size);

    for (size_t i = 0; rela != NULL && i < table->size / sizeof(*rela); i++) {
        if (ELF64_R_TYPE(rela[i].r_info) == R_X86_64_TPOFF64) {
            return true;
        }
    }
    return false;
}

bool
pexcz_library_tls_is_own(const struct pexcz_library_elf *file)
{
    return file->tls_size > MAX_SHARED && !has_fixed_offsets(file, &file->rela)
           && !has_fixed_offsets(file, &file->plt);
}

uint64_t
pexcz_library_tls_span(const struct pexcz_library_elf *file)
{
    return pexcz_library_tls_is_own(file)
               ? (file->tls_size + PAGE_MASK) & ~(uint64_t)PAGE_MASK
               : 0;
}

static bool
take_shared(uint64_t size, uint64_t align, uint64_t *ret_offset)
{
    uint64_t start = (taken + (align - 1)) & ~(align - 1);

    if (align == 0 || (align & (align - 1)) != 0 || align > ALIGN
        || size > PEXCZ_LIBRARY_TLS || start > PEXCZ_LIBRARY_TLS - size) {
        return false;
    }
    taken = start + size;
    *ret_offset = start;
    return true;
}

bool
pexcz_library_tls_take(const struct pexcz_library_elf *file,
                       struct pexcz_snapshot_library *library)
{
    if (file->tls_size == 0) {
        return true;
    }
    if (library->tls_block == 0) {
        return take_shared(file->tls_size, file->tls_align, &library->tls);
    }
    own_of_main.blocks[library - pexcz_library_state.made]
        = (char *)(uintptr_t)library->tls_block;
    own = &own_of_main;
    return file->tls_align <= PEXCZ_PAGE_SIZE;
}

uint64_t
pexcz_library_tls_taken(void)
{
    return taken;
}

void
pexcz_library_tls_give_back(uint64_t before)
{
    memset(place(before), 0, (size_t)(taken - before));
    taken = before;
}

uint64_t
pexcz_library_tls_from_thread(size_t number, uint64_t offset)
{
    return (uint64_t)(place(pexcz_library_state.all[number].tls + offset)
                      - (char *)__builtin_thread_pointer());
}

uint64_t
pexcz_library_tls_module(size_t number)
{
    return pexcz_library_state.all[number].tls_block != 0
               ? FIRST_MODULE + number
               : OWN_MODULE;
}

uint64_t
pexcz_library_tls_in_module(size_t number, uint64_t offset)
{
    const struct pexcz_snapshot_library *l = &pexcz_library_state.all[number];

    return l->tls_block != 0
               ? offset
               : (uint64_t)(place(l->tls + offset) - start_of_module());
}

/* --- own data ------------------------------------------------------------ */

static void
free_own(void *arg)
{
    struct own *o = arg;

    if (++o->rounds < ROUNDS && pthread_setspecific(key, o) == 0) {
        return;
    }
    for (size_t i = 0; i < PEXCZ_LIBRARIES; i++) {
        __libc_free(o->blocks[i]);
    }
    __libc_free(o);
    own = NULL;
}

static void
make_key(void)
{
    has_key = __real_pthread_key_create(&key, free_own) == 0;
}

/* What a thread begins with: the header that says so, in memory. */
static const Elf64_Phdr *
header_of(const struct pexcz_snapshot_library *library)
{
    const Elf64_Phdr *ph = (const void *)(uintptr_t)library->phdrs;

    for (size_t i = 0; i < library->phdr_count; i++) {
        if (ph[i].p_type == PT_TLS) {
            return &ph[i];
        }
    }
    return NULL;
}

static bool
initial(const struct pexcz_snapshot_library *library, struct pexcz_slice *ret)
{
    const Elf64_Phdr *ph = header_of(library);

    *ret = pexcz_slice_make(NULL, 0);
    if (ph == NULL || ph->p_vaddr > library->size
        || ph->p_filesz > library->size - ph->p_vaddr
        || ph->p_filesz > library->tls_size) {
        return ph == NULL && library->tls_size == 0;
    }
    *ret = pexcz_slice_make(
        (const void *)(uintptr_t)(library->base + ph->p_vaddr),
        (size_t)ph->p_filesz);
    return true;
}

bool
pexcz_library_tls_fill(const struct pexcz_snapshot_library *library)
{
    const struct pexcz_library_state *s = &pexcz_library_state;
    struct pexcz_slice init;
    char *main_data = library->tls_block != 0
                          ? (char *)(uintptr_t)library->tls_block
                          : place(library->tls);

    if (!initial(library, &init)) {
        return false;
    }
    for (size_t i = 0; i < s->word_count; i++) {
        if (s->words[i].address - (uintptr_t)init.ptr < init.len) {
            return false;
        }
    }
    if (init.len != 0) {
        memcpy(main_data, init.ptr, init.len);
    }
    return library->tls_block != 0 || begin_with(library->tls, init);
}

static _Noreturn void
give_up(void)
{
    abort(); /* as ld.so, which ends the process then */
}

static char *
make_block(size_t number)
{
    const struct pexcz_snapshot_library *l = &pexcz_library_state.all[number];
    struct pexcz_slice init;
    char *block;

    if (own == NULL) {
        own = __libc_calloc(1, sizeof(*own));
        if (own == NULL) {
            give_up();
        }
        (void)pthread_once(&key_once, make_key);
        if (has_key) {
            (void)pthread_setspecific(key, own);
        }
    }
    block = __libc_memalign(ALIGN, (size_t)l->tls_size);
    if (block == NULL || !initial(l, &init)) {
        give_up();
    }
    memset(block, 0, (size_t)l->tls_size);
    if (init.len != 0) {
        memcpy(block, init.ptr, init.len);
    }
    own->blocks[number] = block;
    return block;
}

/* ld.so's is not among what the base is linked with. */
static void *
get_addr_of_system(const uint64_t module_and_offset[2])
{
    static _Atomic(get_addr_fn *) real;
    get_addr_fn *function = atomic_load(&real);

    if (function == NULL) {
        void *found = dlsym(RTLD_DEFAULT, "__tls_get_addr");

        memcpy(&function, &found, sizeof(found));
        if (function == NULL) {
            give_up();
        }
        atomic_store(&real, function);
    }
    return function(module_and_offset);
}

void *
pexcz_library_tls_get_addr(const uint64_t module_and_offset[2])
{
    uint64_t number = module_and_offset[0] - FIRST_MODULE;
    char *block;

    /* Not by ld.so's: its address would be left over in dead frames, of which
     * some get into a snapshot as padding. */
    if (module_and_offset[0] == OWN_MODULE) {
        return start_of_module() + module_and_offset[1];
    }
    if (number >= PEXCZ_LIBRARIES) {
        return get_addr_of_system(module_and_offset);
    }
    block = own != NULL ? own->blocks[number] : NULL;
    if (block == NULL) {
        block = make_block((size_t)number);
    }
    return block + module_and_offset[1];
}

/* --- the snapshot -------------------------------------------------------- */

static bool
is_inner(uint64_t offset, uint64_t *ret_offset)
{
    uint64_t word;

    memcpy(&word, place(offset), sizeof(word));
    *ret_offset = word - (uintptr_t)place(0);
    return *ret_offset < taken;
}

int
pexcz_library_tls_write(struct pexcz_buf *out, struct pexcz_error *err)
{
    size_t start = out->len;
    uint64_t inner;
    int rc = pexcz_buf_append(out, place(0), (size_t)taken, err);

    for (uint64_t i = 0; rc == PEXCZ_OK && i + sizeof(inner) <= taken;
         i += sizeof(inner)) {
        if (is_inner(i, &inner)) {
            memcpy(out->ptr + start + i, &inner, sizeof(inner));
        }
    }
    return rc;
}

int
pexcz_library_tls_inner_write(struct pexcz_buf *out, struct pexcz_error *err)
{
    uint64_t inner;
    int rc = PEXCZ_OK;

    for (uint64_t i = 0; rc == PEXCZ_OK && i + sizeof(inner) <= taken;
         i += sizeof(inner)) {
        if (is_inner(i, &inner)) {
            rc = pexcz_buf_append(out, &i, sizeof(i), err);
        }
    }
    return rc;
}

struct pexcz_slice
pexcz_library_tls_own(const struct pexcz_snapshot_library *library)
{
    return library->tls_block == 0 && library->tls_size != 0
               ? pexcz_slice_make(place(library->tls),
                                  (size_t)library->tls_size)
               : pexcz_slice_make(place(0), 0);
}

bool
pexcz_library_tls_set(struct pexcz_slice content, struct pexcz_slice inner)
{
    uint64_t offset;
    uint64_t word;

    if (content.len > PEXCZ_LIBRARY_TLS) {
        return false;
    }
    memcpy(place(0), content.ptr, content.len);
    taken = content.len;
    for (size_t i = 0; i + sizeof(offset) <= inner.len; i += sizeof(offset)) {
        memcpy(&offset, inner.ptr + i, sizeof(offset));
        if (taken < sizeof(word) || offset > taken - sizeof(word)) {
            return false;
        }
        memcpy(&word, place(offset), sizeof(word));
        word += (uintptr_t)place(0);
        memcpy(place(offset), &word, sizeof(word));
    }
    return true;
}

bool
pexcz_library_tls_begin_threads(const struct pexcz_snapshot_library *library)
{
    struct pexcz_slice init;

    if (!initial(library, &init)) {
        return false;
    }
    if (library->tls_block == 0) {
        return begin_with(library->tls, init);
    }
    own_of_main.blocks[library - pexcz_library_state.all]
        = (char *)(uintptr_t)library->tls_block;
    own = &own_of_main;
    return true;
}
