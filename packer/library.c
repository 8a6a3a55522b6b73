/* SPDX-License-Identifier: Apache-2.0 */
#include "library.h"

#include "elf_file.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Versions and files that one object may name; real ones have a dozen. */
#define MAX_VERSIONS 65536u

/* The parts of a shared object that ld.so reads. */
struct object {
    struct pexcz_slice bytes;
    Elf64_Ehdr header;
    struct pexcz_slice dynamic;
    struct pexcz_slice strings;
};

static bool
segment(const struct object *o, uint16_t index, Elf64_Phdr *ret)
{
    struct pexcz_slice part;

    if (!pexcz_slice_sub(o->bytes, o->header.e_phoff,
                         (uint64_t)o->header.e_phnum * sizeof(*ret), &part)
        || index >= o->header.e_phnum) {
        return false;
    }
    memcpy(ret, part.ptr + index * sizeof(*ret), sizeof(*ret));
    return true;
}

static bool
find_segment(const struct object *o, uint32_t type, Elf64_Phdr *ret)
{
    for (uint16_t i = 0; segment(o, i, ret); i++) {
        if (ret->p_type == type) {
            return true;
        }
    }
    return false;
}

/* The file's bytes from a virtual address to the end of its segment. */
static bool
at_address(const struct object *o, uint64_t address, struct pexcz_slice *ret)
{
    Elf64_Phdr ph;

    for (uint16_t i = 0; segment(o, i, &ph); i++) {
        if (ph.p_type == PT_LOAD && address >= ph.p_vaddr
            && address - ph.p_vaddr < ph.p_filesz) {
            struct pexcz_slice part;

            return pexcz_slice_sub(o->bytes, ph.p_offset, ph.p_filesz, &part)
                   && pexcz_slice_sub(part, address - ph.p_vaddr,
                                      ph.p_filesz - (address - ph.p_vaddr),
                                      ret);
        }
    }
    return false;
}

static bool
entry_at(const struct object *o, size_t i, Elf64_Dyn *ret)
{
    struct pexcz_slice entry;

    if (!pexcz_slice_sub(o->dynamic, i * sizeof(*ret), sizeof(*ret), &entry)) {
        return false;
    }
    memcpy(ret, entry.ptr, sizeof(*ret));
    return ret->d_tag != DT_NULL;
}

/* The last value of a tag, as ld.so takes it. */
static bool
value_of(const struct object *o, int64_t tag, uint64_t *ret)
{
    bool found = false;
    Elf64_Dyn entry;

    for (size_t i = 0; entry_at(o, i, &entry); i++) {
        if (entry.d_tag == tag) {
            *ret = entry.d_un.d_val;
            found = true;
        }
    }
    return found;
}

static bool
open_object(struct pexcz_slice bytes, struct object *ret)
{
    uint64_t address = 0;
    Elf64_Phdr ph;

    *ret = (struct object){.bytes = bytes};
    if (bytes.len < sizeof(ret->header)) {
        return false;
    }
    memcpy(&ret->header, bytes.ptr, sizeof(ret->header));
    if (memcmp(ret->header.e_ident, ELFMAG, SELFMAG) != 0
        || ret->header.e_ident[EI_CLASS] != ELFCLASS64
        || ret->header.e_ident[EI_DATA] != ELFDATA2LSB
        || (ret->header.e_type != ET_DYN && ret->header.e_type != ET_EXEC)
        || ret->header.e_phentsize != sizeof(Elf64_Phdr)) {
        return false;
    }
    if (!find_segment(ret, PT_DYNAMIC, &ph)
        || !pexcz_slice_sub(bytes, ph.p_offset, ph.p_filesz, &ret->dynamic)) {
        return false;
    }
    if (!value_of(ret, DT_STRTAB, &address)
        || !at_address(ret, address, &ret->strings)) {
        ret->strings = (struct pexcz_slice){0};
    }
    return true;
}

/* Linked as a program; some libraries can be run too, and print their
 * version. */
