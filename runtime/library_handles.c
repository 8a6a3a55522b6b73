/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ld.so answers about its libraries, for those of the image as well,
 * which it does not know: dlsym() and its family, dladdr(), and what unwinders
 * ask.  A library's handle is its address.
 */
#include "exe_layout.h"
#include "library_direct.h"
#include "shared_objects.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>

typedef int iterate_callback(struct dl_phdr_info *info, size_t size,
                             void *arg);
typedef void *dlsym_fn(void *handle, const char *name);

void *pexcz_library_dlsym(const char *handle, const char *name);
dlsym_fn *pexcz_library_next_dlsym(void);
dlsym_fn *pexcz_library_real_dlsym;

/* For dlerror(): what the last call about one of our handles complains of. */
static __thread char complaint[512];
static __thread bool complains;

/*
 * dlsym(handle, name): ours for a handle of ours, else a jump to libc's, which
 * then sees the caller's return address (RTLD_NEXT).
 */
__asm__(".text\n"
        ".globl dlsym\n"
        ".type dlsym, @function\n"
        "dlsym:\n"
        "    endbr64\n"
        "    movabsq $0x2000000000, %rcx\n" /* PEXCZ_ADDR_LIBRARIES */
        "    movq %rdi, %rax\n"
        "    subq %rcx, %rax\n"
        "    movabsq $0x1000000000, %rcx\n" /* their size */
        "    cmpq %rcx, %rax\n"
        "    jb pexcz_library_dlsym\n"
        "    movq pexcz_library_real_dlsym(%rip), %rax\n"
        "    testq %rax, %rax\n"
        "    je 1f\n"
        "    jmp *%rax\n"
        "1:  pushq %rdi\n"
        "    pushq %rsi\n"
        "    subq $8, %rsp\n"
        "    call pexcz_library_next_dlsym\n"
        "    addq $8, %rsp\n"
        "    popq %rsi\n"
        "    popq %rdi\n"
        "    jmp *%rax\n"
        ".size dlsym, . - dlsym\n");

_Static_assert(PEXCZ_ADDR_LIBRARIES == 0x2000000000
                   && PEXCZ_ADDR_LIBRARIES_END == 0x3000000000,
               "dlsym() above");

dlsym_fn *
pexcz_library_next_dlsym(void)
{
    void *found = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");

    memcpy(&pexcz_library_real_dlsym, &found, sizeof(found));
    return pexcz_library_real_dlsym;
}

/* A function of libc that is interposed below. */
static void *
next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

