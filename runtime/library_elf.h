/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a shared object's file says about how it is loaded: segments, dynamic
 * table, relocations.  Source: System V gABI, x86-64 psABI.
 *
 * Addresses are the file's own, from 0; each range was checked to lie inside
 * of a segment.  Nothing here allocates.
 */
#ifndef PEXCZ_LIBRARY_ELF_H
#define PEXCZ_LIBRARY_ELF_H

#include "slice.h"

#include <elf.h>

#define PEXCZ_LIBRARY_SEGMENTS 20
#define PEXCZ_LIBRARY_NEEDED 32

/* A table in the object's memory. */
struct pexcz_library_table {
    uint64_t address;
    uint64_t size; /* bytes; 0: there is none */
};

struct pexcz_library_elf {
    struct pexcz_slice bytes;                    /* borrowed */
    Elf64_Phdr segments[PEXCZ_LIBRARY_SEGMENTS]; /* PT_LOAD, ascending */
    size_t segment_count;
    uint64_t span; /* of all segments, whole pages */
    struct pexcz_library_table phdrs;
    struct pexcz_library_table relro; /* whole pages */
    struct pexcz_library_table tls;   /* its initial content */
    uint64_t tls_size;                /* 0: no thread-local data */
    uint64_t tls_align;
    struct pexcz_library_table dynamic;
    struct pexcz_library_table symbols;
    struct pexcz_library_table strings;
    struct pexcz_library_table versions; /* DT_VERSYM */
    uint64_t verneed;                    /* address, 0: none */
    uint64_t verdef;                     /* the same */
    uint64_t gnu_hash;                   /* the same */
    struct pexcz_library_table rela;
    struct pexcz_library_table plt; /* DT_JMPREL */
    struct pexcz_library_table relr;
    struct pexcz_library_table init_array;
    uint64_t init; /* DT_INIT, 0: none */
    bool symbolic; /* its own symbols come first */
    const char *soname;
    const char *needed[PEXCZ_LIBRARY_NEEDED];
    size_t needed_count;
};

/* NULL, or what keeps this object from being loaded by us: a phrase that can
 * follow the name of the object, e.g. "is not an object for this machine". */
const char *pexcz_library_elf_read(struct pexcz_library_elf *file,
                                   struct pexcz_slice bytes);

/* The file's bytes of [address, address + size), NULL when they are not in
 * the file. */
const void *pexcz_library_elf_at(const struct pexcz_library_elf *file,
                                 uint64_t address, uint64_t size);

/* The NUL-terminated string at this offset of the string table, or NULL. */
const char *pexcz_library_string(const struct pexcz_library_elf *file,
                                 uint64_t offset);

/* Symbol `index`; false when there is no such. */
bool pexcz_library_symbol(const struct pexcz_library_elf *file, uint64_t index,
                          Elf64_Sym *ret);

/* Symbol `name`, as others see it: defined, of this version (NULL: of the
 * default one). */
bool pexcz_library_definition(const struct pexcz_library_elf *file,
                              const char *name, const char *version,
                              Elf64_Sym *ret);

/* The version that symbol `index` must have ("GLIBC_2.14"), or NULL. */
const char *pexcz_library_version(const struct pexcz_library_elf *file,
                                  uint64_t index);

#endif
