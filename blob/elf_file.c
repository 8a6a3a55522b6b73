/* SPDX-License-Identifier: Apache-2.0 */
#include "elf_file.h"

#include "buf.h"

#include <stdlib.h>

static int
corrupt(const struct pexcz_elf *elf, struct pexcz_error *err, const char *what)
{
    return pexcz_fail(err, PEXCZ_E_CORRUPT, 0, "%s: damaged ELF file: %s",
                      elf->name, what);
}

/* A copy of `count` records of `size` bytes at `offset`. */
static int
read_table(const struct pexcz_elf *elf, uint64_t offset, size_t count,
           size_t size, void **ret, struct pexcz_error *err)
{
    struct pexcz_slice part;
    void *copy;

    if (!pexcz_slice_sub(elf->bytes, offset, (uint64_t)count * size, &part)) {
        return corrupt(elf, err, "a header table lies outside the file");
    }
    copy = pexcz_alloc_array(count, size);
    if (copy == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    if (part.len != 0) {
        memcpy(copy, part.ptr, part.len);
    }
    *ret = copy;
    return PEXCZ_OK;
}

static int
read_header(struct pexcz_elf *elf, struct pexcz_error *err)
{
    const Elf64_Ehdr *h = &elf->header;

    if (elf->bytes.len < SELFMAG
        || memcmp(elf->bytes.ptr, ELFMAG, SELFMAG) != 0) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "%s: not an ELF executable", elf->name);
    }
    if (elf->bytes.len < sizeof(elf->header)) {
        return corrupt(elf, err, "cut short");
    }
    memcpy(&elf->header, elf->bytes.ptr, sizeof(elf->header));
    if (h->e_ident[EI_CLASS] != ELFCLASS64
        || h->e_ident[EI_DATA] != ELFDATA2LSB) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "%s: not a 64-bit little-endian executable",
                          elf->name);
    }
    if (h->e_type != ET_EXEC && h->e_type != ET_DYN) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "%s: an ELF file, but not an executable", elf->name);
    }
    if (h->e_phnum == 0 || h->e_phnum > PEXCZ_ELF_MAX_PHDRS
        || h->e_phentsize != sizeof(Elf64_Phdr)) {
        return corrupt(elf, err, "program headers of a wrong number or size");
    }
    if (h->e_shoff != 0
        && (h->e_shnum > PEXCZ_ELF_MAX_SECTIONS
            || (h->e_shnum != 0 && h->e_shentsize != sizeof(Elf64_Shdr)))) {
        return corrupt(elf, err, "section headers of a wrong number or size");
    }
    return PEXCZ_OK;
}

static int
check_tables(const struct pexcz_elf *elf, struct pexcz_error *err)
{
    struct pexcz_slice part;

    for (size_t i = 0; i < elf->phdr_count; i++) {
        const Elf64_Phdr *p = &elf->phdrs[i];

        if (!pexcz_slice_sub(elf->bytes, p->p_offset, p->p_filesz, &part)) {
            return corrupt(elf, err, "a segment lies outside the file");
        }
        if (p->p_type == PT_LOAD
            && (p->p_filesz > p->p_memsz
                || p->p_vaddr > UINT64_MAX - p->p_memsz)) {
            return corrupt(elf, err, "a segment of an impossible size");
        }
    }
    for (size_t i = 0; i < elf->section_count; i++) {
        const Elf64_Shdr *s = &elf->sections[i];

        if (s->sh_type != SHT_NOBITS && s->sh_type != SHT_NULL
            && !pexcz_slice_sub(elf->bytes, s->sh_offset, s->sh_size, &part)) {
            return corrupt(elf, err, "a section lies outside the file");
        }
    }
    if (elf->section_count != 0
        && elf->header.e_shstrndx >= elf->section_count) {
        return corrupt(elf, err, "no table of section names");
    }
    return PEXCZ_OK;
}

int
pexcz_elf_open(struct pexcz_elf *elf, struct pexcz_slice bytes,
               const char *name, struct pexcz_error *err)
{
    int rc;

    *elf = (struct pexcz_elf){.bytes = bytes, .name = name};
    rc = read_header(elf, err);
    if (rc < 0) {
        goto out;
    }
    elf->phdr_count = elf->header.e_phnum;
    elf->section_count = elf->header.e_shoff != 0 ? elf->header.e_shnum : 0;
    rc = read_table(elf, elf->header.e_phoff, elf->phdr_count,
                    sizeof(Elf64_Phdr), (void **)&elf->phdrs, err);
    if (rc == 0) {
        rc = read_table(elf, elf->header.e_shoff, elf->section_count,
                        sizeof(Elf64_Shdr), (void **)&elf->sections, err);
    }
    if (rc == 0) {
        rc = check_tables(elf, err);
    }
out:
    if (rc < 0) {
        pexcz_elf_close(elf);
    }
    return rc;
}

void
pexcz_elf_close(struct pexcz_elf *elf)
{
    free(elf->phdrs);
    free(elf->sections);
    *elf = (struct pexcz_elf){0};
}

const char *
pexcz_elf_section_name(const struct pexcz_elf *elf, size_t index)
{
    const Elf64_Shdr *names = &elf->sections[elf->header.e_shstrndx];
    uint32_t at = elf->sections[index].sh_name;
    const char *text;

    if (names->sh_type != SHT_STRTAB || at >= names->sh_size) {
        return "";
    }
    text = (const char *)elf->bytes.ptr + names->sh_offset + at;
    if (memchr(text, 0, (size_t)(names->sh_size - at)) == NULL) {
        return "";
    }
    return text;
}

const Elf64_Shdr *
pexcz_elf_find_section(const struct pexcz_elf *elf, const char *name)
{
    for (size_t i = 1; i < elf->section_count; i++) {
        if (strcmp(pexcz_elf_section_name(elf, i), name) == 0) {
            return &elf->sections[i];
        }
    }
    return NULL;
}

const Elf64_Phdr *
pexcz_elf_find_load(const struct pexcz_elf *elf, uint64_t address)
{
    for (size_t i = 0; i < elf->phdr_count; i++) {
        if (elf->phdrs[i].p_type == PT_LOAD
            && elf->phdrs[i].p_vaddr == address) {
            return &elf->phdrs[i];
        }
    }
    return NULL;
}

const char *
pexcz_elf_machine_name(uint16_t machine)
{
    switch (machine) {
    case EM_X86_64:
        return "x86_64";
    case EM_AARCH64:
        return "aarch64";
    case EM_386:
        return "i386";
    case EM_ARM:
        return "arm";
    case EM_PPC64:
        return "ppc64le";
    case EM_RISCV:
        return "riscv64";
    default:
        return "unknown";
    }
}

uint16_t
pexcz_elf_machine(const char *name)
{
    static const uint16_t machines[] = {EM_X86_64, EM_AARCH64};

    for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
        if (strcmp(pexcz_elf_machine_name(machines[i]), name) == 0) {
            return machines[i];
        }
    }
    return EM_NONE;
}

uint64_t
pexcz_elf_page_size(uint16_t machine)
{
    return machine == EM_AARCH64 ? 0x10000 : 0x1000;
}

uint16_t
pexcz_elf_own_machine(void)
{
#if defined(__x86_64__)
    return EM_X86_64;
#elif defined(__aarch64__)
    return EM_AARCH64;
#else
#error "pexcz does not know this machine"
#endif
}
