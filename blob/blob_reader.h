/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a blob in place.
 *
 * pexcz_blob_open() checks header, section table and page sums; everything
 * else is checked when it is first touched, so opening costs the same for 100
 * and for 20,000 modules.  Records are handed out decoded, names and contents
 * as slices of the caller's memory, which must outlive the blob.
 *
 * Corruption: every function checks what it reads; none can crash or read
 * outside the blob whatever the bytes are.  A look-up that meets a corrupt
 * record calls blob->on_corrupt (if set; it may not return) and then answers
 * "not there" or PEXCZ_E_CORRUPT.
 *
 * Threads: all functions may be called from several threads on one blob.  No
 * locks; the "already verified" bits are atomic and idempotent.
 */
#ifndef PEXCZ_BLOB_READER_H
#define PEXCZ_BLOB_READER_H

#include "blob_format.h"
#include "buf.h"

struct ZSTD_DDict_s;

struct pexcz_range {
    uint64_t offset; /* of the first record, from the start of the blob */
    uint32_t count;  /* records */
    uint32_t record_size;
};

struct pexcz_blob {
    struct pexcz_slice bytes; /* borrowed */
    const char *name;         /* for messages, borrowed */
    void (*on_corrupt)(const struct pexcz_error *err);

    uint16_t python_major;
    uint16_t python_minor;
    uint16_t machine;
    uint32_t python_magic;
    uint8_t id[16];

    /* private */
    struct pexcz_range entries;
    struct pexcz_range path_hash;
    struct pexcz_range modules;
    struct pexcz_range module_hash;
    struct pexcz_range payloads;
    struct pexcz_range strings;
    struct pexcz_range boot;
    struct pexcz_range dict;
    struct pexcz_range libraries;
    struct pexcz_range needs;
    struct pexcz_range copies;
    struct pexcz_range data; /* its count is 0: bytes are in data_size */
    uint64_t data_size;
    uint64_t index_offset;
    uint64_t sums_offset;
    uint32_t page_count;
    uint8_t *verified; /* bits: index pages, then payloads; owned */
    _Atomic(struct ZSTD_DDict_s *) *ddict; /* set on first use; owned */
};

/* struct pexcz_entry_f, decoded and range-checked.  `name` is a slice of the
 * blob. */
struct pexcz_entry {
    uint32_t index;
    uint32_t parent;
    struct pexcz_slice name;
    enum pexcz_entry_kind kind;
    uint16_t mode;
    uint32_t first_child; /* children are first_child .. + child_count - 1 */
    uint32_t child_count;
    uint32_t payload; /* PEXCZ_NONE if it has no content of its own */
    int64_t mtime;
    uint32_t mtime_nsec;
    uint64_t size;
    uint64_t path_hash;
};

struct pexcz_module {
    uint32_t entry;
    uint32_t code; /* payload or PEXCZ_NONE */
    enum pexcz_module_kind kind;
    bool package;
    uint16_t suffix_size;
};

struct pexcz_payload {
    struct pexcz_slice stored; /* slice of the blob */
    uint64_t size;
    uint64_t offset; /* of the stored bytes, from the start of the blob */
    uint64_t hash;   /* XXH3-64 of the stored bytes */
    enum pexcz_storage storage;
    uint32_t align; /* bytes */
};

/* A shared object (see struct pexcz_library_f); `soname` may be empty. */
struct pexcz_library {
    uint32_t entry;
    uint32_t first_need;
    uint32_t need_count;
    struct pexcz_slice soname;
    uint8_t group[16];
    uint64_t hash;
};

struct pexcz_need {
    enum pexcz_need_kind kind;
    uint32_t entry;
    struct pexcz_slice name; /* empty: the object's DT_SONAME */
};

/*
 * Opens a blob that lies in `bytes` (which may be longer than the blob).
 * `name` appears in messages and must live as long.  On failure *blob is
 * zeroed.  Errors: CORRUPT, UNSUPPORTED (version, flag), NOMEM.
 */
PEXCZ_MUST_USE int pexcz_blob_open(struct pexcz_blob *blob,
                                   struct pexcz_slice bytes, const char *name,
                                   struct pexcz_error *err);

/* Frees what open and reads allocated; accepts a zeroed struct. */
void pexcz_blob_close(struct pexcz_blob *blob);

/* Bytes of the blob itself, <= bytes.len given to open. */
uint64_t pexcz_blob_size(const struct pexcz_blob *blob);

/* How many records there are: their numbers are below these. */
uint32_t pexcz_blob_entry_count(const struct pexcz_blob *blob);
uint32_t pexcz_blob_module_count(const struct pexcz_blob *blob);
uint32_t pexcz_blob_payload_count(const struct pexcz_blob *blob);

/* XXH3-64, the hash of all keys. */
uint64_t pexcz_blob_hash(struct pexcz_slice path);

/*
 * The entry at `path` ("lib/python3.11/os.py"; "" is the root; no leading or
 * doubled slash, no dot components).  `hash` is pexcz_blob_hash(path).  False
 * when it is not there.
 */
