/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_places.h"

#include "exe_layout.h"
#include "snapshot_format.h"
#include "snapshot_place.h"
#include "snapshot_process.h"
#include "worker_text.h"
#include "write_at.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* That of a command, where there are several; of its path, the folder does not
 * matter. */
static const char *
program_name(const struct pexcz_snapshot_making *m)
{
    const struct pexcz_strings *commands = &m->boot->commands;
    const char *first = commands->count != 0 ? commands->items[0] : "program";

    return pexcz_arena_printf(&m->report->arena, m->err, "/pexcz/%.*s",
                              (int)strcspn(first, "="), first);
}

/* Runs a start and adds what it wrote to: a bit for each grain.  `seen` is a
 * memory file of the same size.  The result of a run that fails is none. */
static int
rehearse(struct pexcz_snapshot_making *m, int snapshot, int seen,
         const char *line, struct pexcz_slice written)
{
    const int files[] = {snapshot, m->places, seen};
    const char *name = program_name(m);
    /* Guesses are for who does not say how it is used. */
    const char *script
        = m->wish->warm_count == 0 ? pexcz_snapshot_use_text : "";
    uint8_t *all = (uint8_t *)(uintptr_t)written.ptr;
    struct pexcz_slice map = {0};
    int rc = pexcz_snapshot_empty(seen, m->err);

    if (rc == PEXCZ_OK && ftruncate(seen, (off_t)written.len) < 0) {
        rc = pexcz_fail(m->err, PEXCZ_E_IO, errno, "a memory file");
    }
    if (rc == PEXCZ_OK) {
        rc = name != NULL ? pexcz_snapshot_process_rehearse(
                 m->executable, m->wish, name, script, line, files, m->err)
                          : PEXCZ_E_NOMEM;
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_snapshot_map(seen, &map, m->err);
    }
    for (size_t i = 0; i < map.len; i++) {
        all[i] |= map.ptr[i];
    }
    pexcz_snapshot_unmap(&map);
    return rc;
}

static bool
was_written(const struct pexcz_place *place, struct pexcz_slice written)
{
    uint64_t grain = (place->address - PEXCZ_ADDR_HEAP) / PEXCZ_PLACE_GRAIN;
    uint64_t end
        = grain + (place->size + PEXCZ_PLACE_GRAIN - 1) / PEXCZ_PLACE_GRAIN;

    while (grain < end && grain / 8 < written.len
           && (written.ptr[grain / 8] & 1u << grain % 8) == 0) {
        grain++;
    }
    return grain < end && grain / 8 < written.len;
}

static int
compare_ordinals(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static int
make_list(struct pexcz_snapshot_making *m, struct pexcz_slice written)
{
    struct pexcz_slice table = {0};
    struct pexcz_place_list head = {0};
    struct pexcz_buf list = {0};
    int rc = pexcz_snapshot_map(m->places, &table, m->err);
    const struct pexcz_place *places = (const void *)table.ptr;

    if (rc == PEXCZ_OK) {
        rc = pexcz_buf_append(&list, &head, sizeof(head), m->err);
    }
    for (size_t i = 0; rc == PEXCZ_OK && i < table.len / sizeof(*places);
         i++) {
        if (was_written(&places[i], written)) {
            head.count++;
            head.size += PEXCZ_PLACE_GRAIN
                         + ((places[i].size + PEXCZ_PLACE_GRAIN - 1)
                            & ~(PEXCZ_PLACE_GRAIN - 1));
            rc = pexcz_buf_append(&list, &places[i].ordinal, sizeof(uint32_t),
                                  m->err);
        }
    }
    if (rc == PEXCZ_OK) {
        memcpy(list.ptr, &head, sizeof(head));
        qsort(list.ptr + sizeof(head), head.count, sizeof(uint32_t),
              compare_ordinals);
        rc = pexcz_snapshot_empty(m->places, m->err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_write_at(m->places, list.ptr, list.len, 0, m->err);
    }
    pexcz_snapshot_unmap(&table);
    pexcz_buf_done(&list);
    return rc;
}

/* Bytes for a bit of each grain of the heap. */
static int
bitmap_size(int snapshot, size_t *ret, struct pexcz_error *err)
{
    struct pexcz_slice map = {0};
    const struct pexcz_snapshot_header *header;
    int rc = pexcz_snapshot_map(snapshot, &map, err);

    if (rc == PEXCZ_OK) {
        header = (const void *)map.ptr;
        *ret = (header->heap_end - PEXCZ_ADDR_HEAP) / (8 * PEXCZ_PLACE_GRAIN);
    }
    pexcz_snapshot_unmap(&map);
    return rc;
}

int
pexcz_snapshot_list_places(struct pexcz_snapshot_making *m, int snapshot)
{
    int seen = memfd_create("pexcz-writes", MFD_CLOEXEC);
    size_t size;
    uint8_t *written = NULL;
    int rc;

    if (seen < 0) {
        return pexcz_fail(m->err, PEXCZ_E_IO, errno,
                          "cannot make a memory file");
    }
    rc = bitmap_size(snapshot, &size, m->err);
    if (rc == PEXCZ_OK) {
        written = pexcz_alloc_array(size, 1);
        rc = written != NULL
                 ? rehearse(m, snapshot, seen, NULL,
                            pexcz_slice_make(written, size))
                 : pexcz_fail(m->err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    for (size_t i = 0; rc == PEXCZ_OK && i < m->wish->warm_count; i++) {
        (void)rehearse(m, snapshot, seen, m->wish->warm[i],
                       pexcz_slice_make(written, size));
    }
    if (rc == PEXCZ_OK) {
        rc = make_list(m, pexcz_slice_make(written, size));
    }
    free(written);
    (void)close(seen);
    return rc;
}
