/* SPDX-License-Identifier: Apache-2.0 */
#include "packed_file.h"

#include "exe_layout.h"
#include "file_map.h"
#include "snapshot_view.h"

static const struct {
    const char *name;
    const char *section;
    uint64_t address;
} parts[PEXCZ_PART_COUNT] = {
    [PEXCZ_PART_APPLICATION]
    = {"application", PEXCZ_SECTION_APP, PEXCZ_ADDR_APP},
    [PEXCZ_PART_STDLIB]
    = {"standard library", PEXCZ_SECTION_STDLIB, PEXCZ_ADDR_STDLIB},
};

const char *
pexcz_part_name(enum pexcz_part part)
{
    return parts[part].name;
}

enum pexcz_part
pexcz_packed_file_part(const struct pexcz_packed_file *file,
                       const struct pexcz_blob *blob)
{
    return blob == &file->parts[PEXCZ_PART_APPLICATION].blob
               ? PEXCZ_PART_APPLICATION
               : PEXCZ_PART_STDLIB;
}

/* False when the file does not have the part. */
static bool
find_part(const struct pexcz_elf *elf, enum pexcz_part part,
          struct pexcz_packed_blob *ret)
{
    const Elf64_Phdr *segment = pexcz_elf_find_load(elf, parts[part].address);
    const Elf64_Shdr *section;

    if (segment != NULL) {
        ret->offset = segment->p_offset;
        ret->size = segment->p_filesz;
        return true;
    }
    section = pexcz_elf_find_section(elf, parts[part].section);
    if (section != NULL && section->sh_type != SHT_NOBITS) {
        ret->offset = section->sh_offset;
        ret->size = section->sh_size;
        return true;
    }
    return false;
}

static int
open_part(struct pexcz_packed_file *file, enum pexcz_part part,
          struct pexcz_error *err)
{
    struct pexcz_packed_blob *p = &file->parts[part];
    struct pexcz_slice bytes;
    int rc;

    if (!find_part(&file->elf, part, p)) {
        return PEXCZ_OK;
    }
    if (!pexcz_slice_sub(file->bytes, p->offset, p->size, &bytes)) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: %s: lies outside the file", file->path,
                          parts[part].name);
    }
    rc = pexcz_blob_open(&p->blob, bytes, parts[part].name, err);
    if (rc < 0) {
        return pexcz_wrap(err, "%s", file->path);
    }
    p->present = true;
    (void)pexcz_tree_add(&file->tree, &p->blob);
    return PEXCZ_OK;
}

/* Opens what file->bytes hold. */
static int
open_bytes(struct pexcz_packed_file *file, struct pexcz_error *err)
{
    int rc = pexcz_elf_open(&file->elf, file->bytes, file->path, err);

    for (int i = 0; rc == PEXCZ_OK && i < PEXCZ_PART_COUNT; i++) {
        rc = open_part(file, (enum pexcz_part)i, err);
    }
    if (rc == PEXCZ_OK && file->tree.layer_count == 0) {
        rc = pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                        "%s: not an executable made by pexcz", file->path);
    }
    if (rc < 0) {
        pexcz_packed_file_close(file);
    }
    return rc;
}

int
pexcz_packed_file_open(struct pexcz_packed_file *file, const char *path,
                       struct pexcz_error *err)
{
    int rc;

    *file = (struct pexcz_packed_file){.path = path};
    rc = pexcz_file_map(path, &file->bytes, err);
    if (rc < 0) {
        return rc;
    }
    file->mapped = true;
    return open_bytes(file, err);
}

int
pexcz_packed_file_from(struct pexcz_packed_file *file,
                       struct pexcz_slice bytes, const char *name,
                       struct pexcz_error *err)
{
    *file = (struct pexcz_packed_file){.path = name, .bytes = bytes};
    return open_bytes(file, err);
}

void
pexcz_packed_file_close(struct pexcz_packed_file *file)
{
    for (int i = 0; i < PEXCZ_PART_COUNT; i++) {
        pexcz_blob_close(&file->parts[i].blob);
    }
    pexcz_elf_close(&file->elf);
    if (file->mapped) {
        pexcz_file_unmap(&file->bytes);
    }
    *file = (struct pexcz_packed_file){0};
}

