/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a blob into a file, from entries and payloads.
 *
 * Knows nothing of PEX files or plans.  Same calls, same bytes.  Payload
 * bytes go to the file as they come, so memory does not grow with them; the
 * index is built in memory and written by finish.  Order of calls: payloads
 * and entries in any order (a payload before the entry that names it), boot
 * settings, finish.  One thread at a time; pexcz_payload_encode() is pure and
 * may run in as many threads as one likes.
 */
#ifndef PEXCZ_BLOB_WRITER_H
#define PEXCZ_BLOB_WRITER_H

#include "blob_format.h"
#include "buf.h"

struct pexcz_blob_writer;

struct pexcz_blob_options {
    uint16_t machine; /* ELF e_machine, 0 = any */
    uint16_t python_major;
    uint16_t python_minor;
    uint32_t python_magic;
    struct pexcz_slice
        dict;         /* zstd dictionary or empty; borrowed until free */
    const char *name; /* of the file, for messages; NULL: none; borrowed */
};

/* 128 bits that name a content; equal means equal bytes. */
struct pexcz_content_key {
    uint64_t low;
    uint64_t high;
    uint64_t size;
};

/* A payload ready to be written. */
struct pexcz_encoded {
    struct pexcz_content_key key; /* of the content */
    enum pexcz_storage storage;
    struct pexcz_slice stored; /* lies in `buf`, or is the content itself */
    struct pexcz_buf buf;      /* owned */
};

enum pexcz_encoding {
    PEXCZ_ENCODE_RAW,
    PEXCZ_ENCODE_ZSTD, /* raw all the same when that saves less than 1/16 */
};

struct pexcz_entry_spec {
    struct pexcz_slice path; /* "a/b/c"; missing parents are created 0755 */
    enum pexcz_entry_kind kind;
    uint16_t mode;
    int64_t mtime;
    uint32_t mtime_nsec;
    uint32_t payload; /* FILE, SYMLINK */
    uint32_t code;    /* payload with the bytecode of a .py file, or
                         PEXCZ_NONE */
};

struct pexcz_need_spec {
    enum pexcz_need_kind kind;
    struct pexcz_slice path; /* of the library or directory */
    struct pexcz_slice name; /* see struct pexcz_need_f */
};

/* A shared object; slices and needs are borrowed until finish. */
struct pexcz_library_spec {
    struct pexcz_slice path;
    struct pexcz_slice soname;
    uint8_t group[16];
    uint64_t hash;
    const struct pexcz_need_spec *needs;
    size_t need_count;
};

struct pexcz_content_key pexcz_content_key_of(struct pexcz_slice content);

/*
 * Compresses `content` as `how` says.  `cdict` is NULL or the result of
 * pexcz_cdict_new() for the writer's dictionary and `level`.  The caller frees
 * ret with pexcz_encoded_done(); `content` must outlive it.
 */
PEXCZ_MUST_USE int pexcz_payload_encode(struct pexcz_slice content,
                                        enum pexcz_encoding how, int level,
                                        const void *cdict,
                                        struct pexcz_encoded *ret,
                                        struct pexcz_error *err);
void pexcz_encoded_done(struct pexcz_encoded *enc);

/* A compression dictionary prepared for `level` (shared by threads); NULL for
 * an empty dict or when memory is gone. */
void *pexcz_cdict_new(struct pexcz_slice dict, int level);
void pexcz_cdict_free(void *cdict);

/*
 * Starts a blob at byte `offset` (a multiple of 4096) of `fd`, which must be
 * seekable and stays the caller's.  NULL on failure.
 */
struct pexcz_blob_writer *
pexcz_blob_writer_new(int fd, uint64_t offset,
                      const struct pexcz_blob_options *options,
                      struct pexcz_error *err);
void pexcz_blob_writer_free(struct pexcz_blob_writer *writer);

/* The payload with this content that was already put, raw if `raw`. */
bool pexcz_blob_writer_find(const struct pexcz_blob_writer *writer,
                            const struct pexcz_content_key *key, bool raw,
                            uint32_t *ret_payload);

/*
 * Writes a payload at a multiple of `align` (a power of two, 8..4096) unless
 * the same content is there already with that storage and alignment.
 */
PEXCZ_MUST_USE int pexcz_blob_writer_put(struct pexcz_blob_writer *writer,
                                         const struct pexcz_encoded *enc,
                                         uint32_t align, uint32_t *ret_payload,
                                         struct pexcz_error *err);

/*
 * Says that `payload`, which is raw, has the content of another layer's
 * payload; `hash` is that of its stored bytes (pexcz_payload.hash), each once.
 */
PEXCZ_MUST_USE int pexcz_blob_writer_copy(struct pexcz_blob_writer *writer,
                                          uint64_t hash, uint32_t payload,
                                          struct pexcz_error *err);

/* Adds a file, directory or link.  CONFLICT: the path is taken, or a parent
 * is no directory (a directory given twice is fine: the last attributes
 * hold). */
PEXCZ_MUST_USE int pexcz_blob_writer_add(struct pexcz_blob_writer *writer,
                                         const struct pexcz_entry_spec *spec,
                                         struct pexcz_error *err);

/* Records a shared object; its entry and those that it needs must have been
 * added by the time of finish. */
PEXCZ_MUST_USE int
pexcz_blob_writer_library(struct pexcz_blob_writer *writer,
                          const struct pexcz_library_spec *spec,
                          struct pexcz_error *err);

PEXCZ_MUST_USE int pexcz_blob_writer_boot(struct pexcz_blob_writer *writer,
                                          enum pexcz_boot_key key,
                                          struct pexcz_slice value,
                                          struct pexcz_error *err);

/*
 * Writes index and header.  `extension_suffixes` is a NULL-terminated list in
 * importlib's order (".cpython-311-x86_64-linux-gnu.so", ".abi3.so", ".so"):
 * it decides which files are extension modules.  *ret_size is the blob's size
 * in bytes, a multiple of 4096.
 */
PEXCZ_MUST_USE int
pexcz_blob_writer_finish(struct pexcz_blob_writer *writer,
                         const char *const *extension_suffixes,
                         uint64_t *ret_size, struct pexcz_error *err);

#endif
