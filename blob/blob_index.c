/* SPDX-License-Identifier: Apache-2.0 */
/* The writer's last step: tables in memory, then index, sums and header. */
#include "blob_reader.h"
#include "blob_writer_internal.h"
#include "module_stem.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

struct name {
    UT_hash_handle hh;
    uint32_t offset;
};

struct module {
    uint64_t hash;
    const struct writer_entry *entry;
    struct pexcz_stem stem;
};

struct index {
    struct pexcz_blob_writer *w;
    struct writer_entry **order; /* [0] is the root */
    uint32_t count;
    struct writer_entry *root; /* owned; not among by_path */
    struct name *names;
    struct pexcz_buf strings;
    struct pexcz_buf libraries;
    struct pexcz_buf needs;
    struct module *modules;
    uint32_t module_count;
    struct pexcz_buf bytes; /* the index itself */
    struct pexcz_section_f sections[PEXCZ_MAX_SECTIONS];
    uint32_t section_count;
    uint64_t offset; /* of the index in the blob */
};

/* --- order -------------------------------------------------------------- */

static struct pexcz_slice
parent_of(const struct writer_entry *e)
{
    return pexcz_slice_make(e->path, e->name_at != 0 ? e->name_at - 1 : 0);
}

static struct pexcz_slice
name_of(const struct writer_entry *e)
{
    return pexcz_slice_make(e->path + e->name_at, e->path_len - e->name_at);
}

/* Parents first, children of one directory together and by name. */
static int
compare_entries(const void *pa, const void *pb)
{
    const struct writer_entry *a = *(struct writer_entry *const *)pa;
    const struct writer_entry *b = *(struct writer_entry *const *)pb;
    int c;

    if (a->depth != b->depth) {
        return a->depth < b->depth ? -1 : 1;
    }
    c = pexcz_slice_cmp(parent_of(a), parent_of(b));
    return c != 0 ? c : pexcz_slice_cmp(name_of(a), name_of(b));
}

static void
link_to_parent(struct index *ix, uint32_t i)
{
    struct writer_entry *e = ix->order[i];
    struct writer_entry *parent = ix->root;

    if (e->name_at != 0) {
        HASH_FIND(hh, ix->w->by_path, e->path, e->name_at - 1, parent);
    }
    e->index = i;
    e->parent = parent->index;
    if (parent->child_count++ == 0) {
        parent->first_child = i;
    }
}