void
pexcz_packed_file_tree(const struct pexcz_packed_file *file, bool all,
                       struct pexcz_tree *ret)
{
    const struct pexcz_packed_blob *app = &file->parts[PEXCZ_PART_APPLICATION];

    *ret = file->tree;
    if (!all && app->present) {
        *ret = (struct pexcz_tree){0};
        (void)pexcz_tree_add(ret, &app->blob);
    }
}

/* The section header table ends the file, as the runtime demands. */
static int
verify_size(const struct pexcz_packed_file *file, struct pexcz_error *err)
{
    const Elf64_Ehdr *h = &file->elf.header;
    uint64_t table = (uint64_t)h->e_shnum * h->e_shentsize;

    if (h->e_shoff > file->bytes.len || table > file->bytes.len - h->e_shoff) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0, "%s: the file is cut short",
                          file->path);
    }
    if (h->e_shoff + table < file->bytes.len) {
        return pexcz_fail(
            err, PEXCZ_E_CORRUPT, 0, "%s: the file has %llu bytes appended",
            file->path,
            (unsigned long long)(file->bytes.len - h->e_shoff - table));
    }
    return PEXCZ_OK;
}

/* The runtime looks for segments only. */
static int
verify_segment(const struct pexcz_packed_file *file, enum pexcz_part part,
               struct pexcz_error *err)
{
    const struct pexcz_packed_blob *p = &file->parts[part];
    const Elf64_Phdr *segment
        = pexcz_elf_find_load(&file->elf, parts[part].address);
    const Elf64_Shdr *section
        = pexcz_elf_find_section(&file->elf, parts[part].section);

    if (segment == NULL) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: %s: its segment is missing", file->path,
                          parts[part].name);
    }
    if (segment->p_filesz != pexcz_blob_size(&p->blob)
        || segment->p_memsz != segment->p_filesz || segment->p_flags != PF_R) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: %s: its segment has a wrong size or wrong "
                          "permissions",
                          file->path, parts[part].name);
    }
    if (section != NULL
        && (section->sh_offset != p->offset || section->sh_size != p->size)) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: %s: section and segment differ", file->path,
                          parts[part].name);
    }
    return PEXCZ_OK;
}

static int
verify_match(const struct pexcz_packed_file *file, struct pexcz_error *err)
{
    const struct pexcz_packed_blob *app = &file->parts[PEXCZ_PART_APPLICATION];
    const struct pexcz_packed_blob *stdlib = &file->parts[PEXCZ_PART_STDLIB];

    if (!stdlib->present) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: the standard library is missing", file->path);
    }
    if (app->present
        && (app->blob.python_magic != stdlib->blob.python_magic
            || app->blob.machine != stdlib->blob.machine)) {
        return pexcz_fail(err, PEXCZ_E_CONFLICT, 0,
                          "%s: the application was packed for Python %u.%u, "
                          "not for this executable's",
                          file->path, app->blob.python_major,
                          app->blob.python_minor);
    }
    return PEXCZ_OK;
}

int
pexcz_packed_file_verify(const struct pexcz_packed_file *file,
                         struct pexcz_error *err)
{
    struct pexcz_snapshot_view snapshot;
    int rc = verify_size(file, err);

    if (rc == PEXCZ_OK) {
        rc = verify_match(file, err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_snapshot_view_open(file, &snapshot, err);
    }
    for (int i = 0; rc == PEXCZ_OK && i < PEXCZ_PART_COUNT; i++) {
        if (!file->parts[i].present) {
            continue;
        }
        rc = verify_segment(file, (enum pexcz_part)i, err);
        if (rc == PEXCZ_OK) {
            rc = pexcz_blob_verify(&file->parts[i].blob, err);
            if (rc < 0) {
                (void)pexcz_wrap(err, "%s", file->path);
            }
        }
    }
    return rc;
}
