/* SPDX-License-Identifier: Apache-2.0 */
#include "library_settle.h"

#include "exe_layout.h"
#include "library_construct.h"
#include "library_state.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A number that no thread has and that is found again. */
#define NEUTRAL_NUMBER 0x5be7a3d7
#define TAG UINT64_C(0xff)
/* More than loading a library takes of the stack. */
#define DEAD_SIZE (64u << 10)

static bool making;
/*
 * What is data must not look like an address on the stack.  So the upper half
 * of PEXCZ_ADDR_STACK is no small number (the tables of dicts have none above
 * 21,845 in two bytes), and the two bytes below that are half a surrogate
 * pair.  The second process has its stack elsewhere: data that one of the two
 * takes for such an address is seen to differ.
 */
static uint64_t stack_start = PEXCZ_ADDR_STACK;
static uint64_t c_locale; /* 0: nobody has asked for it */

/* glibc's tcbhead_t: what the compiler compares at the end of functions, and
 * what longjmp()'s addresses are hidden with.  Whoever has the earlier values
 * on the stack never returns. */
static void
fix_canaries(void)
{
    const uint64_t canary = UINT64_C(0x5be7a3d15be7a300);

    __asm__ volatile("movq %0, %%fs:0x28\n\tmovq %0, %%fs:0x30"
                     :
                     : "r"(canary));
}

_Noreturn void
pexcz_library_settle_begin(bool second, void (*function)(void *),
                           void *argument)
{
    void *want;
    void *stack;

    making = true;
    stack_start = PEXCZ_ADDR_STACK + (second ? PEXCZ_STACK_SIZE : 0);
    want = (void *)(uintptr_t)stack_start;
    stack = mmap(want, PEXCZ_STACK_SIZE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
                     | MAP_FIXED_NOREPLACE,
                 -1, 0);
    if (stack == want) {
        fix_canaries();
        __asm__ volatile("movq %0, %%rsp\n\t"
                         "xorl %%ebp, %%ebp\n\t"
                         "call *%1\n\t"
                         "ud2"
                         :
                         : "a"(stack_start + PEXCZ_STACK_SIZE), "d"(function),
                           "D"(argument)
                         : "memory");
    }
    function(argument);
    __builtin_unreachable();
}

__attribute__((noinline)) void
pexcz_library_settle_stack(void)
{
    char dead[DEAD_SIZE];

    if (making) {
        explicit_bzero(dead, sizeof(dead));
    }
}

void
pexcz_library_settle_locale(locale_t locale)
{
    c_locale = (uintptr_t)locale;
}

pid_t
pexcz_library_gettid(void)
{
    return making ? NEUTRAL_NUMBER : (pid_t)syscall(SYS_gettid);
}

/* --- return addresses ---------------------------------------------------- */

#define MAX_RANGES 64

/* Code of the system's libraries. */
static struct {
    size_t count;
    struct {
        uint64_t start;
        uint64_t end;
    } ranges[MAX_RANGES];
} foreign;

static int
add_code(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    (void)arg;
    for (size_t i = 0; i < info->dlpi_phnum && foreign.count < MAX_RANGES;
         i++) {
        const Elf64_Phdr *p = &info->dlpi_phdr[i];
        uint64_t start = info->dlpi_addr + p->p_vaddr;

        /* The executable and the libraries of the image lie below. */
        if (p->p_type == PT_LOAD && (p->p_flags & PF_X) != 0
            && start > PEXCZ_ADDR_LIBRARIES_END) {
            foreign.ranges[foreign.count].start = start;
            foreign.ranges[foreign.count++].end = start + p->p_memsz;
        }
    }
    return 0;
}

/* Whether a call instruction ends at `end`: E8 and an offset, or FF /2 with an
 * operand of up to five bytes. */
static bool
is_behind_call(const uint8_t *end)
{
    if (end[-5] == 0xe8) {
        return true;
    }
    for (int n = 2; n <= 7; n++) {
        if (end[-n] == 0xff && (end[1 - n] >> 3 & 7) == 2) {
            return true;
        }
    }
    return false;
}

static bool
is_return_address(uint64_t value)
{
    for (size_t i = 0; i < foreign.count; i++) {
        if (value > foreign.ranges[i].start + 8
            && value < foreign.ranges[i].end) {
            return is_behind_call((const uint8_t *)(uintptr_t)value);
        }
    }
    return false;
}

/* --- all words ----------------------------------------------------------- */

uint64_t
pexcz_library_settled(uint64_t word)
{
    if (word - stack_start < PEXCZ_STACK_SIZE) {
        word &= TAG;
    }
    return word > PEXCZ_ADDR_LIBRARIES_END && is_return_address(word) ? 0
                                                                      : word;
}

static bool
set_later(uint64_t *word, enum pexcz_snapshot_word_kind kind)
{
    *word = 0;
    return pexcz_library_note_word(kind, (uintptr_t)word, -1, 0) == NULL;
}

static int
settle_range(uint64_t start, uint64_t end, struct pexcz_error *err)
{
    for (uint64_t at = start; at + 8 <= end; at += 8) {
        uint64_t *word = (uint64_t *)(uintptr_t)at;

        uint64_t settled = pexcz_library_settled(*word);

        if (settled != *word) { /* or each page would be written to */
            *word = settled;
        }
        if ((uint32_t)*word == NEUTRAL_NUMBER
            || *word >> 32 == NEUTRAL_NUMBER) {
            if (*word != NEUTRAL_NUMBER
                || !set_later(word, PEXCZ_WORD_THREAD)) {
                return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                                  "a shared object keeps the number of a "
                                  "thread");
            }
        }
        else if (c_locale != 0 && *word == c_locale
                 && !set_later(word, PEXCZ_WORD_C_LOCALE)) {
            return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                              "shared objects keep too many locales");
        }
    }
    return PEXCZ_OK;
}

int
pexcz_library_settle(uint64_t heap_end, struct pexcz_error *err)
{
    const struct pexcz_library_state *s = &pexcz_library_state;
    int rc = PEXCZ_OK;

    if (s->count == 0) {
        return rc;
    }
    (void)dl_iterate_phdr(add_code, NULL);
    rc = pexcz_library_construct_collect(err);
    if (rc == PEXCZ_OK) {
        rc = settle_range(PEXCZ_ADDR_HEAP, heap_end, err);
    }
    for (size_t i = 0; i < s->count; i++) {
        for (size_t k = 0; k < s->made[i].segment_count && rc == PEXCZ_OK;
             k++) {
            uint64_t start;
            uint64_t end;

            if (pexcz_library_data(&s->made[i], k, &start, &end)) {
                rc = settle_range(start, end, err);
            }
        }
    }
    return rc;
}
