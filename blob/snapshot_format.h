/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heap snapshot of a packed executable (section .pexcz.snapshot).
 *
 * A writable PT_LOAD segment at PEXCZ_ADDR_SNAPSHOT that the kernel maps
 * copy-on-write with the program: this header, in a page of its own, then
 * pages of memory, then tables.  At start the pages are moved to where they
 * were when the snapshot was made.  It is made and read by one and the same
 * executable, so its integers are the machine's own and its addresses those
 * of the link.
 *
 *   pages    runs of pages: {address, offset, size}; of the heap, and of the
 *            base's own .data and .bss
 *   kept     addresses of words in these pages that keep the value of the
 *            process: ld.so or a constructor has set them
 *   delta    runs of words that changed in .data and .bss outside of whole
 *            pages: {address, size}, bytes
 *   env      what the imports read of the environment: NAME, 0, '=' VALUE or
 *            '-' when it was unset, 0
 *   keys     pthread keys that live in the heap or the delta: {key,
 *            destructor}
 *   atfork   handlers to register again: {prepare, parent, child}
 */
#ifndef PEXCZ_SNAPSHOT_FORMAT_H
#define PEXCZ_SNAPSHOT_FORMAT_H

#include <stdint.h>

#define PEXCZ_SNAPSHOT_MAGIC "PEXCZSN1"

struct pexcz_snapshot_table {
    uint64_t offset; /* from the header */
    uint64_t size;   /* of header, pages and tables */
    uint64_t tables; /* offset of the tables, the end of the pages */
};

struct pexcz_snapshot_header {
    uint8_t magic[8];
    uint64_t sum;        /* XXH3-64 of the header behind this field */
    uint64_t pages_sum;  /* of the pages */
    uint64_t tables_sum; /* of all behind the pages */
    uint64_t size;       /* of header, heap and tables */
    uint64_t tables;     /* offset of the tables, the end of the pages */
    uint64_t heap_end;   /* address of the first byte behind the heap */
    uint8_t stdlib_id[16];
    uint8_t app_id[16];
    uint64_t thread_state; /* address of the main thread's PyThreadState */
    uint64_t anchors[8];   /* addresses that the link must agree in */
    struct pexcz_snapshot_table pages;
    struct pexcz_snapshot_table kept;
    struct pexcz_snapshot_table delta;
    struct pexcz_snapshot_table env;
    struct pexcz_snapshot_table keys;
    struct pexcz_snapshot_table atfork;
};

struct pexcz_snapshot_page_run {
    uint64_t address; /* all three are multiples of the page size */
    uint64_t offset;  /* from the header */
    uint64_t size;
};

/* One run of the delta; `size` bytes follow. */
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

#endif
