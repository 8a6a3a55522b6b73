/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds zip archives in memory, good ones and ones with a chosen defect.
 */
#ifndef PEXCZ_ZIP_BUILD_H
#define PEXCZ_ZIP_BUILD_H

#include "buf.h"
#include "zip_format.h"

#include <stdlib.h>
#include <zlib.h>

struct zip_item {
    const char *name;
    size_t name_len;        /* 0: strlen(name) */
    const char *local_name; /* NULL: as name */
    struct pexcz_slice data;
    bool deflate;
    bool zip64; /* sizes in Zip64 extra fields */
    uint16_t flags;
    uint16_t method; /* added to the true method */
    uint32_t mode;   /* Unix mode, 0: made on DOS */
    uint16_t date;   /* 0: 1980-01-01 */
    uint16_t time;
    uint32_t crc_xor;       /* in both headers */
    int64_t size_add;       /* to the unpacked size, in both headers */
    int64_t local_size_add; /* to the local header's only */
    int64_t offset_add;     /* to the header's offset in the directory */
    int64_t packed_add;     /* to the packed size, in both headers */
};

struct zip_end {
    bool zip64;
    int64_t count_add;
    int64_t offset_add; /* to the directory's offset */
    const char *comment;
    size_t comment_len;
    size_t comment_claim; /* added to the comment's stated length */
    const char *trailing;
    size_t trailing_len;
};

struct zip_build {
    struct pexcz_buf out;
    struct pexcz_buf directory;
    uint64_t count;
    uint64_t bias; /* subtracted from all offsets */
};

static inline void
zip_must(int rc)
{
    if (rc < 0) {
        abort();
    }
}

static inline struct pexcz_buf
zip_deflate(struct pexcz_slice data)
{
    struct pexcz_buf buf = {0};
    z_stream z = {0};

    zip_must(pexcz_buf_reserve(&buf, compressBound(data.len) + 64, NULL));
    zip_must(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY)
                     == Z_OK
                 ? 0
                 : -1);
    z.next_in = (Bytef *)(uintptr_t)data.ptr;
    z.avail_in = (uInt)data.len;
    z.next_out = buf.ptr;
    z.avail_out = (uInt)buf.cap;
    zip_must(deflate(&z, Z_FINISH) == Z_STREAM_END ? 0 : -1);
    buf.len = z.total_out;
    (void)deflateEnd(&z);
    return buf;
}

static inline void
zip_put(struct pexcz_buf *buf, const void *ptr, size_t len)
{
    zip_must(pexcz_buf_append(buf, ptr, len, NULL));
}

/* A Zip64 field with two sizes. */
static inline void
zip_put_sizes(struct pexcz_buf *buf, uint64_t size, uint64_t packed)
{
    struct pexcz_zip_extra_f head
        = {pexcz_le16_put(PEXCZ_ZIP_EXTRA_ZIP64), pexcz_le16_put(16)};
    pexcz_le64 values[2] = {pexcz_le64_put(size), pexcz_le64_put(packed)};

    zip_put(buf, &head, sizeof(head));
    zip_put(buf, values, sizeof(values));
}

