/* SPDX-License-Identifier: Apache-2.0 */
/* pexcz_blob_verify(): the tree, the module table and their hash tables. */
#include "blob_reader.h"
#include "blob_verify.h"
#include "module_stem.h"

#include <stdlib.h>

static uint64_t
record_where(const struct pexcz_range *range, uint32_t index)
{
    return range->offset + (uint64_t)index * range->record_size;
}

/* --- hash tables -------------------------------------------------------- */

/* Fills used[record] with the record's slot + 1; 0 stays where none is. */
static int
place_slots(const struct pexcz_blob *blob, const struct pexcz_range *slots,
            const struct pexcz_range *of, uint32_t *used, const char *what,
            struct pexcz_error *err)
{
    for (uint32_t i = 0; i < slots->count; i++) {
        struct pexcz_slot_f slot;
        uint32_t record;
        pexcz_le64 hash;

        if (!pexcz_blob_record(blob, slots, i, &slot, sizeof(slot), err)) {
            return err->code;
        }
        record = pexcz_le32_get(slot.record);
        if (record == 0) {
            if (pexcz_le32_get(slot.hash_high) != 0) {
                return pexcz_blob_corrupt(blob, err, what,
                                          record_where(slots, i));
            }
            continue;
        }
        if (record > of->count || used[record - 1] != 0) {
            return pexcz_blob_corrupt(blob, err, what, record_where(slots, i));
        }
        if (!pexcz_blob_record(blob, of, record - 1, &hash, sizeof(hash),
                               err)) {
            return err->code;
        }
        if ((uint32_t)(pexcz_le64_get(hash) >> 32)
            != pexcz_le32_get(slot.hash_high)) {
            return pexcz_blob_corrupt(blob, err, what, record_where(slots, i));
        }
        used[record - 1] = i + 1;
    }
    return PEXCZ_OK;
}

/*
 * The distance from every slot back to the nearest empty one bounds how far
 * from its start a record may lie.  Two rounds, since runs wrap around.
 */
static int
check_runs(const struct pexcz_blob *blob, const struct pexcz_range *slots,
           const struct pexcz_range *of, const uint32_t *used,
           const char *what, struct pexcz_error *err)
{
    uint32_t *run = pexcz_alloc_array(slots->count, sizeof(*run));
    uint32_t mask = slots->count - 1;
    uint32_t length = 0;
    int rc = PEXCZ_OK;

    if (run == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "%s: out of memory",
                          blob->name);
    }
    for (uint64_t n = 0; n < 2 * (uint64_t)slots->count; n++) {
        uint32_t i = (uint32_t)n & mask;
        struct pexcz_slot_f slot;

        if (!pexcz_blob_record(blob, slots, i, &slot, sizeof(slot), err)) {
            rc = err->code;
            goto out;
        }
        length = pexcz_le32_get(slot.record) != 0 ? length + 1 : 0;
        run[i] = length;
    }
    for (uint32_t r = 0; r < of->count; r++) {
        pexcz_le64 hash;
        uint32_t start;

        if (used[r] == 0) {
            rc = pexcz_blob_corrupt(blob, err, what, slots->offset);
            goto out;
        }
        if (!pexcz_blob_record(blob, of, r, &hash, sizeof(hash), err)) {
            rc = err->code;
            goto out;
        }
        start = (uint32_t)pexcz_le64_get(hash) & mask;
        if (((used[r] - 1 - start) & mask) >= run[used[r] - 1]) {
            rc = pexcz_blob_corrupt(blob, err, what,
                                    record_where(slots, used[r] - 1));
            goto out;
        }
    }

out:
    free(run);
    return rc;
}

int
pexcz_blob_verify_slots(const struct pexcz_blob *blob,
                        const struct pexcz_range *slots,
                        const struct pexcz_range *of, const char *what,
                        struct pexcz_error *err)
{
    uint32_t *used = pexcz_alloc_array(of->count, sizeof(*used));
    int rc;