static int
order_entries(struct index *ix, struct pexcz_error *err)
{
    struct writer_entry *e;
    struct writer_entry *next;
    uint32_t n = 0;

    ix->order = pexcz_alloc_array((size_t)ix->w->entry_count + 1,
                                  sizeof(struct writer_entry *));
    ix->root = calloc(1, sizeof(*ix->root) + 1);
    if (ix->order == NULL || ix->root == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    ix->root->kind = PEXCZ_KIND_DIR;
    ix->root->mode = 0755;
    ix->root->payload = PEXCZ_NONE;
    ix->root->first_child = PEXCZ_NONE;
    ix->order[n++] = ix->root;
    HASH_ITER(hh, ix->w->by_path, e, next)
    {
        e->depth = 1;
        e->name_at = 0;
        e->child_count = 0;
        e->first_child = PEXCZ_NONE;
        for (size_t i = 0; i < e->path_len; i++) {
            if (e->path[i] == '/') {
                e->depth++;
                e->name_at = i + 1;
            }
        }
        ix->order[n++] = e;
    }
    ix->count = n;
    if (n > 2) {
        qsort(ix->order + 1, n - 1, sizeof(struct writer_entry *),
              compare_entries);
    }
    for (uint32_t i = 1; i < n; i++) {
        link_to_parent(ix, i);
    }
    return PEXCZ_OK;
}

/* Each distinct name once: most trees have an __init__.py per directory. */
static int
place_name(struct index *ix, struct pexcz_slice name, uint32_t *ret_offset,
           struct pexcz_error *err)
{
    struct name *known;
    int rc = PEXCZ_OK;

    HASH_FIND(hh, ix->names, name.ptr, name.len, known);
    if (known == NULL) {
        known = calloc(1, sizeof(*known));
        if (known == NULL || ix->strings.len > UINT32_MAX / 2) {
            free(known);
            return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
        }
        known->offset = (uint32_t)ix->strings.len;
        HASH_ADD_KEYPTR(hh, ix->names, name.ptr, name.len, known);
        rc = pexcz_buf_append(&ix->strings, name.ptr, name.len, err);
    }
    *ret_offset = known->offset;
    return rc;
}

static int
place_names(struct index *ix, struct pexcz_error *err)
{
    int rc = PEXCZ_OK;

    for (uint32_t i = 1; i < ix->count && rc == PEXCZ_OK; i++) {
        struct writer_entry *e = ix->order[i];

        rc = place_name(ix, name_of(e), &e->name_offset, err);
    }
    return rc;
}

/* --- shared objects ----------------------------------------------------- */

static int
library_entry(const struct index *ix, struct pexcz_slice path, pexcz_le32 *ret,
              struct pexcz_error *err)
{
    struct writer_entry *e;

    HASH_FIND(hh, ix->w->by_path, path.ptr, path.len, e);
    if (e == NULL) {
        return pexcz_fail(err, PEXCZ_E_INTERNAL, 0, "%.*s: not in the tree",
                          (int)path.len, (const char *)path.ptr);
    }
    *ret = pexcz_le32_put(e->index);
    return PEXCZ_OK;
}

static int
library_name(struct index *ix, struct pexcz_slice name, pexcz_le32 *ret_offset,
             pexcz_le16 *ret_size, struct pexcz_error *err)
{
    uint32_t offset = 0;
    int rc = PEXCZ_OK;

    if (name.len > PEXCZ_MAX_PATH) {
        return pexcz_fail(err, PEXCZ_E_TOO_BIG, 0, "library name too long");
    }
    if (name.len != 0) {
        rc = place_name(ix, name, &offset, err);
    }
    *ret_offset = pexcz_le32_put(offset);
    *ret_size = pexcz_le16_put((uint16_t)name.len);
    return rc;
}

static int
place_library(struct index *ix, const struct pexcz_library_spec *spec,
              struct pexcz_error *err)
{
    struct pexcz_library_f f = {
        .first_need = pexcz_le32_put(
            (uint32_t)(ix->needs.len / sizeof(struct pexcz_need_f))),
        .need_count = pexcz_le32_put((uint32_t)spec->need_count),
        .hash = pexcz_le64_put(spec->hash),
    };
    int rc = library_entry(ix, spec->path, &f.entry, err);

    memcpy(f.group, spec->group, sizeof(f.group));
    if (rc == PEXCZ_OK) {
        rc = library_name(ix, spec->soname, &f.name_offset, &f.name_size, err);
    }
    for (size_t i = 0; i < spec->need_count && rc == PEXCZ_OK; i++) {
        struct pexcz_need_f n = {.kind = (uint8_t)spec->needs[i].kind};

        rc = library_entry(ix, spec->needs[i].path, &n.entry, err);
        if (rc == PEXCZ_OK) {
            rc = library_name(ix, spec->needs[i].name, &n.name_offset,
                              &n.name_size, err);
        }
        if (rc == PEXCZ_OK) {
            rc = pexcz_buf_append(&ix->needs, &n, sizeof(n), err);
        }
    }
    return rc == PEXCZ_OK
               ? pexcz_buf_append(&ix->libraries, &f, sizeof(f), err)
               : rc;
}

struct placed_library {
    uint32_t entry;
    const struct pexcz_library_spec *spec;
};

static int
compare_libraries(const void *pa, const void *pb)
{
    const struct placed_library *a = pa;
    const struct placed_library *b = pb;

    return (a->entry > b->entry) - (a->entry < b->entry);
}

static int
place_libraries(struct index *ix, struct pexcz_error *err)
{
    const struct pexcz_blob_writer *w = ix->w;
    struct placed_library *all
        = pexcz_alloc_array(w->library_count, sizeof(*all));
    int rc = PEXCZ_OK;

    if (all == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    for (uint32_t i = 0; i < w->library_count && rc == PEXCZ_OK; i++) {
        pexcz_le32 entry;

        rc = library_entry(ix, w->libraries[i].path, &entry, err);
        all[i] = (struct placed_library){
            .entry = rc == PEXCZ_OK ? pexcz_le32_get(entry) : 0,
            .spec = &w->libraries[i],
        };
    }
    if (rc == PEXCZ_OK && w->library_count > 1) {
        qsort(all, w->library_count, sizeof(*all), compare_libraries);
    }
    for (uint32_t i = 0; i < w->library_count && rc == PEXCZ_OK; i++) {
        rc = place_library(ix, all[i].spec, err);
    }
    free(all);
    return rc;
}

/* --- modules ------------------------------------------------------------ */

static int
compare_modules(const void *pa, const void *pb)
{
    const struct module *a = pa;
    const struct module *b = pb;
    struct pexcz_slice sa = pexcz_slice_make(a->entry->path, a->stem.len);
    struct pexcz_slice sb = pexcz_slice_make(b->entry->path, b->stem.len);
    int c = pexcz_slice_cmp(sa, sb);

    return c != 0
               ? c
               : (a->stem.rank > b->stem.rank) - (a->stem.rank < b->stem.rank);
}

/* All candidates, by stem; of each stem the one that FileFinder takes. */
static int
collect_modules(struct index *ix, const char *const *suffixes,
                struct pexcz_error *err)
{
    uint32_t n = 0;
    uint32_t kept = 0;

    ix->modules = pexcz_alloc_array(ix->count, sizeof(struct module));
    if (ix->modules == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    for (uint32_t i = 1; i < ix->count; i++) {
        const struct writer_entry *e = ix->order[i];
        struct pexcz_stem stem;

        if (e->kind == PEXCZ_KIND_FILE
            && pexcz_module_stem(pexcz_slice_make(e->path, e->path_len),
                                 suffixes, &stem)) {
            ix->modules[n++] = (struct module){
                .hash = XXH3_64bits(e->path, stem.len),
                .entry = e,
                .stem = stem,
            };
        }
    }
    if (n > 1) {
        qsort(ix->modules, n, sizeof(struct module), compare_modules);
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct module *m = &ix->modules[i];
        const struct module *last = kept != 0 ? &ix->modules[kept - 1] : NULL;

        if (last == NULL || last->stem.len != m->stem.len
            || memcmp(last->entry->path, m->entry->path, m->stem.len) != 0) {
            ix->modules[kept++] = *m;
        }
    }
    ix->module_count = kept;
    return PEXCZ_OK;
}

/* --- sections ----------------------------------------------------------- */

static int
begin_section(struct index *ix, enum pexcz_section_kind kind,
              uint32_t record_size, uint64_t size, struct pexcz_error *err)
{
    int rc = pexcz_buf_align(&ix->bytes, 64, err);

    if (rc < 0) {
        return rc;
    }
    ix->sections[ix->section_count++] = (struct pexcz_section_f){
        .kind = pexcz_le32_put((uint32_t)kind),
        .record_size = pexcz_le32_put(record_size),
        .offset = pexcz_le64_put(ix->offset + ix->bytes.len),
        .size = pexcz_le64_put(size),
    };
    return pexcz_buf_reserve(&ix->bytes, (size_t)size, err);
}

static int
put_bytes_section(struct index *ix, enum pexcz_section_kind kind,
                  uint32_t record_size, const void *ptr, size_t size,
                  struct pexcz_error *err)
{
    int rc = begin_section(ix, kind, record_size, size, err);

    return rc < 0 ? rc : pexcz_buf_append(&ix->bytes, ptr, size, err);
}

static uint64_t
content_size(const struct index *ix, const struct writer_entry *e)
{
    if (e->payload == PEXCZ_NONE) {
        return 0;
    }
    return pexcz_le64_get(ix->w->payloads[e->payload].size);
}

static int
put_entries(struct index *ix, struct pexcz_error *err)
{
    int rc = begin_section(
        ix, PEXCZ_SECTION_ENTRIES, sizeof(struct pexcz_entry_f),
        (uint64_t)ix->count * sizeof(struct pexcz_entry_f), err);

    for (uint32_t i = 0; rc == 0 && i < ix->count; i++) {
        const struct writer_entry *e = ix->order[i];
        struct pexcz_slice name = name_of(e);
        struct pexcz_entry_f f = {
            .path_hash = pexcz_le64_put(XXH3_64bits(e->path, e->path_len)),
            .parent = pexcz_le32_put(e->parent),
            .name_offset = pexcz_le32_put(e->name_offset),
            .name_size = pexcz_le16_put((uint16_t)name.len),
            .kind = (uint8_t)e->kind,
            .mode = pexcz_le16_put(e->mode),
            .first_child = pexcz_le32_put(e->first_child),
            .child_count = pexcz_le32_put(e->child_count),
            .payload = pexcz_le32_put(e->payload),
            .mtime_nsec = pexcz_le32_put(e->mtime_nsec),
            .mtime = pexcz_le64_put((uint64_t)e->mtime),
            .size = pexcz_le64_put(content_size(ix, e)),
        };

        rc = pexcz_buf_append(&ix->bytes, &f, sizeof(f), err);
    }
    return rc;
}

static int
put_modules(struct index *ix, struct pexcz_error *err)
{
    int rc = begin_section(
        ix, PEXCZ_SECTION_MODULES, sizeof(struct pexcz_module_f),
        (uint64_t)ix->module_count * sizeof(struct pexcz_module_f), err);

    for (uint32_t i = 0; rc == 0 && i < ix->module_count; i++) {
        const struct module *m = &ix->modules[i];
        struct pexcz_module_f f = {
            .stem_hash = pexcz_le64_put(m->hash),
            .entry = pexcz_le32_put(m->entry->index),
            .code = pexcz_le32_put(m->entry->code),
            .kind = (uint8_t)m->stem.kind,
            .flags = m->stem.package ? PEXCZ_MODULE_PACKAGE : 0,
            .suffix_size
            = pexcz_le16_put((uint16_t)(m->entry->path_len - m->stem.len)),
        };

        rc = pexcz_buf_append(&ix->bytes, &f, sizeof(f), err);
    }
    return rc;
}

/* At most half full, so that probes end soon. */
static int
put_hash(struct index *ix, enum pexcz_section_kind kind, uint32_t count,
         uint64_t (*hash_of)(const struct index *, uint32_t),
         struct pexcz_error *err)
{
    struct pexcz_slot_f *slots;
    uint32_t size = 2;
    int rc;

    while (size / 2 < count) {
        size *= 2;
    }
    slots = pexcz_alloc_array(size, sizeof(*slots));
    if (slots == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    for (uint32_t i = 0; i < count; i++) {
        uint64_t hash = hash_of(ix, i);
        uint32_t at = (uint32_t)hash & (size - 1);

        while (pexcz_le32_get(slots[at].record) != 0) {
            at = (at + 1) & (size - 1);
        }
        slots[at].hash_high = pexcz_le32_put((uint32_t)(hash >> 32));
        slots[at].record = pexcz_le32_put(i + 1);
    }
    rc = put_bytes_section(ix, kind, sizeof(*slots), slots,
                           (size_t)size * sizeof(*slots), err);
    free(slots);
    return rc;
}

static uint64_t
entry_hash(const struct index *ix, uint32_t i)
{
    return XXH3_64bits(ix->order[i]->path, ix->order[i]->path_len);
}

static uint64_t
module_hash(const struct index *ix, uint32_t i)
{
    return ix->modules[i].hash;
}

static int
compare_copies(const void *pa, const void *pb)
{
    uint64_t a = pexcz_le64_get(((const struct pexcz_copy_f *)pa)->hash);
    uint64_t b = pexcz_le64_get(((const struct pexcz_copy_f *)pb)->hash);

    return (a > b) - (a < b);
}

/* Most blobs have none, and then no section. */
static int
put_copies(struct index *ix, struct pexcz_error *err)
{
    struct pexcz_blob_writer *w = ix->w;

    if (w->copy_count == 0) {
        return PEXCZ_OK;
    }
    qsort(w->copies, w->copy_count, sizeof(*w->copies), compare_copies);
    return put_bytes_section(ix, PEXCZ_SECTION_COPIES, sizeof(*w->copies),
                             w->copies, w->copy_count * sizeof(*w->copies),
                             err);
}

static int
put_sections(struct index *ix, struct pexcz_error *err)
{
    struct pexcz_blob_writer *w = ix->w;
    int rc = put_entries(ix, err);

    if (rc == 0) {
        rc = put_hash(ix, PEXCZ_SECTION_PATH_HASH, ix->count, entry_hash, err);
    }
    if (rc == 0) {
        rc = put_modules(ix, err);
    }
    if (rc == 0) {
        rc = put_hash(ix, PEXCZ_SECTION_MODULE_HASH, ix->module_count,
                      module_hash, err);
    }
    if (rc == 0) {
        rc = put_bytes_section(ix, PEXCZ_SECTION_PAYLOADS,
                               sizeof(*w->payloads), w->payloads,
                               w->payload_count * sizeof(*w->payloads), err);
    }
    if (rc == 0) {
        rc = put_bytes_section(ix, PEXCZ_SECTION_STRINGS, 1, ix->strings.ptr,
                               ix->strings.len, err);
    }
    if (rc == 0) {
        rc = put_bytes_section(ix, PEXCZ_SECTION_BOOT, 1, w->boot.ptr,
                               w->boot.len, err);
    }
    if (rc == 0) {
        rc = put_bytes_section(ix, PEXCZ_SECTION_DICT, 1, w->options.dict.ptr,
                               w->options.dict.len, err);
    }
    if (rc == 0 && ix->libraries.len != 0) {
        rc = put_bytes_section(ix, PEXCZ_SECTION_LIBRARIES,
                               sizeof(struct pexcz_library_f),
                               ix->libraries.ptr, ix->libraries.len, err);
    }
    if (rc == 0 && ix->needs.len != 0) {
        rc = put_bytes_section(ix, PEXCZ_SECTION_NEEDS,
                               sizeof(struct pexcz_need_f), ix->needs.ptr,
                               ix->needs.len, err);
    }
    if (rc == 0) {
        rc = put_copies(ix, err);
    }
    if (rc == 0) {
        rc = pexcz_buf_align(&ix->bytes, PEXCZ_BLOB_PAGE, err);
    }
    return rc;
}

/* --- header ------------------------------------------------------------- */

static int
put_header(struct index *ix, const struct pexcz_buf *sums, uint64_t total,
           struct pexcz_error *err)
{
    struct pexcz_blob_writer *w = ix->w;
    struct pexcz_blob_header_f h = {
        .magic = PEXCZ_BLOB_MAGIC,
        .major = pexcz_le16_put(PEXCZ_BLOB_MAJOR),
        .minor = pexcz_le16_put(PEXCZ_BLOB_MINOR),
        .header_size = pexcz_le16_put(sizeof(h)),
        .section_count = pexcz_le16_put((uint16_t)ix->section_count),
        .section_size = pexcz_le16_put(sizeof(struct pexcz_section_f)),
        .machine = pexcz_le16_put(w->options.machine),
        .python_major = pexcz_le16_put(w->options.python_major),
        .python_minor = pexcz_le16_put(w->options.python_minor),
        .python_magic = pexcz_le32_put(w->options.python_magic),
        .page_count
        = pexcz_le32_put((uint32_t)(ix->bytes.len / PEXCZ_BLOB_PAGE)),
        .total_size = pexcz_le64_put(total),
        .index_offset = pexcz_le64_put(ix->offset),
        .sums_offset = pexcz_le64_put(ix->offset + ix->bytes.len),
    };
    uint8_t page[PEXCZ_BLOB_PAGE] = {0};
    XXH128_canonical_t id;
    XXH3_state_t state;

    XXH128_canonicalFromHash(&id, XXH3_128bits(sums->ptr, sums->len));
    memcpy(h.id, id.digest, sizeof(h.id));
    (void)XXH3_64bits_reset(&state);
    (void)XXH3_64bits_update(&state, &h, sizeof(h));
    (void)XXH3_64bits_update(&state, ix->sections,
                             ix->section_count * sizeof(ix->sections[0]));
    (void)XXH3_64bits_update(&state, sums->ptr, sums->len);
    h.hash = pexcz_le64_put(XXH3_64bits_digest(&state));
    memcpy(page, &h, sizeof(h));
    memcpy(page + sizeof(h), ix->sections,
           ix->section_count * sizeof(ix->sections[0]));
    return pexcz_blob_writer_pwrite(w, 0, page, sizeof(page), err);
}

/* Sums, padded to a page, behind the index. */
static int
write_out(struct index *ix, uint64_t *ret_size, struct pexcz_error *err)
{
    struct pexcz_blob_writer *w = ix->w;
    struct pexcz_buf sums = {0};
    size_t sums_len;
    uint64_t total;
    int rc = 0;

    for (size_t at = 0; rc == 0 && at < ix->bytes.len; at += PEXCZ_BLOB_PAGE) {
        pexcz_le64 sum
            = pexcz_le64_put(XXH3_64bits(ix->bytes.ptr + at, PEXCZ_BLOB_PAGE));

        rc = pexcz_buf_append(&sums, &sum, sizeof(sum), err);
    }
    sums_len = sums.len;
    if (rc == 0) {
        rc = pexcz_buf_align(&sums, PEXCZ_BLOB_PAGE, err);
    }
    if (rc < 0) {
        goto out;
    }
    total = ix->offset + ix->bytes.len + sums.len;
    rc = pexcz_blob_writer_pwrite(w, ix->offset, ix->bytes.ptr, ix->bytes.len,
                                  err);
    if (rc < 0) {
        goto out;
    }
    rc = pexcz_blob_writer_pwrite(w, ix->offset + ix->bytes.len, sums.ptr,
                                  sums.len, err);
    if (rc < 0) {
        goto out;
    }
    sums.len = sums_len;
    rc = put_header(ix, &sums, total, err);
    if (rc == 0) {
        *ret_size = total;
    }

out:
    pexcz_buf_done(&sums);
    return rc;
}

/* The file may hold stale bytes between the payloads' end and the index. */
static int
pad_payloads(struct pexcz_blob_writer *w, struct pexcz_error *err)
{
    static const uint8_t zeros[PEXCZ_BLOB_PAGE];
    uint64_t pad
        = (PEXCZ_BLOB_PAGE - w->at % PEXCZ_BLOB_PAGE) % PEXCZ_BLOB_PAGE;
    int rc = pexcz_blob_writer_pwrite(w, w->at, zeros, (size_t)pad, err);

    if (rc == 0) {
        w->at += pad;
    }
    return rc;
}

int
pexcz_blob_writer_finish(struct pexcz_blob_writer *w,
                         const char *const *extension_suffixes,
                         uint64_t *ret_size, struct pexcz_error *err)
{
    struct index ix = {.w = w};
    struct name *name;
    struct name *next;
    int rc = pad_payloads(w, err);

    if (rc < 0) {
        return rc;
    }
    ix.offset = w->at;
    ix.sections[ix.section_count++] = (struct pexcz_section_f){
        .kind = pexcz_le32_put(PEXCZ_SECTION_PAYLOAD_DATA),
        .record_size = pexcz_le32_put(1),
        .offset = pexcz_le64_put(PEXCZ_BLOB_PAGE),
        .size = pexcz_le64_put(w->at - PEXCZ_BLOB_PAGE),
    };
    rc = order_entries(&ix, err);
    if (rc == 0) {
        rc = place_names(&ix, err);
    }
    if (rc == 0) {
        rc = place_libraries(&ix, err);
    }
    if (rc == 0) {
        rc = collect_modules(&ix, extension_suffixes, err);
    }
    if (rc == 0) {
        rc = put_sections(&ix, err);
    }
    if (rc == 0) {
        rc = write_out(&ix, ret_size, err);
    }
    HASH_ITER(hh, ix.names, name, next)
    {
        HASH_DELETE(hh, ix.names, name);
        free(name);
    }
    free(ix.root);
    free(ix.order);
    free(ix.modules);
    pexcz_buf_done(&ix.strings);
    pexcz_buf_done(&ix.libraries);
    pexcz_buf_done(&ix.needs);
    pexcz_buf_done(&ix.bytes);
    return rc;
}
