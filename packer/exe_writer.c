/* SPDX-License-Identifier: Apache-2.0 */
#include "exe_writer.h"

#include "buf.h"
#include "exe_layout.h"
#include "out_file.h"

#include <unistd.h>

/* Of x86-64; a snapshot's address is a multiple of it. */
#define HUGE_PAGE_SIZE UINT64_C(0x200000)

/* The addresses that a blob may take, up to the next reserved one. */
static uint64_t
address_limit(uint64_t address)
{
    switch (address) {
    case PEXCZ_ADDR_STDLIB:
        return PEXCZ_ADDR_APP;
    case PEXCZ_ADDR_APP:
        return PEXCZ_ADDR_SNAPSHOT;
    default:
        return PEXCZ_ADDR_SNAPSHOT_END;
    }
}

static bool
is_writable(const struct pexcz_exe *exe)
{
    return exe->address == PEXCZ_ADDR_SNAPSHOT;
}

static int
unusable(const struct pexcz_exe *exe, struct pexcz_error *err,
         const char *what)
{
    return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                      "%s: cannot be used as a base: %s", exe->elf.name, what);
}

/* Bytes from the start of the file that no section uses. */
static uint64_t
first_content(const struct pexcz_elf *elf)
{
    uint64_t first = elf->bytes.len;

    for (size_t i = 1; i < elf->section_count; i++) {
        const Elf64_Shdr *s = &elf->sections[i];

        if (s->sh_type != SHT_NOBITS && s->sh_type != SHT_NULL
            && s->sh_size != 0 && s->sh_offset < first) {
            first = s->sh_offset;
        }
    }
    for (size_t i = 0; i < elf->phdr_count; i++) {
        const Elf64_Phdr *p = &elf->phdrs[i];

        if (p->p_offset >= sizeof(Elf64_Ehdr) && p->p_type != PT_PHDR
            && p->p_filesz != 0 && p->p_offset < first) {
            first = p->p_offset;
        }
    }
    return first;
}

static int
check_room(const struct pexcz_exe *exe, struct pexcz_error *err)
{
    const struct pexcz_elf *elf = &exe->elf;
    uint64_t end
        = elf->header.e_phoff + (uint64_t)elf->phdr_count * sizeof(Elf64_Phdr);
    struct pexcz_slice room;

    if (elf->section_count == 0) {
        return unusable(exe, err, "it has no section headers");
    }
    if (elf->phdr_count == PEXCZ_ELF_MAX_PHDRS
        || first_content(elf) < end + sizeof(Elf64_Phdr)
        || !pexcz_slice_sub(elf->bytes, end, sizeof(Elf64_Phdr), &room)) {
        return unusable(exe, err, "no room for another program header");
    }
    for (size_t i = 0; i < room.len; i++) {
        if (room.ptr[i] != 0) {
            return unusable(exe, err,
                            "the room for another program header is taken");
        }
    }
    return PEXCZ_OK;
}

static int
check_address(const struct pexcz_exe *exe, struct pexcz_error *err)
{
    uint64_t limit = address_limit(exe->address);

    for (size_t i = 0; i < exe->elf.phdr_count; i++) {
        const Elf64_Phdr *p = &exe->elf.phdrs[i];

        if (p->p_type == PT_LOAD && p->p_vaddr < limit
            && p->p_vaddr + p->p_memsz > exe->address) {
            return unusable(exe, err,
                            p->p_vaddr == exe->address
                                ? "it has been packed already"
                                : "its segments take the blob's addresses");
        }
    }
    if (pexcz_elf_find_section(&exe->elf, exe->section) != NULL) {
        return unusable(exe, err, "it has been packed already");
    }
    return PEXCZ_OK;
}

/* Cuts the section names and headers at the end of the base, which the new
 * ones replace. */
static uint64_t
useful_size(const struct pexcz_elf *elf)
{
    const Elf64_Shdr *names = &elf->sections[elf->header.e_shstrndx];
    uint64_t last
        = elf->header.e_phoff + (uint64_t)elf->phdr_count * sizeof(Elf64_Phdr);

    for (size_t i = 1; i < elf->section_count; i++) {
        const Elf64_Shdr *s = &elf->sections[i];

        if (s != names && s->sh_type != SHT_NOBITS && s->sh_type != SHT_NULL
            && s->sh_offset + s->sh_size > last) {
            last = s->sh_offset + s->sh_size;
        }
    }
    for (size_t i = 0; i < elf->phdr_count; i++) {
        const Elf64_Phdr *p = &elf->phdrs[i];

        if (p->p_offset + p->p_filesz > last) {
            last = p->p_offset + p->p_filesz;
        }
    }
    return last < elf->bytes.len ? last : elf->bytes.len;
}

/* By which the blob's place in the file is aligned.  At a read of the snapshot
 * the kernel maps as much as lies in one piece of page cache if file and
 * address agree in this: a start has 40 to 400 page faults less
 * (docs/benchmarks.md), the file a hole. */
static uint64_t
alignment(const struct pexcz_exe *exe)
{
    return is_writable(exe) ? HUGE_PAGE_SIZE : exe->page_size;
}

int
pexcz_exe_open(struct pexcz_exe *exe, struct pexcz_slice base,
               const char *name, uint64_t address, const char *section,
               struct pexcz_error *err)
{
    int rc;

