/* SPDX-License-Identifier: Apache-2.0 */
#include "library_cpu.h"

#include "exe_layout.h"
#include "x86_length.h"

#include <cpuid.h>
#include <elf.h>
#include <sys/mman.h>

#define OSXSAVE (1u << 27)

void
pexcz_cpu_facts(uint32_t ret[PEXCZ_SNAPSHOT_CPU_FACTS])
{
    uint32_t a;
    uint32_t b;
    uint32_t c;
    uint32_t d;

    memset(ret, 0, PEXCZ_SNAPSHOT_CPU_FACTS * sizeof(*ret));
    if (__get_cpuid(1, &a, &b, &c, &d) != 0) {
        ret[0] = a;
        ret[1] = c;
        ret[2] = d;
    }
    if ((ret[1] & OSXSAVE) != 0) {
        __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
        ret[3] = a;
    }
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) != 0) {
        ret[4] = b;
        ret[5] = c;
        ret[6] = d;
        if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0) {
            ret[7] = a;
        }
    }
    if (__get_cpuid(0x80000001, &a, &b, &c, &d) != 0) {
        ret[8] = c;
        ret[9] = d;
    }
}

/* --- instructions that ask ------------------------------------------------
 */

#define MAX_QUESTIONS 4096

static const uint8_t cpuid[] = {0x0f, 0xa2};
static const uint8_t xgetbv[] = {0x0f, 0x01, 0xd0};
#define TRAP 0xcc /* INT3 */

static struct {
    uint64_t questions[MAX_QUESTIONS]; /* where they are, CPUID or ... */
    bool is_xgetbv[MAX_QUESTIONS];     /* ... this one */
    size_t count;
    bool asked;
    bool trial;
} watched;

struct function {
    uint64_t start;
    uint64_t end;
};

/* Of PT_GNU_EH_FRAME, as all linkers write it: a table, sorted by address,
 * relative to the segment, of functions and their entries in .eh_frame. */
struct eh_frame_table {
    uint8_t version;
    uint8_t encodings[3];
    int32_t eh_frame;
    uint32_t count;
    struct {
        int32_t function;
        int32_t entry;
    } rows[];
};

struct eh_frame_entry {
    uint32_t size;
    uint32_t common;
    int32_t function; /* relative to itself, or `find_function` misses it */
    uint32_t function_size;
};

static const struct eh_frame_table *
find_table(const struct pexcz_snapshot_library *library)
{
    static const uint8_t encodings[] = {0x1b, 0x03, 0x3b};
    const Elf64_Phdr *ph = (const Elf64_Phdr *)(uintptr_t)library->phdrs;

    for (uint64_t i = 0; i < library->phdr_count; i++) {
        const struct eh_frame_table *table
            = (const void *)(uintptr_t)(library->base + ph[i].p_vaddr);

        if (ph[i].p_type == PT_GNU_EH_FRAME && ph[i].p_vaddr % 4 == 0
            && ph[i].p_vaddr < library->size
            && ph[i].p_memsz <= library->size - ph[i].p_vaddr
            && ph[i].p_memsz >= sizeof(*table)) {
            size_t room = (size_t)(ph[i].p_memsz - sizeof(*table))
                          / sizeof(table->rows[0]);

            return table->version == 1 && table->count <= room
                           && memcmp(table->encodings, encodings,
                                     sizeof(encodings))
                                  == 0
                       ? table
                       : NULL;
        }
    }
    return NULL;
}

/* The function that `address` is in, as the unwinder knows it. */
static bool
find_function(const struct pexcz_snapshot_library *library, uint64_t address,
              struct function *ret)
{
    const struct eh_frame_table *table = find_table(library);
    const struct eh_frame_entry *entry;
    uint64_t at;
    size_t low = 0;
    size_t high = table != NULL ? table->count : 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if ((uintptr_t)table + (uint64_t)(int64_t)table->rows[middle].function
            <= address) {
            low = middle + 1;
        }
        else {
            high = middle;
        }
    }
    if (low == 0) {
        return false;
    }
    ret->start
        = (uintptr_t)table + (uint64_t)(int64_t)table->rows[low - 1].function;
    at = (uintptr_t)table + (uint64_t)(int64_t)table->rows[low - 1].entry;
    if (at < library->base || at % 4 != 0
        || at - library->base > library->size - sizeof(*entry)) {
        return false;
    }
    entry = (const void *)(uintptr_t)at;
    ret->end = ret->start + entry->function_size;
    return (uintptr_t)&entry->function + (uint64_t)(int64_t)entry->function
               == ret->start
           && address < ret->end;
}

