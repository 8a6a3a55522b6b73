/* SPDX-License-Identifier: Apache-2.0 */
/*
 * THE format: every on-disk struct and number of a pexcz blob, once.
 * pexcz-blob.5 says the same in prose.
 *
 * A blob is a read-only tree of files plus a table of Python modules:
 *
 *   header page   struct header, then the section table
 *   payloads      file contents, bytecode (section PAYLOAD_DATA)
 *   index         ENTRIES, PATH_HASH, MODULES, MODULE_HASH, PAYLOADS,
 *                 STRINGS, BOOT, DICT, LIBRARIES, NEEDS, COPIES: one
 *                 page-aligned range
 *   page sums     one XXH3-64 for each 4 KiB page of the index
 *
 * All integers are little-endian byte arrays: alignment 1, no padding, and
 * they cannot be used undecoded.  Offsets count from the start of the blob.
 * Nothing is parsed at open: header, section table and page sums are covered
 * by header.hash, each index page by its sum (checked when it is first
 * touched), each payload by its own hash (checked when it is first used).
 *
 * A reader refuses a major version or an incompat_flags bit that it does not
 * know, and ignores unknown section kinds, compat_flags and boot keys.
 * Records may grow at their end: step by section.record_size.
 */
#ifndef PEXCZ_BLOB_FORMAT_H
#define PEXCZ_BLOB_FORMAT_H

#include <assert.h>
#include <stdint.h>

typedef struct {
    uint8_t b[2];
} pexcz_le16;
typedef struct {
    uint8_t b[4];
} pexcz_le32;
typedef struct {
    uint8_t b[8];
} pexcz_le64;

static inline uint16_t
pexcz_le16_get(pexcz_le16 v)
{
    return (uint16_t)(v.b[0] | v.b[1] << 8);
}

static inline uint32_t
pexcz_le32_get(pexcz_le32 v)
{
    return (uint32_t)v.b[0] | (uint32_t)v.b[1] << 8 | (uint32_t)v.b[2] << 16
           | (uint32_t)v.b[3] << 24;
}

static inline uint64_t
pexcz_le64_get(pexcz_le64 v)
{
    return (uint64_t)v.b[0] | (uint64_t)v.b[1] << 8 | (uint64_t)v.b[2] << 16
           | (uint64_t)v.b[3] << 24 | (uint64_t)v.b[4] << 32
           | (uint64_t)v.b[5] << 40 | (uint64_t)v.b[6] << 48
           | (uint64_t)v.b[7] << 56;
}

static inline pexcz_le16
pexcz_le16_put(uint16_t v)
{
    return (pexcz_le16){{(uint8_t)v, (uint8_t)(v >> 8)}};
}

