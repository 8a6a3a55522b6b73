/* SPDX-License-Identifier: Apache-2.0 */
#include "library_relocate.h"

#include "exe_layout.h"
#include "library_direct.h"
#include "library_state.h"
#include "library_stubs.h"
#include "library_tls.h"
#include "library_watch.h"

#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Module number of the executable's thread-local data. */
#define OWN_MODULE 1

extern const char __executable_start[];
extern const char etext[];
extern const char end[];

struct library {
    const struct pexcz_library_elf *file;
    const struct pexcz_snapshot_library *place;
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

static const char *
stub(const char *name, const char *version, struct target *ret)
{
    int number
        = pexcz_library_stub_take(name, version, !pexcz_library_is_pure(name));

    if (number < 0) {
        return "uses too many functions";
    }
    ret->value = pexcz_library_stub_address(number);
    return NULL;
}

/* A symbol of the executable or the system. */
static const char *
outside(const char *name, const char *version, uint64_t address,
        struct target *ret)
{
    struct search s = {.address = address};

    if (is_in_executable(address)) {
        ret->value = address;
        return address < (uintptr_t)etext && !is_pythons(name)
                       && !pexcz_library_is_pure(name)
                   ? stub(name, version, ret)
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
        return stub(name, version, ret);
    }
    ret->import = pexcz_library_stub_take(name, version, false);
    return ret->import < 0 ? "uses too many functions" : NULL;
}

static bool
is_own_only(const Elf64_Sym *symbol, const struct pexcz_library_elf *file)
{
    unsigned char visibility = ELF64_ST_VISIBILITY(symbol->st_other);

    return symbol->st_shndx != SHN_UNDEF
           && (ELF64_ST_BIND(symbol->st_info) == STB_LOCAL
               || visibility != STV_DEFAULT || file->symbolic);
}

static const char *
find_symbol(const struct library *l, uint64_t index, struct target *ret)
{
    Elf64_Sym symbol;
    const char *name;
    const char *version;
    void *address = NULL;

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
            return stub(name, version, ret);
        }
        address = pexcz_library_look_up(name, version);
    }
    if (address != NULL) {
        return outside(name, version, (uintptr_t)address, ret);
    }
    if (symbol.st_shndx != SHN_UNDEF) {
        if (ELF64_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC) {
            return fail("chooses", name, " by the processor");
        }
        ret->value = (symbol.st_shndx != SHN_ABS ? l->place->base : 0)
                     + symbol.st_value;
        return NULL;
    }
    if (ELF64_ST_BIND(symbol.st_info) == STB_WEAK) {
        return NULL;
    }
    return fail("needs", name, " of another library");
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

static const char *
note_word(enum pexcz_snapshot_word_kind kind, uint64_t address, int import,
          uint64_t addend)
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
    return note_word(PEXCZ_WORD_IMPORT, (uintptr_t)word, target.import,
                     addend);
}

static const char *
thread_symbol(const struct library *l, const Elf64_Rela *rela, uint64_t *ret)
{
    uint64_t index = ELF64_R_SYM(rela->r_info);
    Elf64_Sym symbol = {0};

    if (index != 0
        && (!pexcz_library_symbol(l->file, index, &symbol)
            || symbol.st_shndx == SHN_UNDEF)) {
        return "uses thread-local data of another library";
    }
    if (l->file->tls_size == 0) {
        return "is damaged";
    }
    *ret = l->place->tls + symbol.st_value + (uint64_t)rela->r_addend;
    return NULL;
}

static const char *
relocate(const struct library *l, const Elf64_Rela *rela)
{
    uint64_t *word = word_at(l, rela->r_offset);
    uint64_t offset;
    const char *why;

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
        why = thread_symbol(l, rela, &offset);
        set(word, pexcz_library_tls_from_thread(offset));
        return why;
    case R_X86_64_DTPOFF64:
        why = thread_symbol(l, rela, &offset);
        set(word, pexcz_library_tls_in_module(offset));
        return why;
    case R_X86_64_DTPMOD64:
        return NULL; /* done before the others */
    default:
        return "has relocations of a kind that is not known";
    }
}

/* The module, and behind it an offset in it, which is final unless another
 * relocation says it. */
static const char *
set_module(const struct library *l, const Elf64_Rela *rela)
{
    uint64_t *module = word_at(l, rela->r_offset);
    uint64_t *offset = word_at(l, rela->r_offset + sizeof(*module));

    if (module == NULL || offset == NULL || l->file->tls_size == 0) {
        return "is damaged";
    }
    set(module, OWN_MODULE);
    set(offset, pexcz_library_tls_in_module(l->place->tls) + get(offset));
    return NULL;
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
pexcz_library_relocate(const struct pexcz_library_elf *file,
                       const struct pexcz_snapshot_library *library)
{
    struct library l = {file, library};
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
        || outside(stored, NULL, (uintptr_t)address, &target) != NULL
        || target.import >= 0) {
        return NULL;
    }
    number = pexcz_library_stub_number(target.value);
    if (number >= 0
        && note_word(PEXCZ_WORD_REQUIRED, PEXCZ_ADDR_LIBRARIES, number, 0)
               != NULL) {
        return NULL;
    }
    return (void *)(uintptr_t)target.value;
}

/* --- constructors -------------------------------------------------------- */

typedef void constructor(int argc, char **argv, char **environment);

/* Arguments that can be told from anything else. */
static char own_name[] = "";
static char *own_argv[] = {own_name, NULL};
static char *own_environment[] = {NULL};
#define OWN_ARGC 0x5be7a3d1

static const char *
find_arguments(const struct pexcz_snapshot_library *library)
{
    const char *why = NULL;

    for (size_t i = 0; i < library->segment_count; i++) {
        const struct pexcz_snapshot_segment *s = &library->segments[i];

        if ((s->flags & PF_W) == 0) {
            continue;
        }
        for (uint64_t at = s->start; at < s->start + s->size && why == NULL;
             at += 8) {
            uint64_t value = get((const uint64_t *)(uintptr_t)at);

            if (value == OWN_ARGC) {
                why = note_word(PEXCZ_WORD_ARGC, at, -1, 0);
            }
            else if (value == (uintptr_t)own_argv) {
                why = note_word(PEXCZ_WORD_ARGV, at, -1, 0);
            }
            else if (value == (uintptr_t)own_environment) {
                why = note_word(PEXCZ_WORD_ENVIRON, at, -1, 0);
            }
        }
    }
    return why;
}

static void
run(uint64_t address)
{
    constructor *function = (constructor *)(uintptr_t)address;

    if (address != 0 && address != UINT64_MAX) {
        function(OWN_ARGC, own_argv, own_environment);
    }
}

const char *
pexcz_library_construct(const struct pexcz_library_elf *file,
                        const struct pexcz_snapshot_library *library)
{
    const uint64_t *array
        = (const uint64_t *)(uintptr_t)(library->base
                                        + file->init_array.address);

    if (file->init != 0) {
        run(library->base + file->init);
    }
    for (size_t i = 0; i < file->init_array.size / sizeof(*array); i++) {
        run(array[i]);
    }
    return find_arguments(library);
}
