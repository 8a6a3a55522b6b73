/* SPDX-License-Identifier: Apache-2.0 */
#include "library_relocate.h"

#include "exe_layout.h"
#include "library_actions.h"
#include "library_direct.h"
#include "library_outside.h"
#include "library_state.h"
#include "library_stubs.h"
#include "library_tls.h"
#include "library_watch.h"

#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern const char __executable_start[];
extern const char etext[];
extern const char end[];

struct library {
    size_t number;
    const struct pexcz_library_elf *file;
    const struct pexcz_snapshot_library *place;
    const struct pexcz_library_scope *scope;
};

/* What a symbol stands for. */
struct target {
    uint64_t value;
    int import; /* the value is this import's address; -1: it is known */
};

static char reason[512];

/* --- symbols ------------------------------------------------------------- */

struct search {
    uint64_t address;
    bool found;
    bool is_code;
};

static int
visit_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct search *s = arg;

    (void)size;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const Elf64_Phdr *p = &info->dlpi_phdr[i];

        if (p->p_type == PT_LOAD
            && s->address - (info->dlpi_addr + p->p_vaddr) < p->p_memsz) {
            s->found = true;
            s->is_code = (p->p_flags & PF_X) != 0;
            return 1;
        }
    }
    return 0;
}

static bool
is_in_executable(uint64_t address)
{
    return address >= (uintptr_t)__executable_start
           && address < (uintptr_t)end;
}

