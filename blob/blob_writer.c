/* SPDX-License-Identifier: Apache-2.0 */
#include "blob_writer_internal.h"
#include "write_at.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

struct pexcz_blob_writer *
pexcz_blob_writer_new(int fd, uint64_t offset,
                      const struct pexcz_blob_options *options,
                      struct pexcz_error *err)
{
    struct pexcz_blob_writer *w;

    if (offset % PEXCZ_BLOB_PAGE != 0) {
        (void)pexcz_fail(err, PEXCZ_E_INTERNAL, 0, "unaligned blob");
        return NULL;
    }
    w = calloc(1, sizeof(*w));
    if (w == NULL) {
        (void)pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
        return NULL;
    }
    w->fd = fd;
    w->base = offset;
    w->at = PEXCZ_BLOB_PAGE;
    w->options = *options;
    return w;
}

void
pexcz_blob_writer_free(struct pexcz_blob_writer *w)
{
    struct writer_payload *p;
    struct writer_payload *next_p;
    struct writer_entry *e;
    struct writer_entry *next_e;

    if (w == NULL) {
        return;
    }
    HASH_ITER(hh, w->by_content, p, next_p)
    {
        HASH_DELETE(hh, w->by_content, p);
        free(p);
    }
    HASH_ITER(hh, w->by_path, e, next_e)
    {
        HASH_DELETE(hh, w->by_path, e);
        free(e);
    }
    free(w->payloads);
    free(w->libraries);
    free(w->copies);
    pexcz_buf_done(&w->boot);
    free(w);
}

/* --- payloads ----------------------------------------------------------- */

int
pexcz_blob_writer_pwrite(struct pexcz_blob_writer *w, uint64_t at,
                         const void *bytes, size_t len,
                         struct pexcz_error *err)
{
    int rc = pexcz_write_at(w->fd, bytes, len, w->base + at, err);

    return rc < 0 && w->options.name != NULL
               ? pexcz_wrap(err, "%s", w->options.name)
               : rc;
}

/* Keys are hashed as bytes, so padding must be zero. */
static struct payload_key
payload_key(const struct pexcz_content_key *content, bool raw)
{
    struct payload_key key;

    memset(&key, 0, sizeof(key));
    key.content = *content;
    key.raw = raw;
    return key;
}

static struct writer_payload *
find_payload(const struct pexcz_blob_writer *w,
             const struct pexcz_content_key *content, bool raw)
{
    struct payload_key key = payload_key(content, raw);
    struct writer_payload *p;

    HASH_FIND(hh, w->by_content, &key, sizeof(key), p);
    return p;
}

bool
pexcz_blob_writer_find(const struct pexcz_blob_writer *w,
                       const struct pexcz_content_key *key, bool raw,
                       uint32_t *ret_payload)
{
    struct writer_payload *p = find_payload(w, key, raw);

    if (p == NULL) {
        return false;
    }
    *ret_payload = p->index;
    return true;
}

static int
register_payload(struct pexcz_blob_writer *w, const struct pexcz_encoded *enc,
                 bool raw, uint32_t align, uint32_t *ret_payload,
                 struct pexcz_error *err)
{
    struct writer_payload *p = find_payload(w, &enc->key, raw);

    if (p == NULL) {
        p = calloc(1, sizeof(*p));
        if (p == NULL) {
            return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
        }
        p->key = payload_key(&enc->key, raw);
        HASH_ADD(hh, w->by_content, key, sizeof(p->key), p);
    }
    p->align = align;
    p->index = w->payload_count++;
    *ret_payload = p->index;
    return PEXCZ_OK;
}

