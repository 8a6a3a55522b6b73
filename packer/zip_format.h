/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On-disk records of zip archives (PKWARE APPNOTE 6.3, sections 4.3 and 4.4).
 * Private to the zip reader and its tests.
 */
#ifndef PEXCZ_ZIP_FORMAT_H
#define PEXCZ_ZIP_FORMAT_H

#include "blob_format.h"

#define PEXCZ_ZIP_SIG_LOCAL UINT32_C(0x04034b50)
#define PEXCZ_ZIP_SIG_CENTRAL UINT32_C(0x02014b50)
#define PEXCZ_ZIP_SIG_END UINT32_C(0x06054b50)
#define PEXCZ_ZIP_SIG_END64 UINT32_C(0x06064b50)
#define PEXCZ_ZIP_SIG_LOCATOR64 UINT32_C(0x07064b50)

/* General purpose flags. */
#define PEXCZ_ZIP_FLAG_ENCRYPTED 0x0001u
#define PEXCZ_ZIP_FLAG_DESCRIPTOR 0x0008u /* sizes follow the data */
#define PEXCZ_ZIP_FLAG_PATCH 0x0020u
#define PEXCZ_ZIP_FLAG_STRONG 0x0040u
#define PEXCZ_ZIP_FLAG_UTF8 0x0800u
#define PEXCZ_ZIP_FLAG_MASKED 0x2000u

#define PEXCZ_ZIP_METHOD_STORED 0u
#define PEXCZ_ZIP_METHOD_DEFLATED 8u

#define PEXCZ_ZIP_EXTRA_ZIP64 0x0001u

#define PEXCZ_ZIP_HOST_UNIX 3u /* upper byte of made_by */
#define PEXCZ_ZIP_HOST_DARWIN 19u

struct pexcz_zip_local_f {
    pexcz_le32 signature;
    pexcz_le16 needed;
    pexcz_le16 flags;
    pexcz_le16 method;
    pexcz_le16 time;
    pexcz_le16 date;
    pexcz_le32 crc;
    pexcz_le32 packed_size;
    pexcz_le32 size;
    pexcz_le16 name_size;
    pexcz_le16 extra_size;
};
static_assert(sizeof(struct pexcz_zip_local_f) == 30, "local header size");

struct pexcz_zip_central_f {
    pexcz_le32 signature;
    pexcz_le16 made_by;
    pexcz_le16 needed;
    pexcz_le16 flags;
    pexcz_le16 method;
    pexcz_le16 time;
    pexcz_le16 date;
    pexcz_le32 crc;
    pexcz_le32 packed_size;
    pexcz_le32 size;
    pexcz_le16 name_size;
    pexcz_le16 extra_size;
    pexcz_le16 comment_size;
    pexcz_le16 disk;
    pexcz_le16 internal_attr;
    pexcz_le32 external_attr; /* Unix mode in the upper half */
    pexcz_le32 offset;        /* of the local header */
};
static_assert(sizeof(struct pexcz_zip_central_f) == 46,
              "directory entry size");

struct pexcz_zip_end_f {
    pexcz_le32 signature;
    pexcz_le16 disk;
    pexcz_le16 directory_disk;
    pexcz_le16 disk_count; /* entries on this disk */
    pexcz_le16 count;
    pexcz_le32 directory_size;
    pexcz_le32 directory_offset;
    pexcz_le16 comment_size;
};
static_assert(sizeof(struct pexcz_zip_end_f) == 22, "end record size");

struct pexcz_zip_locator64_f {
    pexcz_le32 signature;
    pexcz_le32 directory_disk;
    pexcz_le64 end_offset;
    pexcz_le32 disks;
};
static_assert(sizeof(struct pexcz_zip_locator64_f) == 20, "locator size");

struct pexcz_zip_end64_f {
    pexcz_le32 signature;
    pexcz_le64 record_size; /* of what follows this field: 44 */
    pexcz_le16 made_by;
    pexcz_le16 needed;
    pexcz_le32 disk;
    pexcz_le32 directory_disk;
    pexcz_le64 disk_count;
    pexcz_le64 count;
    pexcz_le64 directory_size;
    pexcz_le64 directory_offset;
};
static_assert(sizeof(struct pexcz_zip_end64_f) == 56, "Zip64 end record size");

struct pexcz_zip_extra_f {
    pexcz_le16 id;
    pexcz_le16 size;
};
static_assert(sizeof(struct pexcz_zip_extra_f) == 4,
              "extra field header size");

#endif
