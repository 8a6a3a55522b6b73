/* SPDX-License-Identifier: Apache-2.0 */
#include "blob_access.h"

/* --- entries ------------------------------------------------------------ */

static uint64_t
entry_where(const struct pexcz_blob *blob, uint32_t index)
{
    return blob->entries.offset + (uint64_t)index * blob->entries.record_size;
}

static bool
entry_valid(const struct pexcz_blob *blob, const struct pexcz_entry *e,
            uint32_t kind)
{
    uint32_t count = blob->entries.count;
    bool root = e->index == 0;
    bool has_content = kind == PEXCZ_KIND_FILE || kind == PEXCZ_KIND_SYMLINK;

    if (kind < PEXCZ_KIND_DIR || kind > PEXCZ_KIND_SELF
        || (root && (kind != PEXCZ_KIND_DIR || e->parent != 0))
        || (!root && e->parent >= e->index) || (e->name.len == 0) != root
        || e->name.len > PEXCZ_MAX_NAME || e->mtime_nsec > 999999999u
        || (e->mode & ~07777u) != 0
        || has_content != (e->payload != PEXCZ_NONE)) {
        return false;
    }
    if (kind != PEXCZ_KIND_DIR || e->child_count == 0) {
        return e->child_count == 0;
    }
    return e->first_child > e->index && e->first_child < count
           && e->child_count <= count - e->first_child;
}

static bool
name_valid(struct pexcz_slice name)
{
    return !(name.len == 1 && name.ptr[0] == '.')
           && !(name.len == 2 && name.ptr[0] == '.' && name.ptr[1] == '.')
           && (name.len == 0
               || (memchr(name.ptr, '/', name.len) == NULL
                   && memchr(name.ptr, 0, name.len) == NULL));
}

int
pexcz_blob_entry(const struct pexcz_blob *blob, uint32_t index,
                 struct pexcz_entry *ret, struct pexcz_error *err)
{
    struct pexcz_error local;
    struct pexcz_entry_f f;
    struct pexcz_entry e;
    uint64_t name_offset;
    const uint8_t *name;

    err = err != NULL ? err : &local;
    if (!pexcz_blob_record(blob, &blob->entries, index, &f, sizeof(f), err)) {
        return err->code;
    }
    e.index = index;
    e.parent = pexcz_le32_get(f.parent);
    e.kind = (enum pexcz_entry_kind)f.kind;
    e.mode = pexcz_le16_get(f.mode);
    e.first_child = pexcz_le32_get(f.first_child);
    e.child_count = pexcz_le32_get(f.child_count);
    e.payload = pexcz_le32_get(f.payload);
    e.mtime = (int64_t)pexcz_le64_get(f.mtime);
    e.mtime_nsec = pexcz_le32_get(f.mtime_nsec);
    e.size = pexcz_le64_get(f.size);
    e.path_hash = pexcz_le64_get(f.path_hash);
    name_offset = pexcz_le32_get(f.name_offset);
    e.name.len = pexcz_le16_get(f.name_size);
    if (name_offset > blob->strings.count
        || e.name.len > blob->strings.count - name_offset) {
        return pexcz_blob_corrupt(blob, err, "entry",
                                  entry_where(blob, index));
    }
    name = pexcz_blob_index_bytes(blob, blob->strings.offset + name_offset,
                                  e.name.len, err);
    if (name == NULL) {
        return PEXCZ_E_CORRUPT;
    }
    e.name.ptr = name;
    if (!entry_valid(blob, &e, f.kind) || !name_valid(e.name)) {
        return pexcz_blob_corrupt(blob, err, "entry",
                                  entry_where(blob, index));
    }
    *ret = e;
    return PEXCZ_OK;
}

/*
 * Whether the path of `leaf` is `path`: compares components from the end.
 * Parents have smaller numbers, so it ends.
 */
static bool
entry_has_path(const struct pexcz_blob *blob, const struct pexcz_entry *leaf,
               struct pexcz_slice path)
{
    struct pexcz_entry e = *leaf;
    size_t left = path.len;

    for (;;) {
        if (e.index == 0) {
            return left == 0;
        }
        if (e.name.len > left
            || memcmp(path.ptr + left - e.name.len, e.name.ptr, e.name.len)
                   != 0) {
            return false;
        }
        left -= e.name.len;
        if (left != 0) {
            if (path.ptr[left - 1] != '/' || left == 1) {
                return false;
            }
            left--;
        }
        if (pexcz_blob_entry(blob, e.parent, &e, NULL) < 0) {
            return false;
        }
    }
}

/*
 * Calls match(record) for each record whose hash's upper half fits until it
 * says true.  Probing ends after at most every slot.
 */