static inline void
zip_add(struct zip_build *z, const struct zip_item *item)
{
    size_t name_len
        = item->name_len != 0 ? item->name_len : strlen(item->name);
    const char *local_name
        = item->local_name != NULL ? item->local_name : item->name;
    struct pexcz_buf packed = {0};
    uint64_t offset = z->out.len - z->bias;
    uint64_t size = item->data.len + (uint64_t)item->size_add;
    uint32_t crc
        = (uint32_t)crc32_z(0, item->data.ptr, item->data.len) ^ item->crc_xor;
    uint16_t date = item->date != 0 ? item->date : 0x21;
    struct pexcz_zip_local_f local = {0};
    struct pexcz_zip_central_f central = {0};
    uint64_t packed_size;
    uint64_t local_size = size + (uint64_t)item->local_size_add;
    uint16_t method;

    if (item->data.ptr == NULL) {
        crc = item->crc_xor;
    }
    if (item->deflate) {
        packed = zip_deflate(item->data);
    }
    else if (item->data.len != 0) {
        zip_put(&packed, item->data.ptr, item->data.len);
    }
    packed_size = packed.len + (uint64_t)item->packed_add;
    method = (uint16_t)((item->deflate ? 8 : 0) + item->method);
    local = (struct pexcz_zip_local_f){
        .signature = pexcz_le32_put(PEXCZ_ZIP_SIG_LOCAL),
        .needed = pexcz_le16_put(20),
        .flags = pexcz_le16_put(item->flags),
        .method = pexcz_le16_put(method),
        .time = pexcz_le16_put(item->time),
        .date = pexcz_le16_put(date),
        .crc = pexcz_le32_put(crc),
        .packed_size
        = pexcz_le32_put(item->zip64 ? UINT32_MAX : (uint32_t)packed_size),
        .size
        = pexcz_le32_put(item->zip64 ? UINT32_MAX : (uint32_t)local_size),
        .name_size = pexcz_le16_put((uint16_t)name_len),
        .extra_size = pexcz_le16_put(item->zip64 ? 20 : 0),
    };
    zip_put(&z->out, &local, sizeof(local));
    zip_put(&z->out, local_name, name_len);
    if (item->zip64) {
        zip_put_sizes(&z->out, local_size, packed_size);
    }
    zip_put(&z->out, packed.ptr, packed.len);
    central = (struct pexcz_zip_central_f){
        .signature = pexcz_le32_put(PEXCZ_ZIP_SIG_CENTRAL),
        .made_by = pexcz_le16_put(
            (uint16_t)(item->mode != 0 ? PEXCZ_ZIP_HOST_UNIX << 8 : 0)),
        .needed = pexcz_le16_put(20),
        .flags = pexcz_le16_put(item->flags),
        .method = pexcz_le16_put(method),
        .time = pexcz_le16_put(item->time),
        .date = pexcz_le16_put(date),
        .crc = pexcz_le32_put(crc),
        .packed_size = local.packed_size,
        .size = pexcz_le32_put(item->zip64 ? UINT32_MAX : (uint32_t)size),
        .name_size = pexcz_le16_put((uint16_t)name_len),
        .extra_size = pexcz_le16_put(item->zip64 ? 20 : 0),
        .external_attr = pexcz_le32_put(item->mode << 16),
        .offset
        = pexcz_le32_put((uint32_t)(offset + (uint64_t)item->offset_add)),
    };
    zip_put(&z->directory, &central, sizeof(central));
    zip_put(&z->directory, item->name, name_len);
    if (item->zip64) {
        zip_put_sizes(&z->directory, size, packed_size);
    }
    z->count++;
    pexcz_buf_done(&packed);
}

/* Ends the archive: the whole is in z->out. */
static inline void
zip_finish(struct zip_build *z, const struct zip_end *end)
{
    struct pexcz_zip_end_f classic = {0};
    uint64_t count = z->count + (uint64_t)end->count_add;
    uint64_t size = z->directory.len;
    uint64_t offset = z->out.len - z->bias + (uint64_t)end->offset_add;
    bool wide = end->zip64;

    zip_put(&z->out, z->directory.ptr, z->directory.len);
    if (wide) {
        struct pexcz_zip_end64_f e64 = {
            .signature = pexcz_le32_put(PEXCZ_ZIP_SIG_END64),
            .record_size = pexcz_le64_put(44),
            .made_by = pexcz_le16_put(45),
            .needed = pexcz_le16_put(45),
            .disk_count = pexcz_le64_put(count),
            .count = pexcz_le64_put(count),
            .directory_size = pexcz_le64_put(size),
            .directory_offset = pexcz_le64_put(offset),
        };
        struct pexcz_zip_locator64_f loc = {
            .signature = pexcz_le32_put(PEXCZ_ZIP_SIG_LOCATOR64),
            .end_offset = pexcz_le64_put(z->out.len - z->bias),
            .disks = pexcz_le32_put(1),
        };

        zip_put(&z->out, &e64, sizeof(e64));
        zip_put(&z->out, &loc, sizeof(loc));
    }
    classic = (struct pexcz_zip_end_f){
        .signature = pexcz_le32_put(PEXCZ_ZIP_SIG_END),
        .disk_count = pexcz_le16_put(wide ? UINT16_MAX : (uint16_t)count),
        .count = pexcz_le16_put(wide ? UINT16_MAX : (uint16_t)count),
        .directory_size = pexcz_le32_put(wide ? UINT32_MAX : (uint32_t)size),
        .directory_offset
        = pexcz_le32_put(wide ? UINT32_MAX : (uint32_t)offset),
        .comment_size
        = pexcz_le16_put((uint16_t)(end->comment_len + end->comment_claim)),
    };
    zip_put(&z->out, &classic, sizeof(classic));
    zip_put(&z->out, end->comment, end->comment_len);
    zip_put(&z->out, end->trailing, end->trailing_len);
}

static inline void
zip_build_done(struct zip_build *z)
{
    pexcz_buf_done(&z->out);
    pexcz_buf_done(&z->directory);
    *z = (struct zip_build){0};
}

/* A stored file with this text. */
static inline void
zip_add_text(struct zip_build *z, const char *name, const char *text)
{
    struct zip_item item = {.name = name, .data = pexcz_slice_str(text)};

    zip_add(z, &item);
}

#endif