int
pexcz_blob_writer_put(struct pexcz_blob_writer *w,
                      const struct pexcz_encoded *enc, uint32_t align,
                      uint32_t *ret_payload, struct pexcz_error *err)
{
    static const uint8_t zeros[PEXCZ_BLOB_PAGE];
    bool raw = enc->storage == PEXCZ_STORAGE_RAW;
    const struct writer_payload *have = find_payload(w, &enc->key, raw);
    struct pexcz_payload_f *f;
    uint64_t pad;
    int rc;

    if (have != NULL && have->align >= align) {
        *ret_payload = have->index;
        return PEXCZ_OK;
    }
    if (align < 8 || align > PEXCZ_BLOB_PAGE || (align & (align - 1)) != 0) {
        return pexcz_fail(err, PEXCZ_E_INTERNAL, 0, "bad alignment %u", align);
    }
    if (w->payload_count >= PEXCZ_NONE - 1
        || enc->key.size > PEXCZ_MAX_PAYLOAD) {
        return pexcz_fail(err, PEXCZ_E_TOO_BIG, 0,
                          "too many payloads, or one over 1 TiB");
    }
    rc = pexcz_grow_array((void **)&w->payloads, w->payload_count,
                          &w->payload_cap, sizeof(*w->payloads), err);
    if (rc < 0) {
        return rc;
    }
    pad = (align - w->at % align) % align;
    rc = pexcz_blob_writer_pwrite(w, w->at, zeros, (size_t)pad, err);
    if (rc < 0) {
        return rc;
    }
    rc = pexcz_blob_writer_pwrite(w, w->at + pad, enc->stored.ptr,
                                  enc->stored.len, err);
    if (rc < 0) {
        return rc;
    }
    f = &w->payloads[w->payload_count];
    *f = (struct pexcz_payload_f){
        .offset = pexcz_le64_put(w->at + pad),
        .stored_size = pexcz_le64_put(enc->stored.len),
        .size = pexcz_le64_put(enc->key.size),
        .hash = pexcz_le64_put(XXH3_64bits(enc->stored.ptr, enc->stored.len)),
        .storage = (uint8_t)enc->storage,
        .align_log2 = (uint8_t)__builtin_ctz(align),
    };
    rc = register_payload(w, enc, raw, align, ret_payload, err);
    if (rc < 0) {
        return rc;
    }
    w->at += pad + enc->stored.len;
    return PEXCZ_OK;
}

int
pexcz_blob_writer_copy(struct pexcz_blob_writer *w, uint64_t hash,
                       uint32_t payload, struct pexcz_error *err)
{
    int rc = pexcz_grow_array((void **)&w->copies, w->copy_count, &w->copy_cap,
                              sizeof(*w->copies), err);

    if (rc < 0) {
        return rc;
    }
    if (payload >= w->payload_count
        || w->payloads[payload].storage != PEXCZ_STORAGE_RAW) {
        return pexcz_fail(err, PEXCZ_E_INTERNAL, 0,
                          "a copy that is not a raw payload");
    }
    w->copies[w->copy_count++] = (struct pexcz_copy_f){
        .hash = pexcz_le64_put(hash),
        .payload = pexcz_le32_put(payload),
    };
    return PEXCZ_OK;
}

/* --- entries ------------------------------------------------------------ */

static bool
component_ok(struct pexcz_slice c)
{
    return c.len >= 1 && c.len <= PEXCZ_MAX_NAME
           && !(c.len == 1 && c.ptr[0] == '.')
           && !(c.len == 2 && c.ptr[0] == '.' && c.ptr[1] == '.')
           && memchr(c.ptr, 0, c.len) == NULL;
}

static bool
path_ok(struct pexcz_slice path)
{
    size_t start = 0;
    uint32_t depth = 0;

    if (path.len > PEXCZ_MAX_PATH) {
        return false;
    }
    for (size_t i = 0; i <= path.len; i++) {
        if (i < path.len && path.ptr[i] != '/') {
            continue;
        }
        if (!component_ok(pexcz_slice_make(path.ptr + start, i - start))
            || ++depth > PEXCZ_MAX_DEPTH) {
            return false;
        }
        start = i + 1;
    }
    return true;
}

/* Of the spec's own fields; its payload was put already. */
static bool
content_ok(const struct pexcz_blob_writer *w,
           const struct pexcz_entry_spec *spec)
{
    uint64_t size;

    if (spec->kind != PEXCZ_KIND_FILE && spec->kind != PEXCZ_KIND_SYMLINK) {
        return true;
    }
    if (spec->payload >= w->payload_count) {
        return false;
    }
    size = pexcz_le64_get(w->payloads[spec->payload].size);
    return spec->kind == PEXCZ_KIND_FILE
           || (size != 0 && size <= PEXCZ_MAX_LINK);
}

static struct writer_entry *
new_entry(struct pexcz_blob_writer *w, struct pexcz_slice path,
          struct pexcz_error *err)
{
    struct writer_entry *e = calloc(1, sizeof(*e) + path.len + 1);

    if (e == NULL || w->entry_count >= PEXCZ_MAX_ENTRIES - 1) {
        free(e);
        (void)pexcz_fail(err, e == NULL ? PEXCZ_E_NOMEM : PEXCZ_E_TOO_BIG, 0,
                         "too many files");
        return NULL;
    }
    memcpy(e->path, path.ptr, path.len);
    e->path_len = path.len;
    e->payload = PEXCZ_NONE;
    e->code = PEXCZ_NONE;
    HASH_ADD_KEYPTR(hh, w->by_path, e->path, e->path_len, e);
    w->entry_count++;
    return e;
}