    if (used == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "%s: out of memory",
                          blob->name);
    }
    rc = place_slots(blob, slots, of, used, what, err);
    if (rc == 0) {
        rc = check_runs(blob, slots, of, used, what, err);
    }
    free(used);
    return rc;
}

/* --- entries ------------------------------------------------------------ */

static int
bad_entry(const struct pexcz_blob *blob, uint32_t index, const char *what,
          struct pexcz_error *err)
{
    return pexcz_blob_corrupt(blob, err, what,
                              record_where(&blob->entries, index));
}

static bool
is_child(const struct pexcz_entry *dir, uint32_t index)
{
    return dir->kind == PEXCZ_KIND_DIR && index >= dir->first_child
           && index - dir->first_child < dir->child_count;
}

/* Size, payload, and what a link may be. */
static int
verify_content(const struct pexcz_blob *blob, const struct pexcz_entry *e,
               struct pexcz_error *err)
{
    struct pexcz_buf scratch = {0};
    struct pexcz_payload p;
    struct pexcz_slice target;
    int rc;

    if (e->payload == PEXCZ_NONE) {
        return e->size == 0 ? PEXCZ_OK
                            : bad_entry(blob, e->index, "entry size", err);
    }
    if (e->payload >= blob->payloads.count) {
        return bad_entry(blob, e->index, "entry payload", err);
    }
    rc = pexcz_blob_payload(blob, e->payload, &p, err);
    if (rc < 0) {
        return rc;
    }
    if (e->size != p.size) {
        return bad_entry(blob, e->index, "entry size", err);
    }
    if (e->kind != PEXCZ_KIND_SYMLINK) {
        return PEXCZ_OK;
    }
    if (e->size == 0 || e->size > PEXCZ_MAX_LINK) {
        return bad_entry(blob, e->index, "link", err);
    }
    rc = pexcz_blob_content(blob, e->payload, &scratch, &target, err);
    if (rc == 0 && memchr(target.ptr, 0, target.len) != NULL) {
        rc = bad_entry(blob, e->index, "link", err);
    }
    pexcz_buf_done(&scratch);
    return rc;
}

/* The entry is in its parent's range, behind a smaller name. */
static int
verify_place(const struct pexcz_blob *blob, const struct pexcz_entry *e,
             struct pexcz_error *err)
{
    struct pexcz_entry parent;
    struct pexcz_entry before;
    int rc;

    if (e->index == 0) {
        return PEXCZ_OK;
    }
    rc = pexcz_blob_entry(blob, e->parent, &parent, err);
    if (rc < 0) {
        return rc;
    }
    if (!is_child(&parent, e->index)) {
        return bad_entry(blob, e->index, "entry parent", err);
    }
    if (e->index == parent.first_child) {
        return PEXCZ_OK;
    }
    rc = pexcz_blob_entry(blob, e->index - 1, &before, err);
    if (rc < 0) {
        return rc;
    }
    return pexcz_slice_cmp(before.name, e->name) < 0
               ? PEXCZ_OK
               : bad_entry(blob, e->index, "entry order", err);
}

static int
verify_path(const struct pexcz_blob *blob, const struct pexcz_entry *e,
            struct pexcz_error *err)
{
    char path[PEXCZ_MAX_PATH + 1];
    uint32_t depth = e->index != 0 ? 1 : 0;
    int len = pexcz_blob_path(blob, e->index, path, sizeof(path), err);

    if (len < 0) {
        return len;
    }
    for (int i = 0; i < len; i++) {
        depth += path[i] == '/' ? 1 : 0;
    }
    if (depth > PEXCZ_MAX_DEPTH) {
        return bad_entry(blob, e->index, "entry depth", err);
    }
    if (pexcz_blob_hash(pexcz_slice_make(path, (size_t)len)) != e->path_hash) {
        return bad_entry(blob, e->index, "path hash", err);
    }
    return PEXCZ_OK;
}

