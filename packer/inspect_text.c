/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect.h"

#include "progress.h"
#include "utf8.h"

#include <stdio.h>

/* Room for a path, every byte of it as "\xNN". */
#define SHOWN_SIZE ((size_t)PEXCZ_MAX_PATH * 4 + 8)

/* Columns that a line of the settings may have. */
#define VALUE_SIZE 61

static void
print_head(const struct pexcz_inspection *in)
{
    const struct pexcz_packed_file *file = in->file;
    const struct pexcz_blob *blob = file->tree.layers[0];
    char shown[SHOWN_SIZE];
    char size[16];

    pexcz_utf8_escape(pexcz_slice_str(file->path), shown, sizeof(shown));
    pexcz_format_size(file->bytes.len, size);
    (void)printf("%s: %s, Python %u.%u, %s\n", shown, size, blob->python_major,
                 blob->python_minor,
                 pexcz_elf_machine_name(file->elf.header.e_machine));
    pexcz_format_size(in->program, size);
    (void)printf("  %-16s %9s\n", "program", size);
    for (int i = PEXCZ_PART_COUNT - 1; i >= 0; i--) {
        if (file->parts[i].present) {
            pexcz_format_size(file->parts[i].size, size);
            (void)printf("  %-16s %9s  ", pexcz_part_name((enum pexcz_part)i),
                         size);
            for (size_t k = 0; k < sizeof(blob->id); k++) {
                (void)printf("%02x", file->parts[i].blob.id[k]);
            }
            (void)putchar('\n');
        }
    }
}

static void
print_settings(const struct pexcz_blob *blob)
{
    struct pexcz_slice value;
    uint32_t cursor = 0;
    uint32_t key;
    bool any = false;

    while (pexcz_blob_boot_next(blob, &cursor, &key, &value)) {
        const char *name = pexcz_boot_key_name(key);
        char shown[VALUE_SIZE];

        if (name == NULL) {
            continue;
        }
        if (key == PEXCZ_BOOT_PEX_INFO) {
            (void)snprintf(shown, sizeof(shown), "%zu bytes of JSON",
                           value.len);
        }
        else {
            pexcz_utf8_escape(value, shown, sizeof(shown));
        }
        (void)printf("%s  %-16s %s\n", any ? "" : "\nSettings\n", name, shown);
        any = true;
    }
}

static void
print_sums(const struct pexcz_sums *sums, const char *name,
           const char *version)
{
    char shown_name[PEXCZ_MAX_NAME];
    char shown_version[PEXCZ_MAX_NAME];
    char size[16];
    char stored[16];

    pexcz_utf8_escape(pexcz_slice_str(name), shown_name, sizeof(shown_name));
    pexcz_utf8_escape(pexcz_slice_str(version), shown_version,
                      sizeof(shown_version));
    pexcz_format_size(sums->size, size);
    pexcz_format_size(sums->stored, stored);
    (void)printf("%7u %8u %9s %9s  %s%s%s\n", sums->files, sums->modules, size,
                 stored, shown_name, version[0] != '\0' ? " " : "",
                 shown_version);
}

static void
print_dists(const struct pexcz_inspection *in)
{
    (void)printf("\n%7s %8s %9s %9s  %s\n", "files", "modules", "size",
                 "stored", "distribution");
    for (size_t i = 0; i < in->dist_count; i++) {
        const struct pexcz_inspected_dist *d = &in->dists[i];

        print_sums(&d->sums, d->name, d->version);
    }
    if (in->other.files != 0) {
        print_sums(&in->other, "(none)", "");
    }
    print_sums(&in->total, "total", "");
}

static void
print_stored(const struct pexcz_stored *s, bool present)
{
    char stored[16] = "";

    if (present) {
        pexcz_format_size(s->stored, stored);
    }
    (void)printf(" %9s %-4s", stored,
                 present ? pexcz_storage_name(s->storage) : "");
}

static void
print_entry(const struct pexcz_inspected *e)
{
    char shown[SHOWN_SIZE];
    char size[16] = "";

    if (e->entry.kind != PEXCZ_KIND_DIR) {
        pexcz_format_size(e->content.size, size);
    }
    (void)printf("%-9s %9s",
                 e->is_module ? pexcz_module_kind_name(&e->module)
                              : pexcz_entry_kind_name(e->entry.kind),
                 size);
    print_stored(&e->content, e->entry.payload != PEXCZ_NONE);
    print_stored(&e->code, e->has_code);
    pexcz_utf8_escape(pexcz_slice_str(e->path), shown, sizeof(shown));
    (void)printf("  %s%s", shown, e->entry.kind == PEXCZ_KIND_DIR ? "/" : "");
    if (e->link != NULL) {
        pexcz_utf8_escape(pexcz_slice_str(e->link), shown, sizeof(shown));
        (void)printf(" -> %s", shown);
    }
    (void)putchar('\n');
}

void
pexcz_inspect_print_text(const struct pexcz_inspection *in)
{
    print_head(in);
    print_settings(in->file->tree.layers[0]);
    print_dists(in);
    (void)printf("\n%-9s %9s %14s %14s  %s\n", "kind", "size",
                 "stored as     ", "bytecode as   ", "path");
    for (size_t i = 0; i < in->entry_count; i++) {
        print_entry(&in->entries[i]);
    }
}
