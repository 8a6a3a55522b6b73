/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where things lie in a packed executable's address space.
 *
 * The executable is ET_EXEC, so every address is a constant of the link.  The
 * blobs are PT_LOAD segments (read-only, 4 KiB aligned) with section headers
 * of their own: the kernel maps them with the program, the runtime finds them
 * by walking the program headers (AT_PHDR) for a PT_LOAD whose p_vaddr is one
 * of the addresses below.  No file is opened, no magic searched for, and
 * strip or objcopy may move file offsets as they like.
 *
 *   0x0000400000  code and data of the base
 *   0x0010000000  stdlib blob        (section .pexcz.stdlib)
 *   0x0040000000  application blob   (section .pexcz.app)
 *   0x1000000000  heap snapshot      (section .pexcz.snapshot, writable)
 *   0x2000000000  shared objects of the snapshot, once they are in place
 *   0x5be7d8000000  the stack while a snapshot is made (library_settle.c)
 */
#ifndef PEXCZ_EXE_LAYOUT_H
#define PEXCZ_EXE_LAYOUT_H

#include <stdint.h>

#define PEXCZ_PAGE_SIZE 4096u

#define PEXCZ_ADDR_STDLIB UINT64_C(0x0010000000)
#define PEXCZ_ADDR_APP UINT64_C(0x0040000000)
#define PEXCZ_ADDR_SNAPSHOT UINT64_C(0x1000000000)
/* Behind the page of the snapshot's header. */
#define PEXCZ_ADDR_HEAP (PEXCZ_ADDR_SNAPSHOT + PEXCZ_PAGE_SIZE)
#define PEXCZ_ADDR_SNAPSHOT_END UINT64_C(0x2000000000)
#define PEXCZ_ADDR_LIBRARIES UINT64_C(0x2000000000)
#define PEXCZ_ADDR_LIBRARIES_END UINT64_C(0x3000000000)
/* That of the second of two processes lies behind it. */
#define PEXCZ_ADDR_STACK UINT64_C(0x5be7d8000000)
#define PEXCZ_STACK_SIZE (UINT64_C(64) << 20)

#define PEXCZ_SECTION_STDLIB ".pexcz.stdlib"
#define PEXCZ_SECTION_APP ".pexcz.app"
#define PEXCZ_SECTION_SNAPSHOT ".pexcz.snapshot"

/* Program headers that the base's link leaves room for (stdlib-blob/). */
#define PEXCZ_SPARE_PHDRS 8

/* The tree's mount point; never with a trailing slash.  Nobody can create a
 * directory inside procfs, so nothing can shadow it (docs/design.md). */
#define PEXCZ_PREFIX "/proc/pexcz"

#endif