static int
verify_entry(const struct pexcz_blob *blob, uint32_t index,
             uint64_t *add_children, struct pexcz_error *err)
{
    struct pexcz_entry_f f;
    struct pexcz_entry e;
    int rc = pexcz_blob_entry(blob, index, &e, err);

    if (rc < 0) {
        return rc;
    }
    if (!pexcz_blob_record(blob, &blob->entries, index, &f, sizeof(f), err)) {
        return err->code;
    }
    if (pexcz_blob_is_minor_known(blob)
        && (f.flags != 0 || pexcz_le16_get(f.reserved0) != 0
            || pexcz_le64_get(f.reserved1) != 0)) {
        return bad_entry(blob, index, "entry", err);
    }
    if (e.child_count == 0 && e.first_child != PEXCZ_NONE) {
        return bad_entry(blob, index, "entry", err);
    }
    *add_children += e.child_count;
    rc = verify_content(blob, &e, err);
    if (rc == 0) {
        rc = verify_place(blob, &e, err);
    }
    if (rc == 0) {
        rc = verify_path(blob, &e, err);
    }
    return rc;
}

int
pexcz_blob_verify_entries(const struct pexcz_blob *blob,
                          struct pexcz_error *err)
{
    uint64_t children = 0;

    for (uint32_t i = 0; i < blob->entries.count; i++) {
        int rc = verify_entry(blob, i, &children, err);

        if (rc < 0) {
            return rc;
        }
    }
    /* Each entry but the root is in its parent's range; so when the ranges
     * have no more places than that, none holds a foreign entry. */
    if (children != (uint64_t)blob->entries.count - 1) {
        return pexcz_blob_corrupt(blob, err, "child ranges",
                                  blob->entries.offset);
    }
    return pexcz_blob_verify_slots(blob, &blob->path_hash, &blob->entries,
                                   "path hash table", err);
}

/* --- modules ------------------------------------------------------------ */

static int
bad_module(const struct pexcz_blob *blob, uint32_t index, const char *what,
           struct pexcz_error *err)
{
    return pexcz_blob_corrupt(blob, err, what,
                              record_where(&blob->modules, index));
}

/* Suffixes of extension modules are not recorded: any ".x.so" will do. */
static bool
suffix_ok(const struct pexcz_module *m, struct pexcz_slice suffix)
{
    static const char init[] = "/__init__";
    const char *want = m->kind == PEXCZ_MODULE_SOURCE     ? ".py"
                       : m->kind == PEXCZ_MODULE_BYTECODE ? ".pyc"
                                                          : ".so";
    size_t len = strlen(want);

    if (m->package) {
        if (suffix.len < sizeof(init) - 1
            || memcmp(suffix.ptr, init, sizeof(init) - 1) != 0) {
            return false;
        }
        suffix.ptr += sizeof(init) - 1;
        suffix.len -= sizeof(init) - 1;
    }
    if (suffix.len < len || suffix.ptr[0] != '.'
        || memchr(suffix.ptr, '/', suffix.len) != NULL
        || memcmp(suffix.ptr + suffix.len - len, want, len) != 0) {
        return false;
    }
    return m->kind == PEXCZ_MODULE_EXTENSION || suffix.len == len;
}

/* `seen` has a flag for each entry that a record named. */
static int
verify_module(const struct pexcz_blob *blob, uint32_t index, bool *seen,
              struct pexcz_error *err)
{
    char path[PEXCZ_MAX_PATH + 1];
    struct pexcz_module_f f;
    struct pexcz_module m;
    struct pexcz_module found;
    struct pexcz_entry e;
    struct pexcz_slice stem;
    int len;
    int rc = pexcz_blob_module(blob, index, &m, err);

