/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds small packed files: an ELF header with room for program headers, and
 * blobs behind it.  They cannot run, but are laid out as the real ones.
 */
#ifndef PEXCZ_PACKED_BUILD_H
#define PEXCZ_PACKED_BUILD_H

#include "blob_writer.h"
#include "check.h"
#include "exe_layout.h"
#include "exe_writer.h"
#include "file_map.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct packed_item {
    const char *path; /* NULL ends a list */
    enum pexcz_entry_kind kind;
    uint16_t mode;
    const char *content; /* files, links */
    const char *code;    /* bytecode or NULL */
};

struct packed_setting {
    enum pexcz_boot_key key;
    const char *value; /* NULL ends a list */
};

#define PACKED_MTIME 1000000000
#define PACKED_MAGIC 3495u

/* An executable without blobs: header, one segment, two sections. */
static inline void
packed_write_base(const char *path)
{
    static const char names[] = "\0.text\0.shstrtab";
    uint8_t bytes[8192] = {0};
    Elf64_Ehdr *h = (Elf64_Ehdr *)(void *)bytes;
    Elf64_Phdr *p = (Elf64_Phdr *)(void *)(bytes + sizeof(*h));
    Elf64_Shdr *s = (Elf64_Shdr *)(void *)(bytes + 4096 + 64);
    size_t size = 4096 + 64 + 3 * sizeof(*s);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);

    memcpy(h->e_ident, ELFMAG, SELFMAG);
    h->e_ident[EI_CLASS] = ELFCLASS64;
    h->e_ident[EI_DATA] = ELFDATA2LSB;
    h->e_ident[EI_VERSION] = EV_CURRENT;
    h->e_type = ET_EXEC;
    h->e_machine = pexcz_elf_own_machine();
    h->e_version = EV_CURRENT;
    h->e_ehsize = sizeof(*h);
    h->e_phoff = sizeof(*h);
    h->e_phentsize = sizeof(*p);
    h->e_phnum = 1;
    h->e_shoff = 4096 + 64;
    h->e_shentsize = sizeof(*s);
    h->e_shnum = 3;
    h->e_shstrndx = 2;
    *p = (Elf64_Phdr){
        .p_type = PT_LOAD,
        .p_flags = PF_R | PF_X,
        .p_vaddr = 0x400000,
        .p_filesz = 4096 + 16,
        .p_memsz = 4096 + 16,
        .p_align = 4096,
    };
    memcpy(bytes + 4096 + 16, names, sizeof(names));
    s[1] = (Elf64_Shdr){
        .sh_name = 1,
        .sh_type = SHT_PROGBITS,
        .sh_flags = SHF_ALLOC,
        .sh_addr = 0x401000,
        .sh_offset = 4096,
        .sh_size = 16,
    };
    s[2] = (Elf64_Shdr){
        .sh_name = 7,
        .sh_type = SHT_STRTAB,
        .sh_offset = 4096 + 16,
        .sh_size = sizeof(names),
    };
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, bytes, size), (long long)size);
    CHECK_EQ(close(fd), 0);
}

static inline uint32_t
packed_put(struct pexcz_blob_writer *w, const char *content)
{
    struct pexcz_encoded enc;
    struct pexcz_error err;
    uint32_t payload = PEXCZ_NONE;

    if (content == NULL) {
        return PEXCZ_NONE;
    }
    CHECK_EQ(pexcz_payload_encode(pexcz_slice_str(content), PEXCZ_ENCODE_ZSTD,
                                  3, NULL, &enc, &err),
             0);
    CHECK_EQ(pexcz_blob_writer_put(w, &enc, 8, &payload, &err), 0);
    pexcz_encoded_done(&enc);
    return payload;
}

static inline uint64_t
packed_write_blob(int fd, uint64_t offset, uint32_t magic,
                  const struct packed_item *items,
                  const struct packed_setting *settings)
{
    static const char *const suffixes[] = {".so", NULL};
    struct pexcz_blob_options options = {
        .machine = pexcz_elf_own_machine(),
        .python_major = 3,
        .python_minor = 11,
        .python_magic = magic,
    };
    struct pexcz_error err;
    struct pexcz_blob_writer *w
        = pexcz_blob_writer_new(fd, offset, &options, &err);
    uint64_t size = 0;

    CHECK(w != NULL);
    for (; items->path != NULL; items++) {
        struct pexcz_entry_spec spec = {
            .path = pexcz_slice_str(items->path),
            .kind = items->kind,
            .mode = items->mode,
            .mtime = PACKED_MTIME,
            .mtime_nsec = 500,
            .payload = packed_put(w, items->content),
            .code = packed_put(w, items->code),
        };

        CHECK_EQ(pexcz_blob_writer_add(w, &spec, &err), 0);
    }
    for (; settings != NULL && settings->value != NULL; settings++) {
        CHECK_EQ(pexcz_blob_writer_boot(
                     w, settings->key, pexcz_slice_str(settings->value), &err),
                 0);
    }
    CHECK_EQ(pexcz_blob_writer_finish(w, suffixes, &size, &err), 0);
    pexcz_blob_writer_free(w);
    return size;
}

/* Adds one blob to the file at `path`. */
static inline void
packed_add(const char *path, uint64_t address, uint32_t magic,
           const struct packed_item *items,
           const struct packed_setting *settings)
{
    const char *section
        = address == PEXCZ_ADDR_APP ? PEXCZ_SECTION_APP : PEXCZ_SECTION_STDLIB;
    struct pexcz_slice base = {0};
    struct pexcz_exe exe = {0};
    struct pexcz_error err;
    uint64_t offset = 0;
    uint64_t total = 0;
    struct pexcz_out_file out = {.shown = "packed"};

    CHECK_EQ(pexcz_file_map(path, &base, &err), 0);
    CHECK_EQ(unlink(path), 0);
    out.fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0755);
    CHECK(out.fd >= 0);
    CHECK_EQ(pexcz_exe_open(&exe, base, path, address, section, &err), 0);
    CHECK_EQ(pexcz_exe_begin(&exe, &out, &offset, &err), 0);
    CHECK_EQ(pexcz_exe_finish(
                 &exe, &out,
                 packed_write_blob(out.fd, offset, magic, items, settings),
                 &total, &err),
             0);
    CHECK_EQ(lseek(out.fd, 0, SEEK_END), (long long)total);
    CHECK_EQ(close(out.fd), 0);
    pexcz_exe_close(&exe);
    pexcz_file_unmap(&base);
}

/* A new folder, made the current one; without it no test can go on. */
static inline void
packed_enter_folder(char name[])
{
    if (mkdtemp(name) == NULL || chdir(name) != 0) {
        perror(name);
        exit(1);
    }
}

#endif