static bool
probe(const struct pexcz_blob *blob, const struct pexcz_range *slots,
      uint64_t hash,
      bool (*match)(const struct pexcz_blob *, uint32_t, uint64_t, void *),
      void *arg)
{
    uint32_t mask = slots->count - 1;
    uint32_t i = (uint32_t)hash & mask;

    for (uint32_t n = 0; n <= mask; n++, i = (i + 1) & mask) {
        struct pexcz_slot_f slot;
        uint32_t record;

        if (!pexcz_blob_record(blob, slots, i, &slot, sizeof(slot), NULL)) {
            return false;
        }
        record = pexcz_le32_get(slot.record);
        if (record == 0) {
            return false;
        }
        if (pexcz_le32_get(slot.hash_high) == (uint32_t)(hash >> 32)
            && match(blob, record - 1, hash, arg)) {
            return true;
        }
    }
    return false;
}

struct find_entry {
    struct pexcz_slice path;
    struct pexcz_entry *ret;
};

static bool
match_entry(const struct pexcz_blob *blob, uint32_t record, uint64_t hash,
            void *arg)
{
    struct find_entry *f = arg;
    struct pexcz_entry e;

    if (pexcz_blob_entry(blob, record, &e, NULL) < 0 || e.path_hash != hash
        || !entry_has_path(blob, &e, f->path)) {
        return false;
    }
    *f->ret = e;
    return true;
}

bool
pexcz_blob_find(const struct pexcz_blob *blob, struct pexcz_slice path,
                uint64_t hash, struct pexcz_entry *ret)
{
    struct find_entry f = {path, ret};

    return probe(blob, &blob->path_hash, hash, match_entry, &f);
}

int
pexcz_blob_path(const struct pexcz_blob *blob, uint32_t index, char *dst,
                size_t cap, struct pexcz_error *err)
{
    size_t at = cap;
    size_t len;

    if (cap == 0) {
        return pexcz_fail(err, PEXCZ_E_TOO_BIG, 0, "%s: path too long",
                          blob->name);
    }
    dst[--at] = '\0';
    while (index != 0) {
        struct pexcz_entry e;
        size_t need;
        int rc = pexcz_blob_entry(blob, index, &e, err);

        if (rc < 0) {
            return rc;
        }
        need = e.name.len + (at + 1 < cap ? 1 : 0);
        if (need > at || cap - at + need > PEXCZ_MAX_PATH + 1) {
            return pexcz_fail(err, PEXCZ_E_TOO_BIG, 0,
                              "%s: path of entry %u too long", blob->name,
                              index);
        }
        if (at + 1 < cap) {
            dst[--at] = '/';
        }
        at -= e.name.len;
        memcpy(dst + at, e.name.ptr, e.name.len);
        index = e.parent;
    }
    len = cap - at - 1;
    memmove(dst, dst + at, len + 1);
    return (int)len;
}

/* --- modules ------------------------------------------------------------ */

static int
read_module(const struct pexcz_blob *blob, uint32_t index,
            struct pexcz_module *ret, uint64_t *ret_hash,
            struct pexcz_error *err)
{
    struct pexcz_error local;
    struct pexcz_module_f f;
    uint64_t where
        = blob->modules.offset + (uint64_t)index * blob->modules.record_size;

    err = err != NULL ? err : &local;
    if (!pexcz_blob_record(blob, &blob->modules, index, &f, sizeof(f), err)) {
        return err->code;
    }
    if (f.kind < PEXCZ_MODULE_SOURCE || f.kind > PEXCZ_MODULE_BYTECODE
        || (f.flags & ~PEXCZ_MODULE_PACKAGE) != 0) {
        return pexcz_blob_corrupt(blob, err, "module", where);
    }
    ret->entry = pexcz_le32_get(f.entry);
    ret->code = pexcz_le32_get(f.code);
    ret->kind = (enum pexcz_module_kind)f.kind;
    ret->package = (f.flags & PEXCZ_MODULE_PACKAGE) != 0;
    ret->suffix_size = pexcz_le16_get(f.suffix_size);
    *ret_hash = pexcz_le64_get(f.stem_hash);
    return PEXCZ_OK;
}

int
pexcz_blob_module(const struct pexcz_blob *blob, uint32_t index,
                  struct pexcz_module *ret, struct pexcz_error *err)
{
    uint64_t hash;

    return read_module(blob, index, ret, &hash, err);
}

struct find_module {
    struct pexcz_slice stem;
    struct pexcz_module *ret;
};

/* The entry's path must be the stem and a suffix of suffix_size bytes. */
static bool
module_has_stem(const struct pexcz_blob *blob, const struct pexcz_module *m,
                struct pexcz_slice stem)
{
    char path[PEXCZ_MAX_PATH + 1];
    int len = pexcz_blob_path(blob, m->entry, path, sizeof(path), NULL);