static bool
is_pythons(const char *name)
{
    static const char *const allocators[] = {
        "aligned_alloc",
        "calloc",
        "free",
        "malloc",
        "malloc_usable_size",
        "memalign",
        "posix_memalign",
        "pvalloc",
        "realloc",
        "valloc",
    };

    if (strncmp(name, "Py", 2) == 0 || strncmp(name, "_Py", 3) == 0) {
        return true;
    }
    for (size_t i = 0; i < sizeof(allocators) / sizeof(allocators[0]); i++) {
        if (strcmp(name, allocators[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* "GLIBC_2.17": the process that is restored must have it. */
static bool
note_version(const char *version)
{
    unsigned int minor = 0;
    unsigned int patch = 0;

    if (version == NULL) {
        return true;
    }
    if (sscanf(version, "GLIBC_2.%u.%u", &minor, &patch) < 1) {
        return strncmp(version, "GLIBC_", 6) != 0;
    }
    if (minor > pexcz_library_state.glibc_minor) {
        pexcz_library_state.glibc_minor = minor;
    }
    return true;
}

static const char *
fail(const char *before, const char *name, const char *behind)
{
    (void)snprintf(reason, sizeof(reason), "%s %s%s", before, name, behind);
    return strdup(reason); /* kept as long as the process */
}

const char *
pexcz_library_note_word(enum pexcz_snapshot_word_kind kind, uint64_t address,
                        int import, uint64_t addend)
{
    struct pexcz_library_state *s = &pexcz_library_state;

    if (s->word_count == PEXCZ_LIBRARY_WORDS) {
        return "keeps too many addresses of the process";
    }
    s->words[s->word_count++] = (struct pexcz_snapshot_word){
        .kind = kind,
        .address = address,
        .import = import < 0 ? 0 : (uint64_t)import,
        .addend = addend,
    };
    return NULL;
}

/* A library of the system must be there, and have the versions that are asked
 * for, or the process could not have loaded the library either.  libgcc_s is
 * needed when there is an error. */
static const char *
require(const char *library, const char *version, int number)
{
    static const char *seen[256];
    static size_t count;

    if (library == NULL || strcmp(library, "libgcc_s.so.1") == 0) {
        return NULL;
    }
    pexcz_library_outside_require(library);
    for (size_t i = 0; i < count; i++) {
        if (version == NULL || strcmp(seen[i], version) == 0) {
            return NULL;
        }
    }
    if (version == NULL || count == sizeof(seen) / sizeof(seen[0])) {
        return NULL;
    }
    seen[count++] = version;
    return pexcz_library_note_word(PEXCZ_WORD_REQUIRED, PEXCZ_ADDR_LIBRARIES,
                                   number, 0);
}

static const char *
stub(const char *name, const char *version, const char *library,
     struct target *ret)
{
    int number = pexcz_library_stub_take(name, version, library,
                                         !pexcz_library_is_pure(name));

    if (number < 0) {
        return "uses too many functions";
    }
    ret->value = pexcz_library_stub_address(number);
    return require(library, version, number);
}

/* A symbol of the executable or the system: of `library`, or NULL. */
static const char *
outside(const char *name, const char *version, const char *library,
        uint64_t address, struct target *ret)
{
    struct search s = {.address = address};

    if (is_in_executable(address)) {
        ret->value = address;
        return address < (uintptr_t)etext && !is_pythons(name)
                       && !pexcz_library_is_pure(name)
                   ? stub(name, version, library, ret)
                   : NULL;
    }
    if (!note_version(version)) {
        return fail("needs", name, ", which is private to libc");
    }
    (void)dl_iterate_phdr(visit_object, &s);
    if (!s.found) {
        return fail("uses", name, ", which lies nowhere");
    }
    if (s.is_code) {
        return stub(name, version, library, ret);
    }
    if (library != NULL) {
        pexcz_library_outside_require(library);
    }
    ret->import = pexcz_library_stub_take(name, version, library, false);
    return ret->import < 0 ? "uses too many functions" : NULL;
}

/* A symbol of a library of the system that not every process has.  What it
 * has for everybody to replace is ours. */
static const char *
from_system(const char *name, const char *version,
            const struct pexcz_library_found *found, struct target *ret)
{
    static const char init[] = "_ZNSt8ios_base4InitC1Ev";

    ret->value = pexcz_library_new_replacement(name);
    if (ret->value != 0) {
        return NULL;
    }
    if (strcmp(name, init) == 0) {
        int number
            = pexcz_library_stub_take(name, version, found->outside, false);

        if (number < 0 || !pexcz_library_streams_are(number)) {
            return "uses too many functions";
        }
        ret->value = (uintptr_t)(void *)pexcz_library_init_streams;
        return NULL;
    }
    return outside(name, version, found->outside, found->address, ret);
}

static bool
is_own_only(const Elf64_Sym *symbol, const struct pexcz_library_elf *file)
{
    unsigned char visibility = ELF64_ST_VISIBILITY(symbol->st_other);

    return symbol->st_shndx != SHN_UNDEF
           && (ELF64_ST_BIND(symbol->st_info) == STB_LOCAL
               || visibility != STV_DEFAULT || file->symbolic);
}

/* Start files of old compilers tell libgcc_s of tables that unwinders find by
 * themselves, where it is there: the reference is weak. */
static bool
is_for_old_unwinders(const char *name)
{
    return strcmp(name, "__register_frame_info") == 0
           || strcmp(name, "__deregister_frame_info") == 0;
}

static const char *
find_symbol(const struct library *l, uint64_t index, struct target *ret)
{
    Elf64_Sym symbol;
    const char *name;
    const char *version;
    void *address = NULL;
    struct pexcz_library_found found = {.number = l->number};

    *ret = (struct target){.import = -1};
    if (index == 0) {
        return NULL;
    }
    if (!pexcz_library_symbol(l->file, index, &symbol)
        || (name = pexcz_library_string(l->file, symbol.st_name)) == NULL) {
        return "is damaged";
    }
    version = pexcz_library_version(l->file, index);
    if (!is_own_only(&symbol, l->file)) {
        ret->value = symbol.st_shndx == SHN_UNDEF
                         ? pexcz_library_replacement(name)
                         : 0;
        if (ret->value != 0) {
            return NULL;
        }
        if (strncmp(name, "_Unwind_", 8) == 0) {
            return stub(name, version, NULL, ret);
        }
        address = pexcz_library_look_up(name, version);
        if (address != NULL) {
            return outside(name, version, NULL, (uintptr_t)address, ret);
        }
        if (!is_for_old_unwinders(name)
            && pexcz_library_scope_find(l->scope, name, version, &found)) {
            if (found.outside != NULL) {
                return from_system(name, version, &found, ret);
            }
            symbol = found.symbol;
        }
    }
    if (symbol.st_shndx != SHN_UNDEF) {
        if (ELF64_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC) {
            return fail("chooses", name, " by the processor");
        }
        ret->value = pexcz_library_state.made[found.number].base;
        ret->value
            = (symbol.st_shndx != SHN_ABS ? ret->value : 0) + symbol.st_value;
        return NULL;
    }
    if (ELF64_ST_BIND(symbol.st_info) == STB_WEAK) {
        return NULL;
    }
    return fail("needs", name, ", which is nowhere");
}

/* --- relocations --------------------------------------------------------- */

static uint64_t *
word_at(const struct library *l, uint64_t offset)
{
    for (size_t i = 0; i < l->file->segment_count; i++) {
        const Elf64_Phdr *p = &l->file->segments[i];

        if ((p->p_flags & PF_W) != 0 && offset >= p->p_vaddr
            && offset - p->p_vaddr + sizeof(uint64_t) <= p->p_memsz) {
            return (uint64_t *)(uintptr_t)(l->place->base + offset);
        }
    }
    return NULL;
}

static void
set(uint64_t *word, uint64_t value)
{
    memcpy(word, &value, sizeof(value));
}

static uint64_t
get(const uint64_t *word)
{
    uint64_t value;

    memcpy(&value, word, sizeof(value));
    return value;
}

/* The word of an import's address: a constant if it is a stub's. */
static const char *
set_target(const struct library *l, const Elf64_Rela *rela, uint64_t *word)
{
    struct target target;
    const char *why = find_symbol(l, ELF64_R_SYM(rela->r_info), &target);
    uint64_t addend = ELF64_R_TYPE(rela->r_info) == R_X86_64_64
                          ? (uint64_t)rela->r_addend
                          : 0;

    if (why != NULL) {
        return why;
    }
    if (target.import < 0) {
        set(word, target.value + addend);
        return NULL;
    }
    set(word, 0);
    return pexcz_library_note_word(PEXCZ_WORD_IMPORT, (uintptr_t)word,
                                   target.import, addend);
}

/* Of thread-local data: the library of the image, and the offset in it. */
struct thread_target {
    size_t number;
    uint64_t offset;
    int import; /* -1, or it is data of a library outside */
};

static const char *
find_thread_symbol(const struct library *l, const Elf64_Rela *rela,
                   struct thread_target *ret)
{
    uint64_t index = ELF64_R_SYM(rela->r_info);
    struct pexcz_library_found found = {.number = l->number};
    const char *name;
    const char *version;

    if (index != 0 && !pexcz_library_symbol(l->file, index, &found.symbol)) {
        return "is damaged";
    }
    *ret = (struct thread_target){.import = -1};
    if (index != 0 && !is_own_only(&found.symbol, l->file)) {
        name = pexcz_library_string(l->file, found.symbol.st_name);
        version = pexcz_library_version(l->file, index);
        if (name == NULL
            || !pexcz_library_scope_find(l->scope, name, version, &found)) {
            return "uses thread-local data of another library";
        }
        if (found.outside != NULL) {
            pexcz_library_outside_require(found.outside);
            ret->import
                = pexcz_library_stub_take(name, version, found.outside, false);
            return ret->import < 0 ? "uses too many functions" : NULL;
        }
    }
    ret->number = found.number;
    ret->offset = found.symbol.st_value;
    return pexcz_library_state.made[found.number].tls_size != 0 ? NULL
                                                                : "is damaged";
}

static const char *
relocate_thread(const struct library *l, const Elf64_Rela *rela,
                uint64_t *word)
{
    struct thread_target target;
    const char *why = find_thread_symbol(l, rela, &target);
    uint64_t addend = (uint64_t)rela->r_addend;

    if (why != NULL) {
        return why;
    }
    if (ELF64_R_TYPE(rela->r_info) == R_X86_64_TPOFF64) {
        if (target.import >= 0
            || pexcz_library_state.made[target.number].tls_block != 0) {
            return "uses thread-local data of another library";
        }
        set(word, pexcz_library_tls_from_thread(target.number,
                                                target.offset + addend));
        return NULL;
    }
    if (target.import < 0) {
        set(word, pexcz_library_tls_in_module(target.number,
                                              target.offset + addend));
        return NULL;
    }
    set(word, 0);
    return pexcz_library_note_word(PEXCZ_WORD_TLS_OFFSET, (uintptr_t)word,
                                   target.import, addend);
}

/* The module, and behind it an offset in it, which is final unless another
 * relocation says it. */
static const char *
set_module(const struct library *l, const Elf64_Rela *rela)
{
    uint64_t *module = word_at(l, rela->r_offset);
    uint64_t *offset = word_at(l, rela->r_offset + sizeof(*module));
    struct thread_target target;
    const char *why = find_thread_symbol(l, rela, &target);

    if (module == NULL || offset == NULL) {
        return "is damaged";
    }
    if (why != NULL) {
        return why;
    }
    if (target.import >= 0) {
        set(module, 0);
        return pexcz_library_note_word(PEXCZ_WORD_TLS_MODULE,
                                       (uintptr_t)module, target.import, 0);
    }
    set(module, pexcz_library_tls_module(target.number));
    set(offset, pexcz_library_tls_in_module(target.number, get(offset)));
    return NULL;
}

static const char *
relocate(const struct library *l, const Elf64_Rela *rela)
{
    uint64_t *word = word_at(l, rela->r_offset);

    if (ELF64_R_TYPE(rela->r_info) == R_X86_64_NONE) {
        return NULL;
    }
    if (word == NULL) {
        return "is damaged";
    }
    switch (ELF64_R_TYPE(rela->r_info)) {
    case R_X86_64_RELATIVE:
        set(word, l->place->base + (uint64_t)rela->r_addend);
        return NULL;
    case R_X86_64_64:
    case R_X86_64_GLOB_DAT:
    case R_X86_64_JUMP_SLOT:
        return set_target(l, rela, word);
    case R_X86_64_TPOFF64:
    case R_X86_64_DTPOFF64:
        return relocate_thread(l, rela, word);
    case R_X86_64_DTPMOD64:
        return NULL; /* done before the others */
    default:
        return "has relocations of a kind that is not known";
    }
}

static const char *
relocate_table(const struct library *l,
               const struct pexcz_library_table *table)
{
    const Elf64_Rela *rela
        = pexcz_library_elf_at(l->file, table->address, table->size);
    size_t count = rela != NULL ? table->size / sizeof(*rela) : 0;
    const char *why = NULL;

    for (size_t i = 0; i < count && why == NULL; i++) {
        if (ELF64_R_TYPE(rela[i].r_info) == R_X86_64_DTPMOD64) {
            why = set_module(l, &rela[i]);
        }
    }
    for (size_t i = 0; i < count && why == NULL; i++) {
        why = relocate(l, &rela[i]);
    }
    return why;
}

static const char *
add_base(const struct library *l, uint64_t offset)
{
    uint64_t *word = word_at(l, offset);

    if (word == NULL) {
        return "is damaged";
    }
    set(word, get(word) + l->place->base);
    return NULL;
}

/* DT_RELR: an even entry is an address, the next odd ones say by their bits
 * which of the 63 words behind it follow. */
static const char *
relocate_relative(const struct library *l)
{
    const uint64_t *relr = pexcz_library_elf_at(l->file, l->file->relr.address,
                                                l->file->relr.size);
    size_t count = relr != NULL ? l->file->relr.size / sizeof(*relr) : 0;
    uint64_t next = 0;
    const char *why = NULL;

    for (size_t i = 0; i < count && why == NULL; i++) {
        if ((relr[i] & 1) == 0) {
            why = add_base(l, relr[i]);
            next = relr[i] + 8;
            continue;
        }
        for (unsigned int bit = 1; bit < 64 && why == NULL; bit++) {
            if ((relr[i] >> bit & 1) != 0) {
                why = add_base(l, next + (bit - 1) * 8);
            }
        }
        next += UINT64_C(63) * 8;
    }
    return why;
}

const char *
pexcz_library_relocate(size_t number, const struct pexcz_library_scope *scope)
{
    const struct pexcz_library_elf *file = &pexcz_library_state.files[number];
    const struct pexcz_snapshot_library *library
        = &pexcz_library_state.made[number];
    struct library l = {number, file, library, scope};
    size_t words = pexcz_library_state.word_count;
    const char *why = relocate_relative(&l);

    if (why == NULL) {
        why = relocate_table(&l, &file->rela);
    }
    if (why == NULL) {
        why = relocate_table(&l, &file->plt);
    }
    for (size_t i = words; i < pexcz_library_state.word_count && why == NULL;
         i++) {
        why = pexcz_library_set_word(&pexcz_library_state.words[i])
                  ? NULL
                  : "uses what is not there";
    }
    if (why == NULL && !pexcz_library_protect(library)) {
        why = "cannot be protected";
    }
    if (why != NULL) {
        pexcz_library_state.word_count = words;
    }
    return why;
}

/* --- dlsym() ------------------------------------------------------------- */

void *
pexcz_library_constant(const char *name)
{
    struct target target = {.import = -1};
    const char *stored = pexcz_library_in_blob(name);
    void *address = pexcz_library_look_up(name, NULL);
    int number;

    target.value = pexcz_library_replacement(name);
    if (target.value != 0) {
        return (void *)(uintptr_t)target.value;
    }
    if (stored == NULL || address == NULL
        || outside(stored, NULL, NULL, (uintptr_t)address, &target) != NULL
        || target.import >= 0) {
        return NULL;
    }
    number = pexcz_library_stub_number(target.value);
    if (number >= 0
        && pexcz_library_note_word(PEXCZ_WORD_REQUIRED, PEXCZ_ADDR_LIBRARIES,
                                   number, 0)
               != NULL) {
        return NULL;
    }
    return (void *)(uintptr_t)target.value;
}