static bool
is_program(const struct object *o)
{
    uint64_t flags = 0;

    (void)value_of(o, DT_FLAGS_1, &flags);
    return o->header.e_type == ET_EXEC || (flags & DF_1_PIE) != 0;
}

/* A program whose run path begins at its own place. */
static bool
has_origin(const struct object *o)
{
    static const int64_t tags[] = {DT_RPATH, DT_RUNPATH};
    uint64_t at;

    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        if (value_of(o, tags[i], &at) && at < o->strings.len
            && memmem(o->strings.ptr + at,
                      strnlen((const char *)o->strings.ptr + at,
                              o->strings.len - (size_t)at),
                      "ORIGIN", strlen("ORIGIN"))
                   != NULL) {
            return true;
        }
    }
    return false;
}

bool
pexcz_is_library(struct pexcz_slice content, const char *name,
                 uint16_t machine)
{
    struct object o;
    Elf64_Phdr ph;

    if (!open_object(content, &o) || o.header.e_machine != machine) {
        return false;
    }
    return (!is_program(&o)
            && (!find_segment(&o, PT_INTERP, &ph)
                || strstr(name, ".so") != NULL))
           || has_origin(&o);
}

/* --- names -------------------------------------------------------------- */

/* A copy of the string at `offset`; NULL when there is none. */
static int
copy_string(const struct object *o, uint64_t offset,
            struct pexcz_library_info *info, const char **ret,
            struct pexcz_error *err)
{
    const uint8_t *text;
    const uint8_t *end;

    *ret = NULL;
    if (offset >= o->strings.len) {
        return PEXCZ_OK;
    }
    text = o->strings.ptr + offset;
    end = memchr(text, '\0', o->strings.len - (size_t)offset);
    if (end == NULL || end - text > PATH_MAX) {
        return PEXCZ_OK;
    }
    *ret = pexcz_arena_dup(&info->arena,
                           pexcz_slice_make(text, (size_t)(end - text)), err);
    return *ret != NULL ? PEXCZ_OK : PEXCZ_E_NOMEM;
}

static int
read_names(const struct object *o, struct pexcz_library_info *info,
           struct pexcz_error *err)
{
    Elf64_Dyn entry;
    int rc = PEXCZ_OK;

    for (size_t i = 0; rc == PEXCZ_OK && entry_at(o, i, &entry); i++) {
        const char *text = NULL;

        switch (entry.d_tag) {
        case DT_SONAME:
            rc = copy_string(o, entry.d_un.d_val, info, &info->soname, err);
            break;
        case DT_RPATH:
            rc = copy_string(o, entry.d_un.d_val, info, &info->rpath, err);
            break;
        case DT_RUNPATH:
            rc = copy_string(o, entry.d_un.d_val, info, &info->runpath, err);
            break;
        case DT_NEEDED:
            rc = copy_string(o, entry.d_un.d_val, info, &text, err);
            if (rc == PEXCZ_OK && text != NULL && text[0] != '\0') {
                rc = pexcz_strings_add(&info->needed, &info->arena,
                                       pexcz_slice_str(text), err);
            }
            break;
        default:
            break;
        }
    }
    if (info->runpath != NULL) {
        info->rpath = NULL; /* ld.so ignores it then */
    }
    if (info->soname != NULL && info->soname[0] == '\0') {
        info->soname = NULL;
    }
    return rc;
}

/* --- versions ----------------------------------------------------------- */

static const char *const family_names[PEXCZ_FAMILY_COUNT] = {
    [PEXCZ_FAMILY_GLIBC] = "GLIBC",
    [PEXCZ_FAMILY_GLIBCXX] = "GLIBCXX",
    [PEXCZ_FAMILY_CXXABI] = "CXXABI",
};

const char *
pexcz_version_family_name(enum pexcz_version_family family)
{
    return family_names[family];
}

