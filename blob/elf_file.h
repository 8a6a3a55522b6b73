/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded reader of ELF64 little-endian executables.
 *
 * Only what the packer needs: header, program headers, sections with their
 * names.  Every offset, size and count is checked against the file at open;
 * afterwards the tables can be used as they are.  Source: System V ABI, gABI
 * 4.1; elf(5).
 */
#ifndef PEXCZ_ELF_FILE_H
#define PEXCZ_ELF_FILE_H

#include "error.h"
#include "slice.h"

#include <elf.h>

/* Program headers and sections that a file may have. */
#define PEXCZ_ELF_MAX_PHDRS 256u
#define PEXCZ_ELF_MAX_SECTIONS 4096u

struct pexcz_elf {
    struct pexcz_slice bytes; /* the file, borrowed */
    const char *name;         /* for messages, borrowed */
    Elf64_Ehdr header;
    Elf64_Phdr *phdrs; /* owned copies */
    Elf64_Shdr *sections;
    size_t phdr_count;
    size_t section_count; /* 0 when stripped of all section headers */
};

/*
 * Reads the tables of the executable in `bytes`.  CORRUPT when they
 * contradict the file, UNSUPPORTED when it is no 64-bit little-endian
 * executable.  On failure *elf is zeroed.
 */
PEXCZ_MUST_USE int pexcz_elf_open(struct pexcz_elf *elf,
                                  struct pexcz_slice bytes, const char *name,
                                  struct pexcz_error *err);
void pexcz_elf_close(struct pexcz_elf *elf);

/* The section's name, or "" when it has none that is terminated; borrowed
 * from the file. */
const char *pexcz_elf_section_name(const struct pexcz_elf *elf, size_t index);

/* The section with this name, or NULL. */
const Elf64_Shdr *pexcz_elf_find_section(const struct pexcz_elf *elf,
                                         const char *name);

/* The PT_LOAD segment that starts at this address, or NULL. */
const Elf64_Phdr *pexcz_elf_find_load(const struct pexcz_elf *elf,
                                      uint64_t address);

/* "x86_64", "aarch64", …; "machine N" never: unknown ones give "unknown". */
const char *pexcz_elf_machine_name(uint16_t machine);

/* The machine of this name that pexcz builds bases for; EM_NONE: none. */
uint16_t pexcz_elf_machine(const char *name);

/* e_machine of this build of the packer. */
uint16_t pexcz_elf_own_machine(void);

/* The largest page that a kernel of the machine may have: so segments are
 * aligned. */
uint64_t pexcz_elf_page_size(uint16_t machine);

#endif
