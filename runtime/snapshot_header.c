/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_header.h"

#include "exe_layout.h"
#include "owned_data.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

void
pexcz_snapshot_identify(const struct pexcz_located *located,
                        struct pexcz_snapshot_header *header)
{
    memcpy(header->stdlib_id, located->stdlib.id, sizeof(header->stdlib_id));
    memcpy(header->app_id, located->app.id, sizeof(header->app_id));
    pexcz_owned_anchors(header->anchors);
    header->anchors[PEXCZ_OWNED_ANCHORS]
        = (uintptr_t)(void *)pexcz_snapshot_identify;
    header->anchors[PEXCZ_OWNED_ANCHORS + 1] = (uintptr_t)located;
}

uint64_t
pexcz_snapshot_header_sum(const struct pexcz_snapshot_header *header)
{
    size_t skip = offsetof(struct pexcz_snapshot_header, pages_sum);

    return XXH3_64bits((const char *)header + skip, sizeof(*header) - skip);
}

bool
pexcz_snapshot_is_whole(struct pexcz_slice snapshot)
{
    const struct pexcz_snapshot_header *h = (const void *)snapshot.ptr;

    return snapshot.len >= PEXCZ_PAGE_SIZE
           && h->sum == pexcz_snapshot_header_sum(h)
           && h->tables >= PEXCZ_PAGE_SIZE && h->tables <= snapshot.len
           && XXH3_64bits(snapshot.ptr + PEXCZ_PAGE_SIZE,
                          (size_t)h->tables - PEXCZ_PAGE_SIZE)
                  == h->pages_sum;
}

static bool
is_inside(const struct pexcz_snapshot_table *table,
          const struct pexcz_snapshot_header *h)
{
    return table->offset >= h->tables && table->offset <= h->size
           && table->size <= h->size - table->offset;
}

const struct pexcz_snapshot_header *
pexcz_snapshot_check(const struct pexcz_located *located,
                     struct pexcz_slice snapshot)
{
    const struct pexcz_snapshot_header *h = (const void *)snapshot.ptr;
    struct pexcz_snapshot_header own = {0};

    if (snapshot.len < PEXCZ_PAGE_SIZE
        || memcmp(h->magic, PEXCZ_SNAPSHOT_MAGIC, sizeof(h->magic)) != 0
        || h->size > snapshot.len || h->sum != pexcz_snapshot_header_sum(h)) {
        return NULL;
    }
    pexcz_snapshot_identify(located, &own);
    if (memcmp(own.stdlib_id, h->stdlib_id, sizeof(own.stdlib_id)) != 0
        || memcmp(own.app_id, h->app_id, sizeof(own.app_id)) != 0
        || memcmp(own.anchors, h->anchors, sizeof(own.anchors)) != 0) {
        return NULL;
    }
    if (h->tables > h->size || h->tables < PEXCZ_PAGE_SIZE
        || h->heap_end <= PEXCZ_ADDR_HEAP
        || h->heap_end - PEXCZ_ADDR_SNAPSHOT > h->tables
        || !is_inside(&h->pages, h) || !is_inside(&h->env, h)
        || !is_inside(&h->keys, h) || !is_inside(&h->atfork, h)
        || !is_inside(&h->libraries, h) || !is_inside(&h->imports, h)
        || !is_inside(&h->words, h) || !is_inside(&h->tls, h)
        || !is_inside(&h->absent, h) || !is_inside(&h->home, h)
        || !is_inside(&h->outside, h) || !is_inside(&h->actions, h)
        || !is_inside(&h->changes, h)
        || XXH3_64bits(snapshot.ptr + h->tables, (size_t)(h->size - h->tables))
               != h->tables_sum) {
        return NULL;
    }
    return h;
}

struct pexcz_slice
pexcz_snapshot_table(const struct pexcz_snapshot_header *header,
                     const struct pexcz_snapshot_table *table)
{
    return pexcz_slice_make((const char *)header + table->offset,
                            (size_t)table->size);
}
