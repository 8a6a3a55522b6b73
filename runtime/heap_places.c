/* SPDX-License-Identifier: Apache-2.0 */
#include "heap_places.h"

#include "buf.h"
#include "snapshot_place.h"
#include "write_at.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

static struct {
    uint32_t count;     /* of allocations */
    uint32_t *ordinals; /* one for each grain; NULL: they are not recorded */
    uint64_t start;
    uint64_t end;
    const uint32_t *wanted; /* the rest of the list */
    const uint32_t *wanted_end;
    const struct pexcz_place_lookup *lookups; /* of the list */
    size_t lookup_count;
} places;

/* Zeros, in no heap of the snapshot; NULL on failure. */
static void *
map_zeros(uint64_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return p != MAP_FAILED ? p : NULL;
}

int
pexcz_places_record(uint64_t start, uint64_t end, struct pexcz_error *err)
{
    uint64_t grains = (end - start) / PEXCZ_PLACE_GRAIN;

    places.ordinals = map_zeros(grains * sizeof(*places.ordinals));
    if (places.ordinals == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, errno, "out of memory");
    }
    places.start = start;
    places.end = end;
    return PEXCZ_OK;
}

int
pexcz_places_use(int fd, uint64_t *ret_size, struct pexcz_error *err)
{
    const struct pexcz_place_list *list;
    struct stat st;

    if (fstat(fd, &st) < 0 || (size_t)st.st_size < sizeof(*list)) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "no list of blocks");
    }
    list = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (list == MAP_FAILED) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, errno, "out of memory");
    }
    places.lookups = (const struct pexcz_place_lookup *)(list + 1);
    places.lookup_count = list->lookup_count;
    places.wanted = (const uint32_t *)(places.lookups + places.lookup_count);
    places.wanted_end = places.wanted + list->count;
    *ret_size = list->size;
    return PEXCZ_OK;
}

bool
pexcz_places_next(void)
{
    places.count++;
    if (places.wanted == places.wanted_end
        || places.wanted[0] != places.count) {
        return false;
    }
    places.wanted++;
    return true;
}

static uint32_t *
grain_of(const void *p)
{
    uint64_t address = (uintptr_t)p;

    return places.ordinals != NULL && address >= places.start
                   && address < places.end
               ? places.ordinals + (address - places.start) / PEXCZ_PLACE_GRAIN
               : NULL;
}

void
pexcz_places_note(const void *p)
{
    uint32_t *grain = grain_of(p);

    if (grain != NULL) {
        *grain = places.count;
    }
}

void
pexcz_places_forget(const void *p)
{
    uint32_t *grain = grain_of(p);

    if (grain != NULL) {
        *grain = 0;
    }
}

int
pexcz_places_write(int fd, uint64_t end, size_t (*size_of)(const void *p),
                   struct pexcz_error *err)
{
    uint64_t grains = (end - places.start) / PEXCZ_PLACE_GRAIN;
    struct pexcz_buf all = {0};
    int rc = PEXCZ_OK;

    for (uint64_t i = 0; i < grains && rc == PEXCZ_OK; i++) {
        uint64_t address = places.start + i * PEXCZ_PLACE_GRAIN;
        struct pexcz_place place = {
            .address = address,
            .ordinal = places.ordinals[i],
        };

        if (place.ordinal != 0) {
            place.size = (uint32_t)size_of((const void *)(uintptr_t)address);
            rc = pexcz_buf_append(&all, &place, sizeof(place), err);
        }
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_write_at(fd, all.ptr, all.len, 0, err);
    }
    pexcz_buf_done(&all);
    return rc;
}

/* --- lookups ------------------------------------------------------------- */

#define WANTED 1 /* no address */

/* Addresses by ordinal, of the blocks below `end` that lookups are about. */
static void
find_blocks(uint64_t end, uint64_t *addresses)
{
    uint64_t grains = (end - places.start) / PEXCZ_PLACE_GRAIN;

    for (size_t i = 0; i < places.lookup_count; i++) {
        const struct pexcz_place_lookup *l = &places.lookups[i];

        if (l->type.ordinal <= places.count) {
            addresses[l->type.ordinal] = WANTED;
        }
        if (l->name.ordinal <= places.count) {
            addresses[l->name.ordinal] = WANTED;
        }
    }
    for (uint64_t i = 0; i < grains; i++) {
        uint32_t ordinal = places.ordinals[i];

        if (ordinal != 0 && addresses[ordinal] == WANTED) {
            addresses[ordinal] = places.start + i * PEXCZ_PLACE_GRAIN;
        }
    }
}

/* Its address; 0: it is not there. */
static uint64_t
address_of(const struct pexcz_place_object *o, const uint64_t *addresses)
{
    if (o->ordinal == 0) {
        return o->value;
    }
    return o->ordinal <= places.count && addresses[o->ordinal] != WANTED
               ? addresses[o->ordinal] + o->value
               : 0;
}

int
pexcz_places_each_lookup(uint64_t end,
                         void (*visit)(const struct pexcz_place_pair *pair),
                         struct pexcz_error *err)
{
    size_t size = ((size_t)places.count + 1) * sizeof(uint64_t);
    uint64_t *addresses = map_zeros(size);

    if (addresses == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, errno, "out of memory");
    }
    find_blocks(end, addresses);
    for (size_t i = 0; i < places.lookup_count; i++) {
        struct pexcz_place_pair pair = {
            .type = address_of(&places.lookups[i].type, addresses),
            .name = address_of(&places.lookups[i].name, addresses),
        };

        if (pair.type != 0 && pair.name != 0) {
            visit(&pair);
        }
    }
    (void)munmap(addresses, size);
    return PEXCZ_OK;
}
