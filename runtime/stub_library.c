/* SPDX-License-Identifier: Apache-2.0 */
#include "stub_library.h"

#include "elf_file.h"

#include <string.h>

/* SONAME, HASH, SYMTAB, SYMENT, STRTAB, STRSZ, NULL */
#define FIXED_ENTRIES 7u

/* An empty symbol table: one bucket, one symbol, the null one. */
struct tables {
    Elf64_Sym null;
    uint32_t hash[4]; /* buckets, chains, bucket[0], chain[0] */
};

struct head {
    Elf64_Ehdr elf;
    Elf64_Phdr segments[3];
};

static int
add_dynamic(struct pexcz_buf *table, int64_t tag, uint64_t value,
            struct pexcz_error *err)
{
    Elf64_Dyn entry = {.d_tag = tag, .d_un.d_val = value};

    return pexcz_buf_append(table, &entry, sizeof(entry), err);
}

static int
add_name(struct pexcz_buf *table, struct pexcz_buf *strings, int64_t tag,
         const char *name, struct pexcz_error *err)
{
    int rc = add_dynamic(table, tag, strings->len, err);

    return rc == PEXCZ_OK
               ? pexcz_buf_append(strings, name, strlen(name) + 1, err)
               : rc;
}

static struct head
make_head(uint64_t dynamic_size, uint64_t total)
{
    uint16_t machine = pexcz_elf_own_machine();
    struct head h = {
        .elf = {
            .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
                        ELFDATA2LSB, EV_CURRENT},
            .e_type = ET_DYN,
            .e_machine = machine,
            .e_version = EV_CURRENT,
            .e_phoff = sizeof(Elf64_Ehdr),
            .e_ehsize = sizeof(Elf64_Ehdr),
            .e_phentsize = sizeof(Elf64_Phdr),
            .e_phnum = 3,
        },
        /* ld.so writes to the dynamic table. */
        .segments = {
            {
                .p_type = PT_LOAD,
                .p_flags = PF_R | PF_W,
                .p_filesz = total,
                .p_memsz = total,
                .p_align = pexcz_elf_page_size(machine),
            },
            {
                .p_type = PT_DYNAMIC,
                .p_flags = PF_R | PF_W,
                .p_offset = sizeof(struct head),
                .p_vaddr = sizeof(struct head),
                .p_paddr = sizeof(struct head),
                .p_filesz = dynamic_size,
                .p_memsz = dynamic_size,
                .p_align = 8,
            },
            {
                .p_type = PT_GNU_STACK,
                .p_flags = PF_R | PF_W,
                .p_align = 16,
            },
        },
    };

    return h;
}

int
pexcz_stub_library(const char *soname, const char *const *needed, size_t count,
                   struct pexcz_buf *ret, struct pexcz_error *err)
{
    const struct tables tables = {.hash = {1, 1, 0, 0}};
    size_t entries = count + FIXED_ENTRIES - (soname == NULL);
    uint64_t dynamic_size = entries * sizeof(Elf64_Dyn);
    uint64_t tables_at = sizeof(struct head) + dynamic_size;
    uint64_t strings_at = tables_at + sizeof(tables);
    struct pexcz_buf table = {0};
    struct pexcz_buf strings = {0};
    struct head head;
    int rc = pexcz_buf_append(&strings, "", 1, err);

    for (size_t i = 0; rc == PEXCZ_OK && i < count; i++) {
        rc = add_name(&table, &strings, DT_NEEDED, needed[i], err);
    }
    if (rc == PEXCZ_OK && soname != NULL) {
        rc = add_name(&table, &strings, DT_SONAME, soname, err);
    }
    if (rc == PEXCZ_OK) {
        rc = add_dynamic(&table, DT_HASH,
                         tables_at + offsetof(struct tables, hash), err);
    }
    if (rc == PEXCZ_OK) {
        rc = add_dynamic(&table, DT_SYMTAB, tables_at, err);
    }
    if (rc == PEXCZ_OK) {
        rc = add_dynamic(&table, DT_SYMENT, sizeof(Elf64_Sym), err);
    }
    if (rc == PEXCZ_OK) {
        rc = add_dynamic(&table, DT_STRTAB, strings_at, err);
    }
    if (rc == PEXCZ_OK) {
        rc = add_dynamic(&table, DT_STRSZ, strings.len, err);
    }
    if (rc == PEXCZ_OK) {
        rc = add_dynamic(&table, DT_NULL, 0, err);
    }
    if (rc == PEXCZ_OK) {
        head = make_head(dynamic_size, strings_at + strings.len);
        rc = pexcz_buf_append(ret, &head, sizeof(head), err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_buf_append(ret, table.ptr, table.len, err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_buf_append(ret, &tables, sizeof(tables), err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_buf_append(ret, strings.ptr, strings.len, err);
    }
    pexcz_buf_done(&table);
    pexcz_buf_done(&strings);
    return rc;
}