    *exe = (struct pexcz_exe){.address = address, .section = section};
    rc = pexcz_elf_open(&exe->elf, base, name, err);
    if (rc < 0) {
        return rc;
    }
    if (exe->elf.header.e_type != ET_EXEC) {
        rc = unusable(exe, err, "it is position-independent");
    }
    else {
        rc = check_room(exe, err);
    }
    if (rc == 0) {
        rc = check_address(exe, err);
    }
    if (rc == 0) {
        const Elf64_Shdr *names
            = &exe->elf.sections[exe->elf.header.e_shstrndx];

        rc = pexcz_buf_append(&exe->names, base.ptr + names->sh_offset,
                              (size_t)names->sh_size, err);
    }
    if (rc < 0) {
        pexcz_exe_close(exe);
        return rc;
    }
    exe->base_size = useful_size(&exe->elf);
    exe->page_size = pexcz_elf_page_size(exe->elf.header.e_machine);
    exe->offset
        = (exe->base_size + alignment(exe) - 1) & ~(alignment(exe) - 1);
    return PEXCZ_OK;
}

void
pexcz_exe_close(struct pexcz_exe *exe)
{
    pexcz_elf_close(&exe->elf);
    pexcz_buf_done(&exe->names);
    *exe = (struct pexcz_exe){0};
}

int
pexcz_exe_begin(struct pexcz_exe *exe, const struct pexcz_out_file *out,
                uint64_t *ret_offset, struct pexcz_error *err)
{
    int rc = pexcz_out_file_write(out, exe->elf.bytes.ptr,
                                  (size_t)exe->base_size, 0, err);

    if (rc == 0) {
        *ret_offset = exe->offset;
    }
    return rc;
}

/* Section names and headers as they follow the blob, which ends at `at`. */
static int
build_sections(const struct pexcz_exe *exe, uint64_t size, uint64_t at,
               struct pexcz_buf *tail, uint64_t *ret_shoff,
               struct pexcz_error *err)
{
    const struct pexcz_elf *elf = &exe->elf;
    Elf64_Shdr names = elf->sections[elf->header.e_shstrndx];
    Elf64_Shdr blob = {
        .sh_type = SHT_PROGBITS,
        .sh_flags = SHF_ALLOC | (is_writable(exe) ? SHF_WRITE : 0),
        .sh_addr = exe->address,
        .sh_offset = exe->offset,
        .sh_size = size,
        .sh_addralign = exe->page_size,
    };
    int rc;

    if (names.sh_size > UINT32_MAX / 2) {
        return unusable(exe, err, "its section names are too long");
    }
    blob.sh_name = (Elf64_Word)names.sh_size;
    rc = pexcz_buf_append(tail, exe->names.ptr, exe->names.len, err);
    if (rc == 0) {
        rc = pexcz_buf_append(tail, exe->section, strlen(exe->section) + 1,
                              err);
    }
    names.sh_offset = at;
    names.sh_size = tail->len;
    if (rc == 0) {
        rc = pexcz_buf_align(tail, 8, err);
    }
    *ret_shoff = at + tail->len;
    for (size_t i = 0; rc == 0 && i < elf->section_count; i++) {
        rc = pexcz_buf_append(
            tail, i == elf->header.e_shstrndx ? &names : &elf->sections[i],
            sizeof(names), err);
    }
    if (rc == 0) {
        rc = pexcz_buf_append(tail, &blob, sizeof(blob), err);
    }
    return rc;
}

static int
write_phdrs(const struct pexcz_exe *exe, const struct pexcz_out_file *out,
            uint64_t size, struct pexcz_error *err)
{
    const struct pexcz_elf *elf = &exe->elf;
    struct pexcz_buf table = {0};
    Elf64_Phdr blob = {
        .p_type = PT_LOAD,
        .p_flags = PF_R | (is_writable(exe) ? PF_W : 0),
        .p_offset = exe->offset,
        .p_vaddr = exe->address,
        .p_paddr = exe->address,
        .p_filesz = size,
        .p_memsz = size,
        .p_align = exe->page_size,
    };
    int rc = PEXCZ_OK;

    for (size_t i = 0; rc == 0 && i < elf->phdr_count; i++) {
        Elf64_Phdr p = elf->phdrs[i];

        if (p.p_type == PT_PHDR) {
            p.p_filesz += sizeof(p);
            p.p_memsz += sizeof(p);
        }
        rc = pexcz_buf_append(&table, &p, sizeof(p), err);
    }
    if (rc == 0) {
        rc = pexcz_buf_append(&table, &blob, sizeof(blob), err);
    }
    if (rc == 0) {
        rc = pexcz_out_file_write(out, table.ptr, table.len,
                                  elf->header.e_phoff, err);
    }
    pexcz_buf_done(&table);
    return rc;
}

int
pexcz_exe_finish(const struct pexcz_exe *exe, const struct pexcz_out_file *out,
                 uint64_t size, uint64_t *ret_total, struct pexcz_error *err)
{
    Elf64_Ehdr header = exe->elf.header;
    struct pexcz_buf tail = {0};
    uint64_t at;
    uint64_t shoff = 0;
    int rc;

    if (size > address_limit(exe->address) - exe->address) {
        return pexcz_fail(err, PEXCZ_E_TOO_BIG, 0,
                          "the content takes %llu bytes, more than the "
                          "address space set aside for it",
                          (unsigned long long)size);
    }
    at = exe->offset + size;
    rc = build_sections(exe, size, at, &tail, &shoff, err);
    if (rc == 0) {
        rc = pexcz_out_file_write(out, tail.ptr, tail.len, at, err);
    }
    if (rc == 0) {
        rc = write_phdrs(exe, out, size, err);
    }
    if (rc == 0) {
        header.e_phnum = (Elf64_Half)(header.e_phnum + 1);
        header.e_shnum = (Elf64_Half)(header.e_shnum + 1);
        header.e_shoff = shoff;
        rc = pexcz_out_file_write(out, &header, sizeof(header), 0, err);
        *ret_total = at + tail.len;
    }
    pexcz_buf_done(&tail);
    return rc;
}