    return len >= 0 && (size_t)len == stem.len + m->suffix_size
           && memcmp(path, stem.ptr, stem.len) == 0;
}

static bool
match_module(const struct pexcz_blob *blob, uint32_t record, uint64_t hash,
             void *arg)
{
    struct find_module *f = arg;
    struct pexcz_module m;
    uint64_t stem_hash;

    if (read_module(blob, record, &m, &stem_hash, NULL) < 0
        || stem_hash != hash || !module_has_stem(blob, &m, f->stem)) {
        return false;
    }
    *f->ret = m;
    return true;
}

bool
pexcz_blob_find_module(const struct pexcz_blob *blob, struct pexcz_slice stem,
                       uint64_t hash, struct pexcz_module *ret)
{
    struct find_module f = {stem, ret};

    return probe(blob, &blob->module_hash, hash, match_module, &f);
}

/* --- boot settings ------------------------------------------------------ */

bool
pexcz_blob_boot_next(const struct pexcz_blob *blob, uint32_t *cursor,
                     uint32_t *ret_key, struct pexcz_slice *ret_value)
{
    uint64_t at = *cursor;
    uint64_t end = blob->boot.count;
    struct pexcz_boot_f f;
    const uint8_t *p;
    uint64_t size;

    if (at >= end) {
        return false;
    }
    if (end - at < sizeof(f)) {
        (void)pexcz_blob_corrupt(blob, NULL, "boot record",
                                 blob->boot.offset + at);
        return false;
    }
    p = pexcz_blob_index_bytes(blob, blob->boot.offset + at, sizeof(f), NULL);
    if (p == NULL) {
        return false;
    }
    memcpy(&f, p, sizeof(f));
    size = pexcz_le32_get(f.size);
    if (size > end - at - sizeof(f)) {
        (void)pexcz_blob_corrupt(blob, NULL, "boot record",
                                 blob->boot.offset + at);
        return false;
    }
    p = pexcz_blob_index_bytes(blob, blob->boot.offset + at + sizeof(f), size,
                               NULL);
    if (p == NULL) {
        return false;
    }
    *ret_key = pexcz_le32_get(f.key);
    *ret_value = pexcz_slice_make(p, (size_t)size);
    at += sizeof(f) + ((size + 3) & ~UINT64_C(3));
    *cursor = (uint32_t)(at < end ? at : end);
    return true;
}

bool
pexcz_blob_boot_get(const struct pexcz_blob *blob, uint32_t key,
                    struct pexcz_slice *ret_value)
{
    struct pexcz_slice value;
    uint32_t cursor = 0;
    uint32_t k;

    while (pexcz_blob_boot_next(blob, &cursor, &k, &value)) {
        if (k == key) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

bool
pexcz_blob_boot_repeats(uint32_t key)
{
    switch ((enum pexcz_boot_key)key) {
    case PEXCZ_BOOT_NAME:
    case PEXCZ_BOOT_ENTRY_MODULE:
    case PEXCZ_BOOT_ENTRY_ATTR:
    case PEXCZ_BOOT_ENTRY_SCRIPT:
    case PEXCZ_BOOT_STRIP_PEX_ENV:
    case PEXCZ_BOOT_INHERIT_PATH:
    case PEXCZ_BOOT_PEX_INFO:
    case PEXCZ_BOOT_SCRIPT_NAME:
    case PEXCZ_BOOT_BIN_PATH:
        return false;
    case PEXCZ_BOOT_SEARCH_PATH:
    case PEXCZ_BOOT_STARTUP_LINE:
    case PEXCZ_BOOT_INJECT_ARG:
    case PEXCZ_BOOT_INJECT_ENV:
    case PEXCZ_BOOT_PYTHON_OPTION:
    case PEXCZ_BOOT_BIND_RESOURCE:
    case PEXCZ_BOOT_OPTION:
    case PEXCZ_BOOT_COMMAND:
    case PEXCZ_BOOT_FILES:
        return true;
    }
    return true; /* of a later minor version */
}

bool
pexcz_blob_option(const struct pexcz_blob *blob, const char *name,
                  struct pexcz_slice *ret_value)
{
    size_t size = strlen(name);
    struct pexcz_slice value;
    uint32_t cursor = 0;
    uint32_t key;

    while (pexcz_blob_boot_next(blob, &cursor, &key, &value)) {
        if (key == PEXCZ_BOOT_OPTION && value.len > size
            && value.ptr[size] == '=' && memcmp(value.ptr, name, size) == 0) {
            *ret_value
                = pexcz_slice_make(value.ptr + size + 1, value.len - size - 1);
            return true;
        }
    }
    return false;
}
