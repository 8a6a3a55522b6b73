/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library's own symbols by name, as ld.so finds them: through the GNU hash
 * table where there is one, with the versions that the library defines.
 */
#include "library_elf.h"

#include "gnu_hash.h"

#define VERSION 0x7fffu
#define HIDDEN 0x8000u
#define FIRST_VERSION 2 /* 0: local, 1: none */
#define MAX_VERSIONS 4096u

static bool
is_definition(const Elf64_Sym *symbol)
{
    unsigned char visibility = ELF64_ST_VISIBILITY(symbol->st_other);

    return symbol->st_shndx != SHN_UNDEF
           && ELF64_ST_BIND(symbol->st_info) != STB_LOCAL
           && visibility != STV_HIDDEN && visibility != STV_INTERNAL
           && ELF64_ST_TYPE(symbol->st_info) != STT_SECTION
           && ELF64_ST_TYPE(symbol->st_info) != STT_FILE;
}

/* The name of the version with this number, or NULL. */
static const char *
name_of_version(const struct pexcz_library_elf *file, unsigned int number)
{
    uint64_t at = file->verdef;

    for (unsigned int i = 0; at != 0 && i < MAX_VERSIONS; i++) {
        const Elf64_Verdef *def = pexcz_library_elf_at(file, at, sizeof(*def));
        const Elf64_Verdaux *aux;

        if (def == NULL) {
            return NULL;
        }
        if (def->vd_ndx == number) {
            aux = pexcz_library_elf_at(file, at + def->vd_aux, sizeof(*aux));
            return aux != NULL ? pexcz_library_string(file, aux->vda_name)
                               : NULL;
        }
        if (def->vd_next == 0) {
            return NULL;
        }
        at += def->vd_next;
    }
    return NULL;
}

/* A library without versions has all of them. */
static bool
has_version(const struct pexcz_library_elf *file, uint64_t index,
            const char *version)
{
    const Elf64_Half *numbers = pexcz_library_elf_at(
        file, file->versions.address, file->versions.size);
    const char *name;
    unsigned int number;

    if (numbers == NULL || file->verdef == 0
        || index >= file->versions.size / sizeof(*numbers)) {
        return true;
    }
    number = numbers[index];
    if (version == NULL || (number & VERSION) < FIRST_VERSION) {
        return (number & HIDDEN) == 0 && number != 0;
    }
    name = name_of_version(file, number & VERSION);
    return name != NULL && strcmp(name, version) == 0;
}

static bool
is_it(const struct pexcz_library_elf *file, uint64_t index, const char *name,
      const char *version, Elf64_Sym *ret)
{
    const char *own;

    return pexcz_library_symbol(file, index, ret) && is_definition(ret)
           && (own = pexcz_library_string(file, ret->st_name)) != NULL
           && strcmp(own, name) == 0 && has_version(file, index, version);
}

bool
pexcz_library_definition(const struct pexcz_library_elf *file,
                         const char *name, const char *version, Elf64_Sym *ret)
{
    uint64_t count = file->symbols.size / sizeof(*ret);
    /* buckets, first symbol, words of the filter, shift; the filter */
    const uint32_t *head = pexcz_library_elf_at(file, file->gnu_hash, 16);
    const uint32_t *bucket;
    uint64_t chains;
    uint32_t hash;

    if (file->gnu_hash == 0 || head == NULL || head[0] == 0) {
        for (uint64_t i = 1; i < count; i++) {
            if (is_it(file, i, name, version, ret)) {
                return true;
            }
        }
        return false;
    }
    hash = pexcz_gnu_hash(name);
    chains = file->gnu_hash + 16 + (uint64_t)head[2] * 8;
    bucket = pexcz_library_elf_at(file,
                                  chains + (uint64_t)(hash % head[0]) * 4, 4);
    chains += (uint64_t)head[0] * 4;
    if (bucket == NULL || *bucket < head[1]) {
        return false;
    }
    for (uint64_t i = *bucket; i < count; i++) {
        const uint32_t *chain
            = pexcz_library_elf_at(file, chains + (i - head[1]) * 4, 4);

        if (chain == NULL) {
            return false;
        }
        if ((*chain | 1) == (hash | 1) && is_it(file, i, name, version, ret)) {
            return true;
        }
        if ((*chain & 1) != 0) {
            return false;
        }
    }
    return false;
}
