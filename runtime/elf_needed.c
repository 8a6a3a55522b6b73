/* SPDX-License-Identifier: Apache-2.0 */
#include "elf_needed.h"

#include <elf.h>
#include <string.h>

/* The dynamic table of an object, and its strings. */
struct dynamic {
    struct pexcz_slice table;
    struct pexcz_slice strings;
};

/* The file's bytes from a virtual address to the end of its segment. */
static bool
at_address(struct pexcz_slice bytes, const Elf64_Ehdr *elf, uint64_t address,
           struct pexcz_slice *ret)
{
    for (uint16_t i = 0; i < elf->e_phnum; i++) {
        Elf64_Phdr ph;

        memcpy(&ph, bytes.ptr + elf->e_phoff + i * sizeof(ph), sizeof(ph));
        if (ph.p_type == PT_LOAD && address >= ph.p_vaddr
            && address - ph.p_vaddr < ph.p_filesz) {
            struct pexcz_slice segment;

            return pexcz_slice_sub(bytes, ph.p_offset, ph.p_filesz, &segment)
                   && pexcz_slice_sub(segment, address - ph.p_vaddr,
                                      ph.p_filesz - (address - ph.p_vaddr),
                                      ret);
        }
    }
    return false;
}

static bool
entry_at(struct pexcz_slice table, size_t i, Elf64_Dyn *ret)
{
    struct pexcz_slice entry;

    if (!pexcz_slice_sub(table, i * sizeof(*ret), sizeof(*ret), &entry)) {
        return false;
    }
    memcpy(ret, entry.ptr, sizeof(*ret));
    return ret->d_tag != DT_NULL;
}

static bool
find_dynamic(struct pexcz_slice bytes, struct dynamic *ret)
{
    Elf64_Ehdr elf;
    struct pexcz_slice headers;
    Elf64_Dyn entry;

    if (bytes.len < sizeof(elf)) {
        return false;
    }
    memcpy(&elf, bytes.ptr, sizeof(elf));
    if (memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0
        || elf.e_ident[EI_CLASS] != ELFCLASS64
        || elf.e_phentsize != sizeof(Elf64_Phdr)
        || !pexcz_slice_sub(bytes, elf.e_phoff,
                            (uint64_t)elf.e_phnum * sizeof(Elf64_Phdr),
                            &headers)) {
        return false;
    }
    ret->table.len = 0;
    for (uint16_t i = 0; i < elf.e_phnum; i++) {
        Elf64_Phdr ph;

        memcpy(&ph, headers.ptr + i * sizeof(ph), sizeof(ph));
        if (ph.p_type == PT_DYNAMIC
            && !pexcz_slice_sub(bytes, ph.p_offset, ph.p_filesz,
                                &ret->table)) {
            return false;
        }
    }
    for (size_t i = 0; entry_at(ret->table, i, &entry); i++) {
        if (entry.d_tag == DT_STRTAB) {
            return at_address(bytes, &elf, entry.d_un.d_ptr, &ret->strings);
        }
    }
    return false;
}

/* A NUL-terminated string of the table, or NULL. */
static const char *
string_at(struct pexcz_slice strings, uint64_t offset)
{
    if (offset >= strings.len
        || memchr(strings.ptr + offset, '\0', strings.len - (size_t)offset)
               == NULL) {
        return NULL;
    }
    return (const char *)strings.ptr + offset;
}

bool
pexcz_elf_next_needed(struct pexcz_slice bytes,
                      struct pexcz_needed_cursor *cursor,
                      struct pexcz_needed *ret)
{
    struct dynamic dynamic = {0};
    struct pexcz_needed found = {0};
    const char *rpath = NULL;
    size_t seen = 0;
    Elf64_Dyn entry;

    if (!find_dynamic(bytes, &dynamic)) {
        return false;
    }
    for (size_t i = 0; entry_at(dynamic.table, i, &entry); i++) {
        const char *text = string_at(dynamic.strings, entry.d_un.d_val);

        if (entry.d_tag == DT_NEEDED && seen++ == cursor->index) {
            found.name = text;
        }
        else if (entry.d_tag == DT_RUNPATH) {
            found.runpath = text;
        }
        else if (entry.d_tag == DT_RPATH) {
            rpath = text;
        }
    }
    cursor->index++;
    if (found.name == NULL) {
        return false;
    }
    if (found.runpath == NULL) {
        found.runpath = rpath;
    }
    *ret = found;
    return true;
}