enum kind {
    KIND_INSTRUCTION,
    KIND_PART, /* of another one: an address, an operand */
    KIND_UNKNOWN,
};

/* What the bytes at `address` are; the code is that of a segment. */
static enum kind
kind_of(const struct pexcz_snapshot_library *library,
        const struct pexcz_snapshot_segment *segment, uint64_t address)
{
    enum kind kind = KIND_UNKNOWN;
    struct function f;

    if (!find_function(library, address, &f) || f.start < segment->start
        || f.end > segment->start + segment->size) {
        return KIND_UNKNOWN;
    }
    for (uint64_t at = f.start; at < f.end;) {
        size_t opcode = 0;
        size_t n
            = pexcz_x86_length(pexcz_slice_make((const void *)(uintptr_t)at,
                                                (size_t)(f.end - at)),
                               &opcode);

        if (n == 0 || (at != address && at + opcode == address)) {
            return KIND_UNKNOWN; /* or one with prefixes */
        }
        if (at <= address && address < at + n) {
            kind = at == address ? KIND_INSTRUCTION : KIND_PART;
        }
        at += n;
    }
    return kind;
}

static bool
replace(uint64_t address)
{
    uint64_t page = address & ~(uint64_t)(PEXCZ_PAGE_SIZE - 1);
    void *start = (void *)(uintptr_t)page;

    if (watched.count == MAX_QUESTIONS
        || mprotect(start, PEXCZ_PAGE_SIZE, PROT_READ | PROT_WRITE) != 0) {
        return false;
    }
    *(uint8_t *)(uintptr_t)address = TRAP;
    return mprotect(start, PEXCZ_PAGE_SIZE, PROT_READ | PROT_EXEC) == 0;
}

static void
look_for(const struct pexcz_snapshot_library *library,
         const struct pexcz_snapshot_segment *segment,
         struct pexcz_slice bytes)
{
    const uint8_t *at = (const uint8_t *)(uintptr_t)segment->start;
    const uint8_t *end = at + segment->size;

    while ((at = memmem(at, (size_t)(end - at), bytes.ptr, bytes.len))
           != NULL) {
        enum kind kind = kind_of(library, segment, (uintptr_t)at);

        if (kind == KIND_UNKNOWN
            || (kind == KIND_INSTRUCTION && !replace((uintptr_t)at))) {
            watched.asked = true;
        }
        else if (kind == KIND_INSTRUCTION) {
            watched.is_xgetbv[watched.count] = bytes.ptr == xgetbv;
            watched.questions[watched.count++] = (uintptr_t)at;
        }
        at += bytes.len;
    }
}

void
pexcz_cpu_watch(const struct pexcz_snapshot_library *library)
{
    for (size_t i = 0; i < library->segment_count; i++) {
        const struct pexcz_snapshot_segment *s = &library->segments[i];

        if ((s->flags & PF_X) != 0) {
            look_for(library, s, pexcz_slice_make(cpuid, sizeof(cpuid)));
            look_for(library, s, pexcz_slice_make(xgetbv, sizeof(xgetbv)));
        }
    }
}

bool
pexcz_cpu_answer(ucontext_t *context)
{
    greg_t *r = context->uc_mcontext.gregs;
    size_t i = 0;
    uint32_t a = (uint32_t)r[REG_RAX];
    uint32_t b = 0;
    uint32_t c = (uint32_t)r[REG_RCX];
    uint32_t d = 0;

    /* Behind the trap. */
    while (i < watched.count
           && watched.questions[i] + 1 != (uint64_t)r[REG_RIP]) {
        i++;
    }
    if (i == watched.count) {
        return false;
    }
    if (watched.is_xgetbv[i]) {
        __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(c));
        r[REG_RIP] += (greg_t)sizeof(xgetbv) - 1;
    }
    else {
        __cpuid_count(a, c, a, b, c, d);
        r[REG_RIP] += (greg_t)sizeof(cpuid) - 1;
        r[REG_RBX] = b;
        r[REG_RCX] = c;
    }
    r[REG_RAX] = a;
    r[REG_RDX] = d;
    watched.asked = watched.asked || !watched.trial;
    return true;
}

bool
pexcz_cpu_was_asked(void)
{
    return watched.asked;
}

void
pexcz_cpu_trial(bool trial)
{
    watched.trial = trial;
}
