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

/* What all rehearsals have seen. */
struct seen {
    struct pexcz_slice written; /* a bit for each grain */
    struct pexcz_buf lookups;   /* pexcz_place_pair */
    int file;                   /* a memory file for one of them */
};

static int
add_seen(struct pexcz_snapshot_making *m, struct seen *seen)
{
    uint8_t *all = (uint8_t *)(uintptr_t)seen->written.ptr;
    const struct pexcz_place_seen *one;
    const uint8_t *written;
    struct pexcz_slice map;
    int rc = pexcz_snapshot_map(seen->file, &map, m->err);

    if (rc < 0) {
        return rc;
    }
    one = (const void *)map.ptr;
    written = (const uint8_t *)(one + 1);
    for (size_t i = 0; i < seen->written.len; i++) {
        all[i] |= written[i];
    }
    if (one->pair_count <= PEXCZ_PLACE_PAIRS) {
        rc = pexcz_buf_append(&seen->lookups, one->pairs,
                              one->pair_count * sizeof(one->pairs[0]), m->err);
    }
    pexcz_snapshot_unmap(&map);
    return rc;
}

/* Runs a start and adds what it did.  The result of a run that fails is none.
 */
static int
rehearse(struct pexcz_snapshot_making *m, int snapshot, const char *line,
         struct seen *seen)
{
    const int files[] = {snapshot, m->places, seen->file};
    const char *name = program_name(m);
    /* Guesses are for who does not say how it is used. */
    const char *script
        = m->wish->warm_count == 0 ? pexcz_snapshot_use_text : "";
    off_t size = (off_t)(sizeof(struct pexcz_place_seen) + seen->written.len);
    int rc = pexcz_snapshot_empty(seen->file, m->err);

    if (rc == PEXCZ_OK && ftruncate(seen->file, size) < 0) {
        rc = pexcz_fail(m->err, PEXCZ_E_IO, errno, "a memory file");
    }
    if (rc == PEXCZ_OK) {
        rc = name != NULL ? pexcz_snapshot_process_rehearse(
                 m->executable, m->wish, name, script, line, files, m->err)
                          : PEXCZ_E_NOMEM;
    }
    return rc == PEXCZ_OK ? add_seen(m, seen) : rc;
}

static int
note_unlearnt(struct pexcz_snapshot_making *m, const char *line)
{
    const char *start = pexcz_arena_printf(&m->report->arena, m->err,
                                           "--snapshot-warm='%s'", line);

    return start != NULL
               ? pexcz_snapshot_report_unlearnt(m->report, start, m->err)
               : PEXCZ_E_NOMEM;
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
append_written(struct pexcz_snapshot_making *m, struct pexcz_slice table,
               struct pexcz_slice written, struct pexcz_place_list *head,
               struct pexcz_buf *list)
{
    const struct pexcz_place *places = (const void *)table.ptr;
    size_t start = list->len;
    int rc = PEXCZ_OK;

    for (size_t i = 0; rc == PEXCZ_OK && i < table.len / sizeof(*places);
         i++) {
        if (was_written(&places[i], written)) {
            head->count++;
            head->size += PEXCZ_PLACE_GRAIN
                          + ((places[i].size + PEXCZ_PLACE_GRAIN - 1)
                             & ~(PEXCZ_PLACE_GRAIN - 1));
            rc = pexcz_buf_append(list, &places[i].ordinal, sizeof(uint32_t),
                                  m->err);
        }
    }
    if (rc == PEXCZ_OK) {
        qsort(list->ptr + start, head->count, sizeof(uint32_t),
              compare_ordinals);
    }
    return rc;
}

/* The object at an address of the first snapshot; false: in none of Python's
 * blocks. */
static bool
object_at(struct pexcz_slice table, uint64_t address,
          struct pexcz_place_object *ret)
{
    const struct pexcz_place *places = (const void *)table.ptr;
    size_t low = 0;
    size_t high = table.len / sizeof(*places);

    *ret = (struct pexcz_place_object){.value = address};
    if (address < PEXCZ_ADDR_HEAP || address >= PEXCZ_ADDR_SNAPSHOT_END) {
        return true;
    }
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (places[middle].address <= address) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    if (low == 0
        || address - places[low - 1].address >= places[low - 1].size) {
        return false;
    }
    ret->value = address - places[low - 1].address;
    ret->ordinal = places[low - 1].ordinal;
    return true;
}

static int
append_lookups(struct pexcz_snapshot_making *m, struct pexcz_slice table,
               const struct pexcz_buf *pairs, struct pexcz_place_list *head,
               struct pexcz_buf *list)
{
    const struct pexcz_place_pair *p = (const void *)pairs->ptr;
    int rc = PEXCZ_OK;

    for (size_t i = 0; rc == PEXCZ_OK && i < pairs->len / sizeof(*p); i++) {
        struct pexcz_place_lookup lookup;

        if (object_at(table, p[i].type, &lookup.type)
            && object_at(table, p[i].name, &lookup.name)) {
            head->lookup_count++;
            rc = pexcz_buf_append(list, &lookup, sizeof(lookup), m->err);
        }
    }
    return rc;
}

static int
make_list(struct pexcz_snapshot_making *m, const struct seen *seen)
{
    struct pexcz_slice table = {0};
    struct pexcz_place_list head = {0};
    struct pexcz_buf list = {0};
    int rc = pexcz_snapshot_map(m->places, &table, m->err);

    if (rc == PEXCZ_OK) {
        rc = pexcz_buf_append(&list, &head, sizeof(head), m->err);
    }
    if (rc == PEXCZ_OK) {
        rc = append_lookups(m, table, &seen->lookups, &head, &list);
    }
    if (rc == PEXCZ_OK) {
        rc = append_written(m, table, seen->written, &head, &list);
    }
    if (rc == PEXCZ_OK) {
        memcpy(list.ptr, &head, sizeof(head));
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
    struct seen seen = {.file = memfd_create("pexcz-seen", MFD_CLOEXEC)};
    uint8_t *written = NULL;
    size_t size;
    int rc;

    if (seen.file < 0) {
        return pexcz_fail(m->err, PEXCZ_E_IO, errno,
                          "cannot make a memory file");
    }
    rc = bitmap_size(snapshot, &size, m->err);
    if (rc == PEXCZ_OK) {
        written = pexcz_alloc_array(size, 1);
        seen.written = pexcz_slice_make(written, size);
        rc = written != NULL
                 ? rehearse(m, snapshot, NULL, &seen)
                 : pexcz_fail(m->err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    for (size_t i = 0; rc == PEXCZ_OK && i < m->wish->warm_count; i++) {
        if (rehearse(m, snapshot, m->wish->warm[i], &seen) < 0) {
            rc = note_unlearnt(m, m->wish->warm[i]);
        }
    }
    if (rc == PEXCZ_OK) {
        rc = make_list(m, &seen);
    }
    free(written);
    pexcz_buf_done(&seen.lookups);
    (void)close(seen.file);
    return rc;
}