bool pexcz_blob_find(const struct pexcz_blob *blob, struct pexcz_slice path,
                     uint64_t hash, struct pexcz_entry *ret);

/* Entry number `index`; errors: NOT_FOUND (out of range), CORRUPT. */
PEXCZ_MUST_USE int pexcz_blob_entry(const struct pexcz_blob *blob,
                                    uint32_t index, struct pexcz_entry *ret,
                                    struct pexcz_error *err);

/*
 * Writes the entry's path, NUL-terminated, into dst[cap]; cap of
 * PEXCZ_MAX_PATH + 1 is always enough.  Returns its length, or a negative
 * code.
 */
PEXCZ_MUST_USE int pexcz_blob_path(const struct pexcz_blob *blob,
                                   uint32_t index, char *dst, size_t cap,
                                   struct pexcz_error *err);

/*
 * The module whose stem (search path entry without the prefix, "/", tail of
 * the name) is `stem`; `hash` is pexcz_blob_hash(stem).  False when absent.
 */
bool pexcz_blob_find_module(const struct pexcz_blob *blob,
                            struct pexcz_slice stem, uint64_t hash,
                            struct pexcz_module *ret);

PEXCZ_MUST_USE int pexcz_blob_module(const struct pexcz_blob *blob,
                                     uint32_t index, struct pexcz_module *ret,
                                     struct pexcz_error *err);

/* The record of the shared object that is entry `entry`; false when that is
 * none. */
bool pexcz_blob_find_library(const struct pexcz_blob *blob, uint32_t entry,
                             struct pexcz_library *ret);

PEXCZ_MUST_USE int pexcz_blob_library(const struct pexcz_blob *blob,
                                      uint32_t index,
                                      struct pexcz_library *ret,
                                      struct pexcz_error *err);
PEXCZ_MUST_USE int pexcz_blob_need(const struct pexcz_blob *blob,
                                   uint32_t index, struct pexcz_need *ret,
                                   struct pexcz_error *err);
uint32_t pexcz_blob_library_count(const struct pexcz_blob *blob);

/* Where a payload lies; checks bounds and, on first use, its hash. */
PEXCZ_MUST_USE int pexcz_blob_payload(const struct pexcz_blob *blob,
                                      uint32_t index,
                                      struct pexcz_payload *ret,
                                      struct pexcz_error *err);

/*
 * The content of a payload.  RAW: a slice of the blob, no copy.  Otherwise it
 * is decompressed into *scratch (emptied first) and the slice lies there.
 */
PEXCZ_MUST_USE int pexcz_blob_content(const struct pexcz_blob *blob,
                                      uint32_t payload,
                                      struct pexcz_buf *scratch,
                                      struct pexcz_slice *ret,
                                      struct pexcz_error *err);

/* The payload of `blob` that is an uncompressed copy of another blob's payload
 * with this hash.  False when there is none. */
bool pexcz_blob_find_copy(const struct pexcz_blob *blob, uint64_t hash,
                          uint32_t *ret_payload);

/* The content into dst, exactly `size` bytes (payload.size). */
PEXCZ_MUST_USE int pexcz_blob_content_into(const struct pexcz_blob *blob,
                                           uint32_t payload, void *dst,
                                           size_t size,
                                           struct pexcz_error *err);

/* Writes the content to the empty file `fd`, a piece at a time; large content
 * with a thread for each processor.  IO errors carry errno. */
PEXCZ_MUST_USE int pexcz_blob_content_to(const struct pexcz_blob *blob,
                                         uint32_t payload, int fd,
                                         struct pexcz_error *err);

/*
 * Boot settings in order: start with *cursor = 0; false at the end (or at a
 * corrupt record, after on_corrupt).
 */
bool pexcz_blob_boot_next(const struct pexcz_blob *blob, uint32_t *cursor,
                          uint32_t *ret_key, struct pexcz_slice *ret_value);

/* The first value of `key`; false when it is absent. */
bool pexcz_blob_boot_get(const struct pexcz_blob *blob, uint32_t key,
                         struct pexcz_slice *ret_value);

/* Whether the key may come more than once, as one of a later minor version
 * may.
 */
bool pexcz_blob_boot_repeats(uint32_t key);

/* The value of the option NAME (PEXCZ_BOOT_OPTION) with which the file was
 * packed; false when it has none. */
bool pexcz_blob_option(const struct pexcz_blob *blob, const char *name,
                       struct pexcz_slice *ret_value);

/* Checks the sums of all index pages and payloads, nothing else. */
PEXCZ_MUST_USE int pexcz_blob_verify_sums(const struct pexcz_blob *blob,
                                          struct pexcz_error *err);

/* Checks everything: pages, records, order, hash tables, payloads (by
 * decompressing them).  For `pexcz verify`, tests and fuzzing. */
PEXCZ_MUST_USE int pexcz_blob_verify(const struct pexcz_blob *blob,
                                     struct pexcz_error *err);

#endif