/* Creates the directories above `path` that are missing. */
static int
add_parents(struct pexcz_blob_writer *w, struct pexcz_slice path,
            struct pexcz_error *err)
{
    for (size_t i = 1; i < path.len; i++) {
        struct writer_entry *e;

        if (path.ptr[i] != '/') {
            continue;
        }
        HASH_FIND(hh, w->by_path, path.ptr, i, e);
        if (e == NULL) {
            e = new_entry(w, pexcz_slice_make(path.ptr, i), err);
            if (e == NULL) {
                return err != NULL ? (int)err->code : PEXCZ_E_NOMEM;
            }
            e->kind = PEXCZ_KIND_DIR;
            e->mode = 0755;
        }
        if (e->kind != PEXCZ_KIND_DIR) {
            return pexcz_fail(err, PEXCZ_E_CONFLICT, 0,
                              "%.*s: %s is not a directory", (int)path.len,
                              (const char *)path.ptr, e->path);
        }
    }
    return PEXCZ_OK;
}

int
pexcz_blob_writer_add(struct pexcz_blob_writer *w,
                      const struct pexcz_entry_spec *spec,
                      struct pexcz_error *err)
{
    bool has_content
        = spec->kind == PEXCZ_KIND_FILE || spec->kind == PEXCZ_KIND_SYMLINK;
    struct writer_entry *e;
    int rc;

    if (!path_ok(spec->path)) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0, "%.*s: not a usable path",
                          (int)(spec->path.len < 300 ? spec->path.len : 300),
                          (const char *)spec->path.ptr);
    }
    if (!content_ok(w, spec) || spec->mtime_nsec > 999999999u) {
        return pexcz_fail(err, PEXCZ_E_INTERNAL, 0,
                          "%.*s: no payload, link target over %u bytes, or "
                          "bad time",
                          (int)spec->path.len, (const char *)spec->path.ptr,
                          PEXCZ_MAX_LINK);
    }
    rc = add_parents(w, spec->path, err);
    if (rc < 0) {
        return rc;
    }
    HASH_FIND(hh, w->by_path, spec->path.ptr, spec->path.len, e);
    if (e != NULL
        && (e->kind != PEXCZ_KIND_DIR || spec->kind != PEXCZ_KIND_DIR)) {
        return pexcz_fail(err, PEXCZ_E_CONFLICT, 0, "%s: given twice",
                          e->path);
    }
    if (e == NULL) {
        e = new_entry(w, spec->path, err);
        if (e == NULL) {
            return err != NULL ? (int)err->code : PEXCZ_E_NOMEM;
        }
    }
    e->kind = spec->kind;
    e->mode = spec->mode & 07777;
    e->mtime = spec->mtime;
    e->mtime_nsec = spec->mtime_nsec;
    e->payload = has_content ? spec->payload : PEXCZ_NONE;
    e->code = spec->kind == PEXCZ_KIND_FILE ? spec->code : PEXCZ_NONE;
    return PEXCZ_OK;
}

int
pexcz_blob_writer_boot(struct pexcz_blob_writer *w, enum pexcz_boot_key key,
                       struct pexcz_slice value, struct pexcz_error *err)
{
    struct pexcz_boot_f f
        = {pexcz_le32_put((uint32_t)key), pexcz_le32_put((uint32_t)value.len)};
    int rc;

    if (value.len > UINT32_MAX / 4 || w->boot.len > UINT32_MAX / 4) {
        return pexcz_fail(err, PEXCZ_E_TOO_BIG, 0, "boot settings too big");
    }
    rc = pexcz_buf_append(&w->boot, &f, sizeof(f), err);
    if (rc < 0) {
        return rc;
    }
    rc = pexcz_buf_append(&w->boot, value.ptr, value.len, err);
    if (rc < 0) {
        return rc;
    }
    return pexcz_buf_align(&w->boot, 4, err);
}

int
pexcz_blob_writer_library(struct pexcz_blob_writer *w,
                          const struct pexcz_library_spec *spec,
                          struct pexcz_error *err)
{
    int rc = pexcz_grow_array((void **)&w->libraries, w->library_count,
                              &w->library_cap, sizeof(*w->libraries), err);

    if (rc == PEXCZ_OK) {
        w->libraries[w->library_count++] = *spec;
    }
    return rc;
}
