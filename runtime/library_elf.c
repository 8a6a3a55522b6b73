/* SPDX-License-Identifier: Apache-2.0 */
#include "library_elf.h"

#include "exe_layout.h"

#define PAGE_MASK ((uint64_t)PEXCZ_PAGE_SIZE - 1)
#define MAX_SPAN (UINT64_C(1) << 31)
#define MAX_SYMBOLS (UINT64_C(1) << 20)

static const char damaged[] = "is damaged";

const void *
pexcz_library_elf_at(const struct pexcz_library_elf *file, uint64_t address,
                     uint64_t size)
{
    for (size_t i = 0; i < file->segment_count; i++) {
        const Elf64_Phdr *p = &file->segments[i];

        if (address >= p->p_vaddr && address - p->p_vaddr <= p->p_filesz
            && size <= p->p_filesz - (address - p->p_vaddr)) {
            return file->bytes.ptr + p->p_offset + (address - p->p_vaddr);
        }
    }
    return NULL;
}

/* Whether the range is writable memory of the object. */
static bool
is_data(const struct pexcz_library_elf *file, uint64_t address, uint64_t size)
{
    for (size_t i = 0; i < file->segment_count; i++) {
        const Elf64_Phdr *p = &file->segments[i];

        if ((p->p_flags & PF_W) != 0 && address >= p->p_vaddr
            && address - p->p_vaddr <= p->p_memsz
            && size <= p->p_memsz - (address - p->p_vaddr)) {
            return true;
        }
    }
    return false;
}

static const char *
add_segment(struct pexcz_library_elf *file, const Elf64_Phdr *p)
{
    struct pexcz_slice part;
    const Elf64_Phdr *last = file->segment_count != 0
                                 ? &file->segments[file->segment_count - 1]
                                 : NULL;

    if (file->segment_count == PEXCZ_LIBRARY_SEGMENTS) {
        return "has too many segments";
    }
    if (!pexcz_slice_sub(file->bytes, p->p_offset, p->p_filesz, &part)
        || p->p_filesz > p->p_memsz || p->p_vaddr > MAX_SPAN
        || p->p_memsz > MAX_SPAN
        || ((p->p_vaddr - p->p_offset) & PAGE_MASK) != 0) {
        return damaged;
    }
    /* A page belongs to one segment. */
    if (last != NULL
        && ((last->p_vaddr + last->p_memsz + PAGE_MASK) & ~PAGE_MASK)
               > (p->p_vaddr & ~PAGE_MASK)) {
        return "has segments that share a page";
    }
    if ((p->p_flags & (PF_W | PF_X)) == (PF_W | PF_X)) {
        return "has code that can be written to";
    }
    if ((p->p_flags & PF_W) == 0 && p->p_filesz != p->p_memsz) {
        return damaged;
    }
    file->segments[file->segment_count++] = *p;
    file->span = (p->p_vaddr + p->p_memsz + PAGE_MASK) & ~PAGE_MASK;
    return NULL;
}

static const char *
read_segments(struct pexcz_library_elf *file)
{
    struct pexcz_slice table;
    Elf64_Ehdr elf;
    const char *why = NULL;

    if (file->bytes.len < sizeof(elf)) {
        return damaged;
    }
    memcpy(&elf, file->bytes.ptr, sizeof(elf));
    if (memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0
        || elf.e_ident[EI_CLASS] != ELFCLASS64
        || elf.e_ident[EI_DATA] != ELFDATA2LSB || elf.e_type != ET_DYN
        || elf.e_machine != EM_X86_64
        || elf.e_phentsize != sizeof(Elf64_Phdr)) {
        return "is not a shared object for this machine";
    }
    if (!pexcz_slice_sub(file->bytes, elf.e_phoff,
                         (uint64_t)elf.e_phnum * sizeof(Elf64_Phdr), &table)) {
        return damaged;
    }
    for (size_t i = 0; i < elf.e_phnum && why == NULL; i++) {
        Elf64_Phdr p;

        memcpy(&p, table.ptr + i * sizeof(p), sizeof(p));
        switch (p.p_type) {
        case PT_LOAD:
            why = add_segment(file, &p);
            break;
        case PT_DYNAMIC:
            file->dynamic
                = (struct pexcz_library_table){p.p_vaddr, p.p_filesz};
            break;
        case PT_TLS:
            file->tls = (struct pexcz_library_table){p.p_vaddr, p.p_filesz};
            file->tls_size = p.p_memsz;
            file->tls_align = p.p_align;
            break;
        case PT_GNU_RELRO:
            file->relro.address = p.p_vaddr & ~PAGE_MASK;
            file->relro.size
                = ((p.p_vaddr + p.p_memsz) & ~PAGE_MASK) - file->relro.address;
            break;
        default:
            break;
        }
    }
    if (why == NULL && file->segment_count != 0) {
        const Elf64_Phdr *first = &file->segments[0];

        if (first->p_vaddr != 0 || first->p_offset != 0) {
            return "does not begin at address 0";
        }
        file->phdrs = (struct pexcz_library_table){elf.e_phoff, elf.e_phnum};
    }
    return why;
}

