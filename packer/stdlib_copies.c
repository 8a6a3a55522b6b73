/* SPDX-License-Identifier: Apache-2.0 */
#include "stdlib_copies.h"

#include "exe_layout.h"
#include "module_stem.h"
#include "packed_file.h"

/* As bytecode in the tree's own store: unmarshalled where it lies. */
#define CODE_ALIGN 16u

static int
copy(const struct pexcz_blob *library, uint32_t code,
     struct pexcz_blob_writer *writer, struct pexcz_error *err)
{
    struct pexcz_buf scratch = {0};
    struct pexcz_encoded encoded = {0};
    struct pexcz_payload payload;
    struct pexcz_slice content;
    uint32_t put;
    int rc = pexcz_blob_payload(library, code, &payload, err);

    if (rc < 0 || payload.storage == PEXCZ_STORAGE_RAW) {
        return rc;
    }
    rc = pexcz_blob_content(library, code, &scratch, &content, err);
    if (rc == 0) {
        rc = pexcz_payload_encode(content, PEXCZ_ENCODE_RAW, 0, NULL, &encoded,
                                  err);
    }
    if (rc == 0) {
        rc = pexcz_blob_writer_put(writer, &encoded, CODE_ALIGN, &put, err);
    }
    if (rc == 0) {
        rc = pexcz_blob_writer_copy(writer, payload.hash, put, err);
    }
    pexcz_encoded_done(&encoded);
    pexcz_buf_done(&scratch);
    return rc;
}

/* The module whose source is the file `path` of the tree. */
static bool
find_module(const struct pexcz_blob *library, struct pexcz_slice path,
            struct pexcz_module *ret)
{
    static const char *const suffixes[] = {"/__init__.py", ".py"};

    for (size_t i = 0; i < 2; i++) {
        struct pexcz_slice suffix = pexcz_slice_str(suffixes[i]);
        struct pexcz_slice stem;

        if (path.len <= suffix.len
            || memcmp(path.ptr + path.len - suffix.len, suffix.ptr, suffix.len)
                   != 0) {
            continue;
        }
        stem = pexcz_slice_make(path.ptr, path.len - suffix.len);
        return pexcz_blob_find_module(library, stem, pexcz_blob_hash(stem),
                                      ret)
               && ret->code != PEXCZ_NONE;
    }
    return false;
}

int
pexcz_stdlib_copies_write(const char *base, struct pexcz_slice files,
                          struct pexcz_blob_writer *writer,
                          struct pexcz_error *err)
{
    static const char prefix[] = PEXCZ_PREFIX "/";
    const size_t prefix_len = sizeof(prefix) - 1;
    struct pexcz_packed_file file;
    const struct pexcz_packed_blob *library = &file.parts[PEXCZ_PART_STDLIB];
    int rc = pexcz_packed_file_open(&file, base, err);

    if (rc < 0) {
        return rc;
    }
    while (files.len != 0 && library->present && rc == 0) {
        struct pexcz_slice path = pexcz_slice_take(&files, '\n');
        struct pexcz_module module;

        if (path.len > prefix_len && memcmp(path.ptr, prefix, prefix_len) == 0
            && find_module(
                &library->blob,
                pexcz_slice_make(path.ptr + prefix_len, path.len - prefix_len),
                &module)) {
            rc = copy(&library->blob, module.code, writer, err);
        }
    }
    pexcz_packed_file_close(&file);
    return rc;
}
