/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heap snapshot of a packed executable (section .pexcz.snapshot).
 *
 * A writable PT_LOAD segment at PEXCZ_ADDR_SNAPSHOT that the kernel maps
 * copy-on-write with the program: this header, in a page of its own; the heap,
 * which is where it was when the snapshot was made; pages of the base's own
 * .data and .bss, which are moved to their places at start; tables.  It is
 * made and read by one and the same executable, so its integers are the
 * machine's own and its addresses those of the link.
 *
 *   pages    runs of pages of .data, .bss and the libraries: {address, offset,
 *            size}
 *   env      what the imports read of the environment: NAME, 0, '=' VALUE or
 *            '-' when it was unset, 0
 *   keys     pthread keys that live in the heap or static data: {key,
 *            destructor}
 *   atfork   handlers to register again: {prepare, parent, child}
 *   libraries  shared objects of the application that lie in the image: their
 *            code is mapped from the application's blob in the same file,
 *            their data is among the pages
 *   imports  functions and variables of the system's libraries that they use,
 *            by number
 *   outside  libraries of the system that are opened at start: addresses of
 *            their names, as in an import
 *   actions  what the imports did that each process does again, in order
 *   changes  runs of words of libraries whose constructors run in each
 *            process, as they were changed after them: {address, size}, bytes
 *   words    words of their data, or of the heap, that only the process knows
 *   absent   paths of files, and names of libraries, that they looked for and
 *            did not find, each with a NUL; "~/…" is below $HOME
 *   tls      content of their thread-local data in the main thread
 *   tls_inner  offsets of its words that hold an address in it, each stored as
 *            an offset
 *   home     texts and lists that have $HOME, which is put in at start
 *
 * Behind all that, for people only (`pexcz inspect --snapshot`), is the report
 * of the packer, lines of fields with tabs between:
 *
 *   module NAME               is in the image
 *   left NAME CHAIN REASON    is not: CHAIN are the modules, with blanks
 *                             between, by which it imports the last, which
 *                             REASON is about
 *   note TEXT                 anything else that was said
 */
#ifndef PEXCZ_SNAPSHOT_FORMAT_H
#define PEXCZ_SNAPSHOT_FORMAT_H

#include <stdint.h>
#include <string.h>

#define PEXCZ_SNAPSHOT_MAGIC "PEXCZSN2"

#define PEXCZ_SNAPSHOT_CPU_FACTS 12
#define PEXCZ_SNAPSHOT_SEGMENTS 21
#define PEXCZ_SNAPSHOT_NEEDED 32
#define PEXCZ_SNAPSHOT_PATH 256

struct pexcz_snapshot_table {
    uint64_t offset; /* from the header */
    uint64_t size;   /* in bytes */
};

struct pexcz_snapshot_header {
    uint8_t magic[8];
    uint64_t sum;         /* XXH3-64 of the header behind this field */
    uint64_t pages_sum;   /* of the pages */
    uint64_t tables_sum;  /* of all behind the pages */
    uint64_t size;        /* of header, heap and tables */
    uint64_t report_size; /* of the report, which follows them */
    uint64_t report_sum;  /* XXH3-64 of it */
    uint64_t tables;      /* offset of the tables, the end of the pages */
    uint64_t heap_end;    /* address of the first byte behind the heap */
    uint8_t stdlib_id[16];
    uint8_t app_id[16];
    uint64_t thread_state; /* address of the main thread's PyThreadState */
    uint64_t anchors[6];   /* addresses that the link must agree in */
    struct pexcz_snapshot_table pages;
    struct pexcz_snapshot_table env;
    struct pexcz_snapshot_table keys;
    struct pexcz_snapshot_table atfork;
    struct pexcz_snapshot_table libraries;
    struct pexcz_snapshot_table imports;
    struct pexcz_snapshot_table words;
    struct pexcz_snapshot_table tls;
    struct pexcz_snapshot_table tls_inner;
    struct pexcz_snapshot_table absent;
    struct pexcz_snapshot_table outside;
    struct pexcz_snapshot_table actions;
    struct pexcz_snapshot_table changes;
    struct pexcz_snapshot_table home;
    uint64_t kernel_is_read; /* snapshot_kernel.h: 0 or 1 */
    uint64_t needs_cwd; /* 1: the modules keep the working directory's path */
    uint64_t home_is_read;     /* 1: $HOME must be one that can be put in */
    uint64_t encoding_is_read; /* 1: the locale must be one of UTF-8 */
    uint64_t libraries_end;    /* address behind the last library */
    uint32_t glibc_minor;      /* the libraries need glibc 2.N */
    uint32_t cpu_count;        /* numbers of `cpu` that must be the same */
    uint32_t cpu[PEXCZ_SNAPSHOT_CPU_FACTS]; /* library_cpu.c */
};

struct pexcz_snapshot_page_run {
    uint64_t address; /* all three are multiples of the page size */
    uint64_t offset;  /* from the header */
    uint64_t size;
};