#define NEXT(function)                                                        \
    static __typeof__(function) *real;                                        \
    if (real == NULL) {                                                       \
        void *found_next = next(#function);                                   \
        memcpy(&real, &found_next, sizeof(found_next));                       \
    }

static bool
is_ours(const void *handle)
{
    return (uintptr_t)handle - PEXCZ_ADDR_LIBRARIES
           < PEXCZ_ADDR_LIBRARIES_END - PEXCZ_ADDR_LIBRARIES;
}

/* --- handles ------------------------------------------------------------- */

static const Elf64_Sym *
symbols_of(const struct pexcz_snapshot_library *l)
{
    return (const Elf64_Sym *)(uintptr_t)l->symbols;
}

static const char *
name_of(const struct pexcz_snapshot_library *l, const Elf64_Sym *symbol)
{
    return symbol->st_name < l->strings_size
               ? (const char *)(uintptr_t)(l->strings + symbol->st_name)
               : "";
}

static bool
is_visible(const Elf64_Sym *symbol)
{
    unsigned char type = ELF64_ST_TYPE(symbol->st_info);

    return symbol->st_shndx != SHN_UNDEF
           && ELF64_ST_BIND(symbol->st_info) != STB_LOCAL
           && (ELF64_ST_VISIBILITY(symbol->st_other) == STV_DEFAULT
               || ELF64_ST_VISIBILITY(symbol->st_other) == STV_PROTECTED)
           && (type == STT_NOTYPE || type == STT_OBJECT || type == STT_FUNC);
}

static void *
find_in(const struct pexcz_snapshot_library *l, const char *name)
{
    for (uint64_t i = 1; i < l->symbol_count; i++) {
        const Elf64_Sym *symbol = &symbols_of(l)[i];

        if (is_visible(symbol) && strcmp(name_of(l, symbol), name) == 0) {
            return (void *)(uintptr_t)(l->base + symbol->st_value);
        }
    }
    return NULL;
}

/* In the library and in those that it needs, breadth first. */
static void *
find_in_scope(const struct pexcz_snapshot_library *l, const char *name)
{
    size_t count;
    const struct pexcz_snapshot_library *all = pexcz_libraries(&count);
    const struct pexcz_snapshot_library *queue[64] = {l};
    size_t end = 1;
    void *found = NULL;

    for (size_t i = 0; i < end && found == NULL; i++) {
        found = find_in(queue[i], name);
        for (size_t k = 0; k < queue[i]->needed_count; k++) {
            const struct pexcz_snapshot_library *next
                = &all[queue[i]->needed[k]];
            size_t at = 0;

            while (at < end && queue[at] != next) {
                at++;
            }
            if (at == end && end < sizeof(queue) / sizeof(queue[0])) {
                queue[end++] = next;
            }
        }
    }
    return found;
}

void *
pexcz_library_dlsym(const char *handle, const char *name)
{
    const struct pexcz_snapshot_library *l = pexcz_library_of(handle);
    void *found;

    complains = true;
    if (l == NULL) {
        (void)snprintf(complaint, sizeof(complaint), "invalid handle");
        return NULL;
    }
    found = find_in_scope(l, name);
    if (found != NULL) {
        complains = false;
        return found;
    }
    (void)snprintf(complaint, sizeof(complaint), "%s: undefined symbol: %s",
                   l->path, name);
    return NULL;
}

/* To look it up is a call that succeeds, after which there is no error. */
static __typeof__(dlerror) *real_dlerror;

__attribute__((constructor)) static void
find_dlerror(void)
{
    void *found = next("dlerror");

    memcpy(&real_dlerror, &found, sizeof(found));
}

/* Of libc's names, so that every shared object finds them. */
#pragma GCC visibility push(default)

int
dlclose(void *handle)
{
    NEXT(dlclose)
    return is_ours(handle) ? 0 : real(handle);
}

char *
dlerror(void)
{
    if (complains) {
        complains = false;
        return complaint;
    }
    return real_dlerror();
}

#pragma GCC visibility pop

/* --- addresses ----------------------------------------------------------- */

static const Elf64_Sym *
symbol_at(const struct pexcz_snapshot_library *l, uint64_t address)
{
    const Elf64_Sym *best = NULL;

    for (uint64_t i = 1; i < l->symbol_count; i++) {
        const Elf64_Sym *symbol = &symbols_of(l)[i];

        if (is_visible(symbol) && l->base + symbol->st_value <= address
            && (symbol->st_size == 0
                    ? l->base + symbol->st_value == address
                    : address - (l->base + symbol->st_value) < symbol->st_size)
            && (best == NULL || symbol->st_value > best->st_value)) {
            best = symbol;
        }
    }
    return best;
}

#pragma GCC visibility push(default)
int
dladdr(const void *address, Dl_info *info)
{
    const struct pexcz_snapshot_library *l = pexcz_library_of(address);
    const Elf64_Sym *symbol;

    NEXT(dladdr)
    if (l == NULL) {
        int found = real(address, info);

        if (found != 0) {
            info->dli_fname = pexcz_shared_objects_name(info->dli_fname);
        }
        return found;
    }
    symbol = symbol_at(l, (uintptr_t)address);
    *info = (Dl_info){
        .dli_fname = l->path,
        .dli_fbase = (void *)(uintptr_t)l->base,
        .dli_sname = symbol != NULL ? name_of(l, symbol) : NULL,
        .dli_saddr = symbol != NULL
                         ? (void *)(uintptr_t)(l->base + symbol->st_value)
                         : NULL,
    };
    return 1;
}

/* Of a library of the image there is neither a link map nor a symbol table
 * that ld.so would know of. */
int
dladdr1(const void *address, Dl_info *info, void **extra, int flags)
{
    int found;

    NEXT(dladdr1)
    if (pexcz_library_of(address) != NULL) {
        *extra = NULL;
        return dladdr(address, info);
    }
    found = real(address, info, extra, flags);
    if (found != 0) {
        info->dli_fname = pexcz_shared_objects_name(info->dli_fname);
    }
    return found;
}

#pragma GCC visibility pop

/* --- unwinding ----------------------------------------------------------- */

struct iteration {
    iterate_callback *callback;
    void *arg;
    unsigned long long adds;
    unsigned long long subs;
};

static int
visit(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct iteration *i = arg;

    i->adds = info->dlpi_adds;
    i->subs = info->dlpi_subs;
    return i->callback(info, size, i->arg);
}

#pragma GCC visibility push(default)
int
dl_iterate_phdr(iterate_callback *callback, void *arg)
{
    struct iteration iteration = {.callback = callback, .arg = arg};
    size_t count;
    const struct pexcz_snapshot_library *all = pexcz_libraries(&count);
    int rc;

    NEXT(dl_iterate_phdr)
    if (count == 0) {
        return real(callback, arg);
    }
    rc = real(visit, &iteration);
    for (size_t i = 0; i < count && rc == 0; i++) {
        struct dl_phdr_info info = {
            .dlpi_addr = all[i].base,
            .dlpi_name = all[i].path,
            .dlpi_phdr = (const Elf64_Phdr *)(uintptr_t)all[i].phdrs,
            .dlpi_phnum = (Elf64_Half)all[i].phdr_count,
            .dlpi_adds = iteration.adds,
            .dlpi_subs = iteration.subs,
        };

        rc = callback(&info, sizeof(info), arg);
    }
    return rc;
}

int
_dl_find_object(void *address, struct dl_find_object *ret)
{
    const struct pexcz_snapshot_library *l = pexcz_library_of(address);
    const Elf64_Phdr *ph;

    NEXT(_dl_find_object)
    if (l == NULL) {
        return real != NULL ? real(address, ret) : -1;
    }
    ph = (const Elf64_Phdr *)(uintptr_t)l->phdrs;
    for (uint64_t i = 0; i < l->phdr_count; i++) {
        if (ph[i].p_type == PT_GNU_EH_FRAME) {
            *ret = (struct dl_find_object){
                .dlfo_map_start = (void *)(uintptr_t)l->base,
                .dlfo_map_end = (void *)(uintptr_t)(l->base + l->size),
                .dlfo_eh_frame = (void *)(uintptr_t)(l->base + ph[i].p_vaddr),
            };
            return 0;
        }
    }
    return -1;
}

#pragma GCC visibility pop
