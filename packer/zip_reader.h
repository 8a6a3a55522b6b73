/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded reader of zip archives: PEX files, wheels, wheels inside a PEX.
 *
 * Source: PKWARE APPNOTE 6.3.  Everything in the archive is hostile.  Open
 * checks the whole directory against the local headers before anything is
 * handed out, so that a member is never read under one name, size or place
 * and shown under another:
 *
 *   - bytes before the archive (shebang, sh script, ELF program) are fine as
 *     long as they shift every offset alike; so are bytes after the end record
 *     (the JSON of a scie) up to 64 KiB.  An end record inside the comment of
 *     another is refused, and a damaged one behind a good one;
 *   - Zip64, stored and deflated members; no encryption, other methods or
 *     multi-disk archives;
 *   - local header and directory must agree on name, method, sizes and CRC;
 *     no two members may overlap;
 *   - names are valid UTF-8 without NUL, control characters or backslash,
 *     relative, without empty, "." or ".." parts; no name twice, none that is
 *     both a file and a directory; no symbolic links or devices;
 *   - the limits below.
 *
 * Threads: after open, everything but close may be called from any number of
 * threads at the same time; each read has its own inflate state.
 */
#ifndef PEXCZ_ZIP_READER_H
#define PEXCZ_ZIP_READER_H

#include "buf.h"

/* Members of one archive; 65,535 without Zip64. */
#define PEXCZ_ZIP_MAX_MEMBERS UINT64_C(1000000)
/* Bytes of one member, and of all together, when unpacked. */
#define PEXCZ_ZIP_MAX_MEMBER_SIZE (UINT64_C(8) << 30)
#define PEXCZ_ZIP_MAX_TOTAL_SIZE (UINT64_C(32) << 30)
/* A member above RATIO_FLOOR bytes may not be packed tighter than 1:RATIO,
 * and the archive as a whole neither. */
#define PEXCZ_ZIP_MAX_RATIO UINT64_C(500)
#define PEXCZ_ZIP_RATIO_FLOOR (UINT64_C(16) << 20)
/* Bytes of a member name and of one of its parts. */
#define PEXCZ_ZIP_MAX_NAME 4000u
#define PEXCZ_ZIP_MAX_PART 255u

struct pexcz_zip;

struct pexcz_zip_member {
    const char *name; /* NUL-terminated; no trailing slash; owner: the zip */
    uint32_t name_len;
    uint32_t crc;
    uint64_t size;        /* unpacked */
    uint64_t packed_size; /* in the archive */
    uint64_t offset; /* of the packed bytes, from the start of the input */
    int64_t mtime;   /* the DOS time taken as UTC; 1980-01-01 if invalid */
    uint16_t mode;   /* Unix permission bits; 0 when not recorded */
    bool is_dir;
    bool is_deflated;
};

/* Maps and opens `path`; messages name it. */
PEXCZ_MUST_USE int pexcz_zip_open(const char *path, struct pexcz_zip **ret,
                                  struct pexcz_error *err);

/* Opens an archive in memory; `name` (copied) is for messages, `data` is
 * borrowed until close. */
PEXCZ_MUST_USE int pexcz_zip_open_slice(struct pexcz_slice data,
                                        const char *name,
                                        struct pexcz_zip **ret,
                                        struct pexcz_error *err);

/* As open_slice, but takes the bytes over: *data is empty afterwards, also
 * after a failure. */
PEXCZ_MUST_USE int pexcz_zip_open_buf(struct pexcz_buf *data, const char *name,
                                      struct pexcz_zip **ret,
                                      struct pexcz_error *err);

void pexcz_zip_close(struct pexcz_zip *zip);

/* The name given to open, fit for a message. */
const char *pexcz_zip_name(const struct pexcz_zip *zip);

/* Bytes before the first byte of the archive proper. */
uint64_t pexcz_zip_prefix_size(const struct pexcz_zip *zip);

/* Members in byte order of their names; a directory that is recorded twice
 * counts once. */
size_t pexcz_zip_count(const struct pexcz_zip *zip);
const struct pexcz_zip_member *pexcz_zip_get(const struct pexcz_zip *zip,
                                             size_t index);

/* NULL when there is none. */
const struct pexcz_zip_member *pexcz_zip_find(const struct pexcz_zip *zip,
                                              const char *name);

/* The first member whose name is not below `name` in byte order; its index,
 * or the count.  For ranges: all names that begin with a prefix follow one
 * another. */
size_t pexcz_zip_lower_bound(const struct pexcz_zip *zip, const char *name);

/* The member's bytes as they lie in the input, unchecked. */
struct pexcz_slice pexcz_zip_packed(const struct pexcz_zip *zip,
                                    const struct pexcz_zip_member *member);

/*
 * The content of a file.  Stored members are borrowed from the input (valid
 * until close); deflated ones are unpacked to the end of `scratch`, which is
 * the caller's: *ret is then valid until its next change.  Sizes and CRC are
 * checked.
 */
PEXCZ_MUST_USE int pexcz_zip_read(const struct pexcz_zip *zip,
                                  const struct pexcz_zip_member *member,
                                  struct pexcz_buf *scratch,
                                  struct pexcz_slice *ret,
                                  struct pexcz_error *err);

#endif