/* How many symbols there are: the hash tables know. */
static uint64_t
count_symbols(const struct pexcz_library_elf *file, uint64_t hash,
              uint64_t gnu_hash)
{
    const uint32_t *words;
    const uint32_t *buckets;
    uint64_t chains;
    uint32_t last = 0;

    if (hash != 0 && (words = pexcz_library_elf_at(file, hash, 8)) != NULL) {
        return words[1];
    }
    if (gnu_hash == 0
        || (words = pexcz_library_elf_at(file, gnu_hash, 16)) == NULL) {
        return 0;
    }
    /* buckets, first symbol, words of the filter, shift */
    chains = gnu_hash + 16 + (uint64_t)words[2] * 8;
    buckets = pexcz_library_elf_at(file, chains, (uint64_t)words[0] * 4);
    chains += (uint64_t)words[0] * 4;
    if (buckets == NULL) {
        return 0;
    }
    for (uint32_t i = 0; i < words[0]; i++) {
        last = buckets[i] > last ? buckets[i] : last;
    }
    if (last < words[1]) {
        return words[1];
    }
    while (last < MAX_SYMBOLS) {
        const uint32_t *chain = pexcz_library_elf_at(
            file, chains + (uint64_t)(last - words[1]) * 4, 4);

        last++;
        if (chain == NULL) {
            return 0;
        }
        if ((*chain & 1) != 0) {
            break;
        }
    }
    return last;
}

const char *
pexcz_library_string(const struct pexcz_library_elf *file, uint64_t offset)
{
    const char *text;

    if (offset >= file->strings.size) {
        return NULL;
    }
    text = pexcz_library_elf_at(file, file->strings.address,
                                file->strings.size);
    if (text == NULL
        || memchr(text + offset, '\0', (size_t)(file->strings.size - offset))
               == NULL) {
        return NULL;
    }
    return text + offset;
}

/* The highest symbol that a relocation names: some objects have no hash. */
static uint64_t
highest_used(const struct pexcz_library_elf *file,
             const struct pexcz_library_table *table)
{
    const Elf64_Rela *rela
        = pexcz_library_elf_at(file, table->address, table->size);
    uint64_t highest = 0;

    for (size_t i = 0; rela != NULL && i < table->size / sizeof(*rela); i++) {
        uint64_t symbol = ELF64_R_SYM(rela[i].r_info);

        highest = symbol > highest ? symbol : highest;
    }
    return highest;
}

static bool
is_table(const struct pexcz_library_elf *file,
         const struct pexcz_library_table *table)
{
    return table->size == 0
           || pexcz_library_elf_at(file, table->address, table->size) != NULL;
}

/* DT_NEEDED and DT_SONAME, which are read when the strings are known. */
static const char *
read_names(struct pexcz_library_elf *file, const Elf64_Dyn *dyn, size_t count)
{
    for (size_t i = 0; i < count && dyn[i].d_tag != DT_NULL; i++) {
        const char *text;

        if (dyn[i].d_tag != DT_NEEDED && dyn[i].d_tag != DT_SONAME) {
            continue;
        }
        text = pexcz_library_string(file, dyn[i].d_un.d_val);
        if (text == NULL) {
            return damaged;
        }
        if (dyn[i].d_tag == DT_SONAME) {
            file->soname = text;
        }
        else if (file->needed_count == PEXCZ_LIBRARY_NEEDED) {
            return "needs too many other libraries";
        }
        else {
            file->needed[file->needed_count++] = text;
        }
    }
    return NULL;
}