bool
pexcz_version_is_lower(const char *a, const char *b)
{
    while (a != NULL && b != NULL && *a != '\0' && *b != '\0') {
        char *end_a;
        char *end_b;
        unsigned long x = strtoul(a, &end_a, 10);
        unsigned long y = strtoul(b, &end_b, 10);

        if (x != y) {
            return x < y;
        }
        a = *end_a == '.' ? end_a + 1 : end_a;
        b = *end_b == '.' ? end_b + 1 : end_b;
        if (a == end_a || b == end_b) {
            break;
        }
    }
    return b != NULL && *b != '\0' && (a == NULL || *a == '\0');
}

/* "GLIBC_2.17" counts, "GLIBC_PRIVATE" and "GCC_3.0" do not. */
static void
note_version(struct pexcz_library_info *info, const char *text)
{
    for (size_t i = 0; text != NULL && i < PEXCZ_FAMILY_COUNT; i++) {
        size_t len = strlen(family_names[i]);

        if (strncmp(text, family_names[i], len) == 0 && text[len] == '_'
            && text[len + 1] >= '0' && text[len + 1] <= '9'
            && pexcz_version_is_lower(info->highest[i], text + len + 1)) {
            info->highest[i] = text + len + 1;
        }
    }
}

static int
read_versions(const struct object *o, struct pexcz_library_info *info,
              struct pexcz_error *err)
{
    uint64_t address = 0;
    struct pexcz_slice table;
    uint64_t at = 0;
    unsigned int seen = 0;
    struct pexcz_slice part;

    if (!value_of(o, DT_VERNEED, &address)
        || !at_address(o, address, &table)) {
        return PEXCZ_OK;
    }
    for (;;) {
        Elf64_Verneed need;
        uint64_t aux_at;

        if (!pexcz_slice_sub(table, at, sizeof(need), &part)) {
            return PEXCZ_OK;
        }
        memcpy(&need, part.ptr, sizeof(need));
        aux_at = at + need.vn_aux;
        for (uint16_t i = 0; i < need.vn_cnt; i++) {
            Elf64_Vernaux aux;
            const char *text;
            int rc;

            if (seen++ == MAX_VERSIONS
                || !pexcz_slice_sub(table, aux_at, sizeof(aux), &part)) {
                return PEXCZ_OK;
            }
            memcpy(&aux, part.ptr, sizeof(aux));
            rc = copy_string(o, aux.vna_name, info, &text, err);
            if (rc < 0) {
                return rc;
            }
            note_version(info, text);
            if (aux.vna_next == 0) {
                break;
            }
            aux_at += aux.vna_next;
        }
        if (need.vn_next == 0 || seen++ == MAX_VERSIONS) {
            return PEXCZ_OK;
        }
        at += need.vn_next;
    }
}

/* --- all ---------------------------------------------------------------- */

/* Without a PT_GNU_STACK the old ABI's executable stack is meant. */
static void
read_hazards(const struct object *o, struct pexcz_library_info *info)
{
    Elf64_Phdr ph;
    uint64_t value = 0;

    if (is_program(o)) {
        return; /* those that the kernel starts are not ld.so's to refuse */
    }
    info->executable_stack
        = !find_segment(o, PT_GNU_STACK, &ph) || (ph.p_flags & PF_X) != 0;
    info->text_relocations
        = value_of(o, DT_TEXTREL, &value)
          || (value_of(o, DT_FLAGS, &value) && (value & DF_TEXTREL) != 0);
}

int
pexcz_library_read(struct pexcz_slice content, struct pexcz_library_info *ret,
                   struct pexcz_error *err)
{
    struct object o;
    int rc;

    ret->hash = XXH3_64bits(content.ptr, content.len);
    if (!open_object(content, &o)) {
        return PEXCZ_OK;
    }
    read_hazards(&o, ret);
    rc = read_names(&o, ret, err);
    return rc == PEXCZ_OK ? read_versions(&o, ret, err) : rc;
}

void
pexcz_library_done(struct pexcz_library_info *info)
{
    pexcz_arena_done(&info->arena);
    *info = (struct pexcz_library_info){0};
}