static inline pexcz_le32
pexcz_le32_put(uint32_t v)
{
    return (pexcz_le32){{(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
                         (uint8_t)(v >> 24)}};
}

static inline pexcz_le64
pexcz_le64_put(uint64_t v)
{
    return (pexcz_le64){{(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
                         (uint8_t)(v >> 24), (uint8_t)(v >> 32),
                         (uint8_t)(v >> 40), (uint8_t)(v >> 48),
                         (uint8_t)(v >> 56)}};
}

/* 0x89 and the line ends show a transfer as text, as in PNG. */
#define PEXCZ_BLOB_MAGIC "\x89PXZ\r\n\x1a\n"
#define PEXCZ_BLOB_MAGIC_SIZE 8
#define PEXCZ_BLOB_MAJOR 1
#define PEXCZ_BLOB_MINOR 0

/* Index pages and the blob's own alignment, bytes. */
#define PEXCZ_BLOB_PAGE 4096u

/* "No such record" in any le32 that names one. */
#define PEXCZ_NONE UINT32_C(0xffffffff)

/* Limits that a reader enforces and a writer keeps. */
#define PEXCZ_MAX_ENTRIES UINT32_C(0x01000000)
#define PEXCZ_MAX_NAME 255u  /* bytes of one path component */
#define PEXCZ_MAX_PATH 4000u /* bytes of a path under the root */
#define PEXCZ_MAX_DEPTH 200u /* components of a path */
#define PEXCZ_MAX_LINK 4095u /* bytes of a link's target */
#define PEXCZ_MAX_SECTIONS 32u
#define PEXCZ_MAX_PAYLOAD (UINT64_C(1) << 40)
#define PEXCZ_MAX_FRAME (UINT64_C(4) << 20) /* content in a zstd frame */

struct pexcz_blob_header_f {
    uint8_t magic[PEXCZ_BLOB_MAGIC_SIZE];
    pexcz_le16 major;
    pexcz_le16 minor;
    pexcz_le16 header_size;   /* bytes of this struct: where sections start */
    pexcz_le16 section_count; /* <= PEXCZ_MAX_SECTIONS */
    pexcz_le16 section_size;  /* bytes of one section record */
    pexcz_le16 machine;       /* ELF e_machine of the code in it, 0 = any */
    pexcz_le16 python_major;  /* 0.0: no Python bytecode in it */
    pexcz_le16 python_minor;
    pexcz_le32 python_magic;   /* importlib's magic number, 0 if no bytecode */
    pexcz_le32 incompat_flags; /* no bit defined in 1.0 */
    pexcz_le32 compat_flags;   /* no bit defined in 1.0 */
    pexcz_le32 page_count;     /* pages of the index */
    pexcz_le64 total_size;     /* bytes of the whole blob */
    pexcz_le64 index_offset;   /* multiple of PEXCZ_BLOB_PAGE */
    pexcz_le64 sums_offset;    /* page_count le64 values */
    pexcz_le64 hash;           /* XXH3-64 of header and section table with
                                  this field zero, then of the page sums */
    uint8_t id[16];            /* XXH3-128 (canonical) of the page sums: names
                                  the content */
    uint8_t reserved[40];      /* zero */
};
static_assert(sizeof(struct pexcz_blob_header_f) == 128, "header size");

enum pexcz_section_kind {
    PEXCZ_SECTION_ENTRIES = 1,      /* struct pexcz_entry_f; [0] is the root */
    PEXCZ_SECTION_PATH_HASH = 2,    /* struct pexcz_slot_f, a power of two */
    PEXCZ_SECTION_MODULES = 3,      /* struct pexcz_module_f */
    PEXCZ_SECTION_MODULE_HASH = 4,  /* struct pexcz_slot_f, a power of two */
    PEXCZ_SECTION_PAYLOADS = 5,     /* struct pexcz_payload_f */
    PEXCZ_SECTION_STRINGS = 6,      /* bytes; names point into it */
    PEXCZ_SECTION_BOOT = 7,         /* struct pexcz_boot_f + bytes, repeated */
    PEXCZ_SECTION_DICT = 8,         /* zstd dictionary */
    PEXCZ_SECTION_PAYLOAD_DATA = 9, /* not in the index */
    PEXCZ_SECTION_LIBRARIES = 10,   /* struct pexcz_library_f, by entry */
    PEXCZ_SECTION_NEEDS = 11,       /* struct pexcz_need_f */
    PEXCZ_SECTION_COPIES = 12,      /* struct pexcz_copy_f, by hash */
};

struct pexcz_section_f {
    pexcz_le32 kind;        /* enum pexcz_section_kind; each at most once */
    pexcz_le32 record_size; /* bytes of one record; 1 for byte sections */
    pexcz_le64 offset;      /* multiple of 64 */
    pexcz_le64 size;        /* bytes; a multiple of record_size */
};
static_assert(sizeof(struct pexcz_section_f) == 24, "section size");

enum pexcz_entry_kind {
    PEXCZ_KIND_DIR = 1,
    PEXCZ_KIND_FILE = 2,
    PEXCZ_KIND_SYMLINK = 3, /* the payload is the target: 1..PEXCZ_MAX_LINK
                               bytes, no NUL */
    PEXCZ_KIND_SELF = 4, /* a file whose content is the running executable */
};

/*
 * One file or directory.  The children of a directory are consecutive and in
 * byte order of their names; a parent comes before its children.
 */
struct pexcz_entry_f {
    pexcz_le64 path_hash;   /* XXH3-64 of the full path, no leading slash */
    pexcz_le32 parent;      /* entry; the root names itself */
    pexcz_le32 name_offset; /* in STRINGS */
    pexcz_le16 name_size;   /* 1..PEXCZ_MAX_NAME; 0 for the root */
    uint8_t kind;           /* enum pexcz_entry_kind */
    uint8_t flags;          /* no bit defined in 1.0 */
    pexcz_le16 mode;        /* permission bits, 07777 */
    pexcz_le16 reserved0;   /* zero */
    pexcz_le32 first_child; /* directory: entry, PEXCZ_NONE when empty */
    pexcz_le32 child_count; /* directory; else 0 */
    pexcz_le32 payload;     /* file, symlink: payload; else PEXCZ_NONE */
    pexcz_le32 mtime_nsec;  /* 0..999999999 */
    pexcz_le64 mtime;       /* seconds since 1970, signed */
    pexcz_le64 size;        /* bytes of the content */
    pexcz_le64 reserved1;   /* zero */
};
static_assert(sizeof(struct pexcz_entry_f) == 64, "entry size");

enum pexcz_module_kind {
    PEXCZ_MODULE_SOURCE = 1,    /* .py, bytecode beside it */
    PEXCZ_MODULE_EXTENSION = 2, /* shared object */
    PEXCZ_MODULE_BYTECODE = 3,  /* .pyc without source */
};

#define PEXCZ_MODULE_PACKAGE 0x01u /* the entry is DIR/__init__.* */

/*
 * One importable module, keyed by its stem: the path that an import appends
 * to a search path entry, "lib/python3.11/site-packages/click/core".  So one
 * look-up serves every sys.path entry and __path__ below the root.  Where a
 * directory has several files for one stem, the record is the one that
 * importlib's FileFinder takes: package, extension, source, bytecode.
 */
struct pexcz_module_f {
    pexcz_le64 stem_hash;   /* XXH3-64 of the stem */
    pexcz_le32 entry;       /* the file */
    pexcz_le32 code;        /* payload: marshalled code object without .pyc
                               header; PEXCZ_NONE if there is none */
    uint8_t kind;           /* enum pexcz_module_kind */
    uint8_t flags;          /* PEXCZ_MODULE_PACKAGE */
    pexcz_le16 suffix_size; /* bytes to cut from the entry's path to get the
                               stem; with PACKAGE: "/__init__.py" as a whole */
    pexcz_le32 reserved0;   /* zero */
    pexcz_le64 reserved1;   /* zero */
};
static_assert(sizeof(struct pexcz_module_f) == 32, "module size");

/*
 * One slot of an open-addressing hash table with linear probing: start at
 * (hash & (slots - 1)), step 1, stop at an empty slot.  At least half of the
 * slots are empty.
 */
struct pexcz_slot_f {
    pexcz_le32 hash_high; /* upper 32 bits of the key's hash */
    pexcz_le32 record;    /* record + 1; 0: empty */
};
static_assert(sizeof(struct pexcz_slot_f) == 8, "slot size");

enum pexcz_storage {
    PEXCZ_STORAGE_RAW = 0,
    PEXCZ_STORAGE_ZSTD = 1,      /* zstd frames, each of which states its
                                    size, PEXCZ_MAX_FRAME at most */
    PEXCZ_STORAGE_ZSTD_DICT = 2, /* the same, with the blob's DICT */
};

struct pexcz_payload_f {
    pexcz_le64 offset;      /* in the blob */
    pexcz_le64 stored_size; /* bytes there; == size when RAW */
    pexcz_le64 size;        /* bytes of the content */
    pexcz_le64 hash;        /* XXH3-64 of the stored bytes */
    uint8_t storage;        /* enum pexcz_storage */
    uint8_t align_log2;     /* 12 for programs, 3 at least */
    pexcz_le16 reserved0;   /* zero */
    pexcz_le32 reserved1;   /* zero */
};
static_assert(sizeof(struct pexcz_payload_f) == 40, "payload size");

/*
 * A shared object of the tree, and what ld.so must find when it is opened:
 * worked out by the packer, so that nobody reads an ELF file at start.
 *
 * Objects of one group find each other by their places ($ORIGIN): they are
 * put into real files below one directory, named after the group.
 */
struct pexcz_library_f {
    pexcz_le32 entry;       /* the file; records are in this order */
    pexcz_le32 first_need;  /* in NEEDS */
    pexcz_le32 need_count;  /* runs follow one another without gaps */
    pexcz_le32 name_offset; /* DT_SONAME, in STRINGS */
    pexcz_le16 name_size;   /* 0: it has none */
    pexcz_le16 reserved0;   /* zero */
    pexcz_le32 reserved1;   /* zero */
    uint8_t group[16];      /* XXH3-128 (canonical) over the group's paths and
                               contents */
    pexcz_le64 hash;        /* XXH3-64 of the content */
};
static_assert(sizeof(struct pexcz_library_f) == 48, "library size");

enum pexcz_need_kind {
    PEXCZ_NEED_LIBRARY = 1, /* loaded with it: DT_NEEDED, transitively, in
                               the order in which ld.so maps them */
    PEXCZ_NEED_FOLDER = 2,  /* directory of its run path: searched when the
                               object itself opens a library by name */
};

struct pexcz_need_f {
    pexcz_le32 entry;       /* a file with a library record; a directory */
    pexcz_le32 name_offset; /* LIBRARY: the name by which it is asked for, in
                               STRINGS, where that is not its DT_SONAME */
    pexcz_le16 name_size;   /* 0: its DT_SONAME */
    uint8_t kind;           /* enum pexcz_need_kind */
    uint8_t reserved0;      /* zero */
    pexcz_le32 reserved1;   /* zero */
};
static_assert(sizeof(struct pexcz_need_f) == 16, "need size");

/*
 * The content of a compressed payload of another layer of the tree once more,
 * uncompressed: bytecode of the standard library that the application imports
 * on the way to its entry point.  No two records have the same hash.
 */
struct pexcz_copy_f {
    pexcz_le64 hash;      /* of the stored bytes there: pexcz_payload_f.hash */
    pexcz_le32 payload;   /* of this blob, RAW */
    pexcz_le32 reserved0; /* zero */
};
static_assert(sizeof(struct pexcz_copy_f) == 16, "copy size");

/*
 * Boot settings: what the runtime does with the tree.  Each record is this
 * header and `size` bytes of value (UTF-8 unless said), padded with zeros to
 * a multiple of 4.  Order counts for keys that may repeat.
 */
enum pexcz_boot_key {
    PEXCZ_BOOT_NAME = 1,         /* for messages: the project or file name */
    PEXCZ_BOOT_ENTRY_MODULE = 2, /* run as `python -m`, or with ATTR call */
    PEXCZ_BOOT_ENTRY_ATTR = 3,   /* dotted attribute of ENTRY_MODULE */
    PEXCZ_BOOT_ENTRY_SCRIPT = 4, /* path under the root, run as a script */
    PEXCZ_BOOT_SEARCH_PATH = 5,  /* repeats: sys.path entry under the root */
    PEXCZ_BOOT_STARTUP_LINE = 6, /* repeats: `import …` line of a .pth file */
    PEXCZ_BOOT_INJECT_ARG = 7,   /* repeats: inserted at argv[1] */
    PEXCZ_BOOT_INJECT_ENV = 8,   /* repeats: NAME=value, if NAME is unset */
    PEXCZ_BOOT_PYTHON_OPTION = 9, /* repeats: interpreter option, "-Wignore" */
    PEXCZ_BOOT_STRIP_PEX_ENV = 10, /* "1": drop PEX_* before user code */
    PEXCZ_BOOT_BIND_RESOURCE
    = 11,                         /* repeats: NAME=path relative to sys.path */
    PEXCZ_BOOT_INHERIT_PATH = 12, /* "prefer", "fallback", "python" */
    PEXCZ_BOOT_PEX_INFO = 13,     /* PEX-INFO as packed, JSON */
    PEXCZ_BOOT_OPTION = 14,       /* repeats: NAME=value, options of pack */
    PEXCZ_BOOT_SCRIPT_NAME = 15,  /* argv[0] of a console script */
    PEXCZ_BOOT_BIN_PATH = 16,     /* "prepend" or "append": bin/ on PATH */
    PEXCZ_BOOT_COMMAND = 17,      /* repeats: NAME=mod:attr, one of several */
    PEXCZ_BOOT_FILES = 18,        /* repeats: path that is to be real */
};

struct pexcz_boot_f {
    pexcz_le32 key;
    pexcz_le32 size;
};
static_assert(sizeof(struct pexcz_boot_f) == 8, "boot size");

#endif