static const char *
read_dynamic(struct pexcz_library_elf *file)
{
    size_t count = (size_t)(file->dynamic.size / sizeof(Elf64_Dyn));
    const Elf64_Dyn *dyn = pexcz_library_elf_at(file, file->dynamic.address,
                                                file->dynamic.size);
    uint64_t hash = 0;
    uint64_t symbols;
    uint64_t used;

    if (dyn == NULL || count == 0) {
        return damaged;
    }
    for (size_t i = 0; i < count && dyn[i].d_tag != DT_NULL; i++) {
        uint64_t value = dyn[i].d_un.d_val;

        switch (dyn[i].d_tag) {
        case DT_SYMTAB:
            file->symbols.address = value;
            break;
        case DT_STRTAB:
            file->strings.address = value;
            break;
        case DT_STRSZ:
            file->strings.size = value;
            break;
        case DT_HASH:
            hash = value;
            break;
        case DT_GNU_HASH:
            file->gnu_hash = value;
            break;
        case DT_VERSYM:
            file->versions.address = value;
            break;
        case DT_VERNEED:
            file->verneed = value;
            break;
        case DT_VERDEF:
            file->verdef = value;
            break;
        case DT_RELA:
            file->rela.address = value;
            break;
        case DT_RELASZ:
            file->rela.size = value;
            break;
        case DT_JMPREL:
            file->plt.address = value;
            break;
        case DT_PLTRELSZ:
            file->plt.size = value;
            break;
        case DT_RELR:
            file->relr.address = value;
            break;
        case DT_RELRSZ:
            file->relr.size = value;
            break;
        case DT_INIT:
            file->init = value;
            break;
        case DT_INIT_ARRAY:
            file->init_array.address = value;
            break;
        case DT_INIT_ARRAYSZ:
            file->init_array.size = value;
            break;
        case DT_SYMBOLIC:
            file->symbolic = true;
            break;
        case DT_FLAGS:
            if ((value & DF_TEXTREL) != 0) {
                return "has relocations in its code";
            }
            file->symbolic = file->symbolic || (value & DF_SYMBOLIC) != 0;
            break;
        case DT_TEXTREL:
            return "has relocations in its code";
        case DT_REL:
            return "has relocations of a kind that is not known";
        default:
            break;
        }
    }
    if (!is_table(file, &file->rela) || !is_table(file, &file->plt)
        || !is_table(file, &file->relr) || !is_table(file, &file->strings)
        || !is_table(file, &file->init_array)
        || file->init_array.size > PEXCZ_PAGE_SIZE) {
        return damaged;
    }
    symbols = count_symbols(file, hash, file->gnu_hash);
    used = highest_used(file, &file->rela) + 1;
    symbols = used > symbols ? used : symbols;
    used = highest_used(file, &file->plt) + 1;
    symbols = used > symbols ? used : symbols;
    if (symbols > MAX_SYMBOLS) {
        return damaged;
    }
    file->symbols.size = symbols * sizeof(Elf64_Sym);
    file->versions.size
        = file->versions.address != 0 ? symbols * sizeof(Elf64_Half) : 0;
    if (!is_table(file, &file->symbols) || !is_table(file, &file->versions)) {
        return damaged;
    }
    return read_names(file, dyn, count);
}

const char *
pexcz_library_elf_read(struct pexcz_library_elf *file,
                       struct pexcz_slice bytes)
{
    const char *why;

    memset(file, 0, sizeof(*file));
    file->bytes = bytes;
    why = read_segments(file);
    if (why == NULL && file->segment_count == 0) {
        why = damaged;
    }
    if (why == NULL) {
        why = read_dynamic(file);
    }
    if (why == NULL && file->relro.size != 0
        && !is_data(file, file->relro.address, file->relro.size)) {
        /* Its end is cut down to whole pages; its start may be a page
         * boundary below the segment's first byte. */
        const Elf64_Phdr *p = NULL;

        for (size_t i = 0; i < file->segment_count; i++) {
            if ((file->segments[i].p_flags & PF_W) != 0
                && (file->segments[i].p_vaddr & ~PAGE_MASK)
                       == file->relro.address) {
                p = &file->segments[i];
            }
        }
        if (p == NULL
            || file->relro.address + file->relro.size
                   > ((p->p_vaddr + p->p_memsz + PAGE_MASK) & ~PAGE_MASK)) {
            return damaged;
        }
    }
    return why;
}

bool
pexcz_library_symbol(const struct pexcz_library_elf *file, uint64_t index,
                     Elf64_Sym *ret)
{
    const void *p;

    if (index >= file->symbols.size / sizeof(*ret)) {
        return false;
    }
    p = pexcz_library_elf_at(
        file, file->symbols.address + index * sizeof(*ret), sizeof(*ret));
    if (p == NULL) {
        return false;
    }
    memcpy(ret, p, sizeof(*ret));
    return true;
}

const char *
pexcz_library_version(const struct pexcz_library_elf *file, uint64_t index)
{
    const Elf64_Half *numbers = pexcz_library_elf_at(
        file, file->versions.address, file->versions.size);
    uint64_t at = file->verneed;
    Elf64_Half want;

    if (numbers == NULL || index >= file->versions.size / sizeof(*numbers)) {
        return NULL;
    }
    want = numbers[index] & 0x7fff;
    for (unsigned int i = 0; want > 1 && at != 0 && i < 256; i++) {
        const Elf64_Verneed *need
            = pexcz_library_elf_at(file, at, sizeof(*need));
        uint64_t aux_at;

        if (need == NULL) {
            return NULL;
        }
        aux_at = at + need->vn_aux;
        for (unsigned int k = 0; k < need->vn_cnt; k++) {
            const Elf64_Vernaux *aux
                = pexcz_library_elf_at(file, aux_at, sizeof(*aux));

            if (aux == NULL) {
                return NULL;
            }
            if ((aux->vna_other & 0x7fff) == want) {
                return pexcz_library_string(file, aux->vna_name);
            }
            aux_at += aux->vna_next;
        }
        if (need->vn_next == 0) {
            return NULL;
        }
        at += need->vn_next;
    }
    return NULL;
}
