/* SPDX-License-Identifier: Apache-2.0 */
/* The writer's state, shared by its files; not for others. */
#ifndef PEXCZ_BLOB_WRITER_INTERNAL_H
#define PEXCZ_BLOB_WRITER_INTERNAL_H

#include "blob_writer.h"

#include <uthash.h>

struct payload_key {
    struct pexcz_content_key content;
    uint64_t raw;
};

struct writer_payload {
    struct payload_key key;
    uint32_t index;
    uint32_t align;
    UT_hash_handle hh;
};

struct writer_entry {
    UT_hash_handle hh;
    enum pexcz_entry_kind kind;
    uint16_t mode;
    int64_t mtime;
    uint32_t mtime_nsec;
    uint32_t payload;
    uint32_t code;
    uint32_t index; /* in the blob; known once the entries are in order */
    uint32_t parent;
    uint32_t first_child;
    uint32_t child_count;
    uint32_t name_offset;
    uint32_t depth;
    size_t name_at; /* where the last component starts in path */
    size_t path_len;
    char path[];
};

struct pexcz_blob_writer {
    int fd;
    uint64_t base; /* of the blob in the file */
    uint64_t at;   /* end of what is written, from the blob's start */
    struct pexcz_blob_options options;
    struct writer_payload *by_content;
    struct pexcz_payload_f *payloads;
    uint32_t payload_count;
    size_t payload_cap;
    struct writer_entry *by_path;
    uint32_t entry_count; /* without the root */
    struct pexcz_buf boot;
    struct pexcz_library_spec *libraries;
    uint32_t library_count;
    size_t library_cap;
    struct pexcz_copy_f *copies; /* in order only when they are written */
    size_t copy_count;
    size_t copy_cap;
};

PEXCZ_MUST_USE int pexcz_blob_writer_pwrite(struct pexcz_blob_writer *w,
                                            uint64_t at, const void *bytes,
                                            size_t len,
                                            struct pexcz_error *err);

#endif
