/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blob reader: no bytes make it crash or read outside the blob, and in a
 * blob that passes pexcz_blob_verify() everything can be read and found.
 *
 * A blob is mostly zeros, so the input is a shorthand for one: repeated le16
 * zeros to skip, le16 length, bytes.  It is tried as it is and again with all
 * hashes made right, since hardly a mutation survives them.
 */
#include "blob_reader.h"
#include "blob_reseal.h"
#include "fuzz.h"
#include "tree.h"

#include <stdlib.h>

#define MAX_BLOB (256u * 1024)
#define MAX_LOOKUPS 64u

static uint8_t *
expand(const uint8_t *data, size_t size, size_t *ret_len)
{
    uint8_t *out = calloc(1, MAX_BLOB);
    size_t len = 0;
    uint8_t *exact;

    while (out != NULL && size >= 4) {
        size_t skip = (size_t)data[0] | (size_t)data[1] << 8;
        size_t n = (size_t)data[2] | (size_t)data[3] << 8;

        data += 4;
        size -= 4;
        n = n < size ? n : size;
        if (skip > MAX_BLOB - len || n > MAX_BLOB - len - skip) {
            break;
        }
        memcpy(out + len + skip, data, n);
        len += skip + n;
        data += n;
        size -= n;
    }
    /* In a block of its own, so that ASan sees an overrun. */
    exact = out != NULL ? malloc(len + 1) : NULL;
    if (exact != NULL) {
        memcpy(exact, out, len);
    }
    free(out);
    *ret_len = len;
    return exact;
}

static void
must(bool condition)
{
    if (!condition) {
        __builtin_trap();
    }
}

/* Reads every byte, so that a slice outside the blob shows. */
static void
touch(struct pexcz_slice s)
{
    volatile uint8_t sum = 0;

    for (size_t i = 0; i < s.len; i++) {
        sum = (uint8_t)(sum + s.ptr[i]);
    }
}

static void
read_entries(const struct pexcz_blob *blob, bool good)
{
    struct pexcz_buf scratch = {0};
    struct pexcz_error err;
    uint32_t lookups = 0;

    for (uint32_t i = 0; i < blob->entries.count; i++) {
        char path[PEXCZ_MAX_PATH + 1];
        struct pexcz_entry e;
        struct pexcz_entry found;
        struct pexcz_slice s;
        int len;

        if (pexcz_blob_entry(blob, i, &e, &err) < 0) {
            must(!good);
            continue;
        }
        touch(e.name);
        if (e.payload != PEXCZ_NONE) {
            int rc = pexcz_blob_content(blob, e.payload, &scratch, &s, &err);

            must(!good || (rc == 0 && s.len == e.size));
            if (rc == 0) {
                touch(s);
            }
        }
        len = pexcz_blob_path(blob, i, path, sizeof(path), &err);
        must(!good || len >= 0);
        if (len < 0 || lookups++ >= MAX_LOOKUPS) {
            continue;
        }
        s = pexcz_slice_make(path, (size_t)len);
        if (!pexcz_blob_find(blob, s, pexcz_blob_hash(s), &found)) {
            must(!good);
        }
        else {
            must(!good || found.index == i);
        }
    }
    pexcz_buf_done(&scratch);
}

static void
read_modules(const struct pexcz_blob *blob, bool good)
{
    struct pexcz_error err;

    for (uint32_t i = 0; i < blob->modules.count && i < MAX_LOOKUPS; i++) {
        char path[PEXCZ_MAX_PATH + 1];
        struct pexcz_module m;
        struct pexcz_module found;
        struct pexcz_slice stem;
        int len;

        if (pexcz_blob_module(blob, i, &m, &err) < 0) {
            must(!good);
            continue;
        }
        len = pexcz_blob_path(blob, m.entry, path, sizeof(path), &err);
        if (len < m.suffix_size) {
            must(!good);
            continue;
        }
        stem = pexcz_slice_make(path, (size_t)len - m.suffix_size);
        if (!pexcz_blob_find_module(blob, stem, pexcz_blob_hash(stem),
                                    &found)) {
            must(!good);
        }
    }
}

static void
read_tree(const struct pexcz_blob *blob)
{
    struct pexcz_tree tree = {0};
    struct pexcz_children it;
    struct pexcz_node node;

    must(pexcz_tree_add(&tree, blob) && pexcz_tree_add(&tree, blob));
    pexcz_tree_children(&tree, pexcz_slice_str(""), &it);
    while (pexcz_tree_children_next(&it, &node)) {
        touch(node.entry.name);
    }
}

static void
read_blob(struct pexcz_slice bytes)
{
    struct pexcz_blob blob;
    struct pexcz_error err;
    struct pexcz_slice value;
    uint32_t cursor = 0;
    uint32_t key;
    bool good;

    if (pexcz_blob_open(&blob, bytes, "fuzz", &err) < 0) {
        return;
    }
    read_entries(&blob, false);
    good = pexcz_blob_verify(&blob, &err) == 0;
    read_entries(&blob, good);
    read_modules(&blob, good);
    read_tree(&blob);
    while (pexcz_blob_boot_next(&blob, &cursor, &key, &value)) {
        touch(value);
    }
    must(!good || cursor == blob.boot.count);
    pexcz_blob_close(&blob);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len;
    uint8_t *blob = expand(data, size, &len);

    if (blob != NULL) {
        read_blob(pexcz_slice_make(blob, len));
        reseal(blob, len);
        read_blob(pexcz_slice_make(blob, len));
    }
    free(blob);
    return 0;
}
