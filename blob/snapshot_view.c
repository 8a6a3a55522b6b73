/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_view.h"

#include "exe_layout.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static bool
tables_are_inside(const struct pexcz_snapshot_header *h)
{
    const struct pexcz_snapshot_table tables[]
        = {h->pages, h->env, h->keys,   h->atfork, h->libraries, h->imports,
           h->words, h->tls, h->absent, h->home,   h->tls_inner};

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        if (tables[i].offset < h->tables || tables[i].offset > h->size
            || tables[i].size > h->size - tables[i].offset) {
            return false;
        }
    }
    return true;
}

static bool
is_sound(const struct pexcz_snapshot_view *view)
{
    const struct pexcz_snapshot_header *h = &view->header;
    const uint8_t *bytes = view->bytes.ptr;
    size_t own = offsetof(struct pexcz_snapshot_header, pages_sum);

    if (memcmp(h->magic, PEXCZ_SNAPSHOT_MAGIC, sizeof(h->magic)) != 0
        || XXH3_64bits((const uint8_t *)h + own, sizeof(*h) - own) != h->sum
        || h->size > view->bytes.len
        || h->report_size != view->bytes.len - h->size
        || h->tables < PEXCZ_PAGE_SIZE || h->tables > h->size
        || !tables_are_inside(h)) {
        return false;
    }
    return XXH3_64bits(bytes + PEXCZ_PAGE_SIZE,
                       (size_t)(h->tables - PEXCZ_PAGE_SIZE))
               == h->pages_sum
           && XXH3_64bits(bytes + h->tables, (size_t)(h->size - h->tables))
                  == h->tables_sum
           && XXH3_64bits(bytes + h->size, (size_t)h->report_size)
                  == h->report_sum;
}

int
pexcz_snapshot_view_open(const struct pexcz_packed_file *file,
                         struct pexcz_snapshot_view *ret,
                         struct pexcz_error *err)
{
    const Elf64_Phdr *segment
        = pexcz_elf_find_load(&file->elf, PEXCZ_ADDR_SNAPSHOT);
    struct pexcz_snapshot_view view = {0};

    *ret = view;
    if (segment == NULL) {
        return PEXCZ_OK;
    }
    if (!pexcz_slice_sub(file->bytes, segment->p_offset, segment->p_filesz,
                         &view.bytes)
        || view.bytes.len < PEXCZ_PAGE_SIZE) {
        goto damaged;
    }
    memcpy(&view.header, view.bytes.ptr, sizeof(view.header));
    if (!is_sound(&view)) {
        goto damaged;
    }
    view.report = pexcz_slice_make(view.bytes.ptr + view.header.size,
                                   (size_t)view.header.report_size);
    *ret = view;
    return PEXCZ_OK;
damaged:
    return pexcz_fail(err, PEXCZ_E_CORRUPT, 0, "%s: the snapshot is damaged",
                      file->path);
}

struct pexcz_slice
pexcz_snapshot_view_table(const struct pexcz_snapshot_view *view,
                          const struct pexcz_snapshot_table *table)
{
    return pexcz_slice_make(view->bytes.ptr + table->offset,
                            (size_t)table->size);
}