    if (rc < 0) {
        return rc;
    }
    if (!pexcz_blob_record(blob, &blob->modules, index, &f, sizeof(f), err)) {
        return err->code;
    }
    if ((pexcz_blob_is_minor_known(blob)
         && (pexcz_le32_get(f.reserved0) != 0
             || pexcz_le64_get(f.reserved1) != 0))
        || m.entry >= blob->entries.count || seen[m.entry]
        || (m.code != PEXCZ_NONE
            && (m.code >= blob->payloads.count || blob->python_magic == 0))) {
        return bad_module(blob, index, "module", err);
    }
    seen[m.entry] = true;
    rc = pexcz_blob_entry(blob, m.entry, &e, err);
    if (rc < 0) {
        return rc;
    }
    len = pexcz_blob_path(blob, m.entry, path, sizeof(path), err);
    if (len < 0) {
        return len;
    }
    if (e.kind != PEXCZ_KIND_FILE || (size_t)len <= m.suffix_size) {
        return bad_module(blob, index, "module file", err);
    }
    stem = pexcz_slice_make(path, (size_t)len - m.suffix_size);
    if (!suffix_ok(&m, pexcz_slice_make(path + stem.len, m.suffix_size))
        || stem.ptr[stem.len - 1] == '/') {
        return bad_module(blob, index, "module suffix", err);
    }
    if (pexcz_le64_get(f.stem_hash) != pexcz_blob_hash(stem)) {
        return bad_module(blob, index, "stem hash", err);
    }
    /* Of two files with one stem only one can be found. */
    if (!pexcz_blob_find_module(blob, stem, pexcz_blob_hash(stem), &found)
        || found.entry != m.entry) {
        return bad_module(blob, index, "module", err);
    }
    return PEXCZ_OK;
}

/* Whether a file that is a module by its name is the one of its stem, or one
 * that FileFinder prefers is. */
static int
verify_is_module(const struct pexcz_blob *blob, uint32_t entry,
                 struct pexcz_error *err)
{
    static const char *const no_suffixes[] = {NULL};
    char path[PEXCZ_MAX_PATH + 1];
    struct pexcz_module m;
    struct pexcz_entry e;
    struct pexcz_stem stem;
    struct pexcz_slice s;
    int len;
    int rc = pexcz_blob_entry(blob, entry, &e, err);

    if (rc < 0 || e.kind != PEXCZ_KIND_FILE) {
        return rc;
    }
    len = pexcz_blob_path(blob, entry, path, sizeof(path), err);
    if (len < 0) {
        return len;
    }
    s = pexcz_slice_make(path, (size_t)len);
    if (!pexcz_module_stem(s, no_suffixes, &stem)) {
        return PEXCZ_OK;
    }
    s.len = stem.len;
    if (!pexcz_blob_find_module(blob, s, pexcz_blob_hash(s), &m)) {
        return bad_entry(blob, entry, "module table: no record of the entry",
                         err);
    }
    if (m.entry == entry) {
        return PEXCZ_OK;
    }
    if (m.package != stem.package) {
        return m.package ? PEXCZ_OK
                         : bad_entry(blob, entry, "module table", err);
    }
    return m.kind == PEXCZ_MODULE_EXTENSION
                   || (m.kind == PEXCZ_MODULE_SOURCE
                       && stem.kind == PEXCZ_MODULE_BYTECODE)
               ? PEXCZ_OK
               : bad_entry(blob, entry, "module table", err);
}

int
pexcz_blob_verify_modules(const struct pexcz_blob *blob,
                          struct pexcz_error *err)
{
    bool *seen;
    int rc = pexcz_blob_verify_slots(blob, &blob->module_hash, &blob->modules,
                                     "module hash table", err);

    if (rc < 0) {
        return rc;
    }
    seen = pexcz_alloc_array(blob->entries.count, sizeof(*seen));
    if (seen == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "%s: out of memory",
                          blob->name);
    }
    for (uint32_t i = 0; rc == 0 && i < blob->modules.count; i++) {
        rc = verify_module(blob, i, seen, err);
    }
    free(seen);
    for (uint32_t i = 0; rc == 0 && i < blob->entries.count; i++) {
        rc = verify_is_module(blob, i, err);
    }
    return rc;
}