/* One run of `changes`; `size` bytes follow. */
struct pexcz_snapshot_run {
    uint64_t address;
    uint64_t size; /* a multiple of 8 */
};

struct pexcz_snapshot_key {
    uint64_t number;
    uint64_t destructor;
};

struct pexcz_snapshot_atfork {
    uint64_t prepare;
    uint64_t parent;
    uint64_t child;
};

enum pexcz_snapshot_home_kind {
    PEXCZ_HOME_TEXT = 1, /* str: the home is at offset `place` of its text */
    PEXCZ_HOME_ITEM,     /* list: item `place` becomes the home's components */
};

struct pexcz_snapshot_home {
    uint64_t kind;
    uint64_t address;
    uint64_t place;
};

/* Addresses and sizes are whole pages. */
struct pexcz_snapshot_segment {
    uint64_t start;
    uint64_t size;
    uint64_t offset; /* in the executable; writable ones: not used */
    uint64_t flags;  /* PF_R, PF_W, PF_X */
};

struct pexcz_snapshot_library {
    uint64_t base;  /* of its addresses */
    uint64_t size;  /* of its address space */
    uint64_t relro; /* address: read-only once it is relocated */
    uint64_t relro_size;
    uint64_t phdrs; /* address */
    uint64_t phdr_count;
    uint64_t symbols; /* address */
    uint64_t symbol_count;
    uint64_t strings; /* address */
    uint64_t strings_size;
    uint64_t tls; /* offset in the base's reserve */
    uint64_t tls_size;
    uint64_t tls_block;  /* 0, or the address of the main thread's data, which
                            is not in the reserve then */
    uint64_t noticeable; /* its objects' end may be: 0 or 1 */
    uint64_t prints;     /* their end may print: 0 or 1 */
    uint64_t remade;     /* its constructors run in each process: 0 or 1 */
    uint64_t init;       /* address of DT_INIT, 0: none */
    uint64_t init_array; /* address */
    uint64_t init_count;
    uint64_t root; /* number of the one that it was loaded for */
    uint64_t needed_count;
    uint16_t needed[PEXCZ_SNAPSHOT_NEEDED]; /* libraries, by number */
    uint64_t segment_count;
    struct pexcz_snapshot_segment segments[PEXCZ_SNAPSHOT_SEGMENTS];
    char path[PEXCZ_SNAPSHOT_PATH]; /* with the prefix, NUL-terminated */
};

/* Addresses of NUL-terminated strings in the application's blob. */
struct pexcz_snapshot_import {
    uint64_t name;
    uint64_t version; /* 0: any */
    uint64_t library; /* 0: of those that every process has */
};

enum pexcz_snapshot_action_kind {
    PEXCZ_ACTION_CONSTRUCT = 1, /* constructors of library `function` */
    PEXCZ_ACTION_EXIT,          /* __cxa_atexit(function, argument, object) */
    PEXCZ_ACTION_FORK,          /* __register_atfork(the three, object) */
    PEXCZ_ACTION_INIT_STREAMS,  /* std::ios_base::Init::Init(argument) */
    PEXCZ_ACTION_SETENV,        /* the variable with its name at `function` is
                                   set to the text in `argument` and `child` */
    PEXCZ_ACTION_UNSETENV,
    PEXCZ_ACTION_STREAMS, /* import `function` is std::ios_base::Init::Init():
                             before all that call it */
};

struct pexcz_snapshot_action {
    uint64_t kind;
    uint64_t function;
    uint64_t argument;
    uint64_t child;
    uint64_t object; /* address in the library that asks */
};

enum pexcz_snapshot_word_kind {
    PEXCZ_WORD_IMPORT = 1, /* the import's address, plus the addend */
    PEXCZ_WORD_ARGC,       /* main()'s arguments, as constructors get them */
    PEXCZ_WORD_ARGV,
    PEXCZ_WORD_ENVIRON,
    PEXCZ_WORD_THREAD,     /* the main thread's number */
    PEXCZ_WORD_REQUIRED,   /* no word: the import must be there */
    PEXCZ_WORD_TLS_MODULE, /* number of the import's library */
    PEXCZ_WORD_TLS_OFFSET, /* of the import in it, plus the addend */
    PEXCZ_WORD_C_LOCALE,   /* newlocale(LC_ALL_MASK, "C", 0) */
};

struct pexcz_snapshot_word {
    uint64_t kind;
    uint64_t address;
    uint64_t import;
    uint64_t addend;
};

/* That of all processes of the file with this `app_id`: $PYTHONHASHSEED may
 * name it.  Never 0, which would be no seed at all. */
static inline uint32_t
pexcz_snapshot_hash_seed(const uint8_t app_id[16])
{
    uint32_t seed;

    memcpy(&seed, app_id, sizeof(seed));
    return seed | 1;
}

#endif
