/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_rehearsal_calls.h"

#include "exe_layout.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

#define ARGUMENTS 6
#define INSTRUCTIONS 5 /* of the filter, for one of the calls */

/* What writes to memory that may be an object's, and which arguments say where
 * and how much.  Structures are on the stack. */
static const struct writer {
    unsigned int number;
    unsigned int buffer;
    unsigned int count;
    unsigned int unit; /* bytes */
} writers[] = {
    {SYS_read, 1, 2, 1},
    {SYS_pread64, 1, 2, 1},
    {SYS_recvfrom, 1, 2, 1},
    {SYS_getrandom, 0, 1, 1},
    {SYS_getdents64, 1, 2, 1},
    {SYS_getcwd, 0, 1, 1},
    {SYS_readlink, 1, 2, 1},
    {SYS_readlinkat, 2, 3, 1},
    {SYS_poll, 0, 1, sizeof(struct pollfd)},
    {SYS_epoll_wait, 1, 2, sizeof(struct epoll_event)},
};

#define WRITERS (sizeof(writers) / sizeof(writers[0]))

static struct pexcz_rehearsal_pages pages;

/* The call `number` with six arguments; -errno when it fails.  The filter lets
 * calls from here through. */
int64_t pexcz_rehearsal_call(uint64_t number, const uint64_t *arguments)
    __attribute__((visibility("hidden")));
extern const char pexcz_rehearsal_called[]
    __attribute__((visibility("hidden")));

__asm__(".pushsection .text.pexcz_rehearsal_call,\"ax\",@progbits\n"
        ".globl pexcz_rehearsal_call\n"
        ".type pexcz_rehearsal_call, @function\n"
        "pexcz_rehearsal_call:\n"
        "    mov %rdi, %rax\n"
        "    mov %rsi, %r11\n"
        "    mov (%r11), %rdi\n"
        "    mov 8(%r11), %rsi\n"
        "    mov 16(%r11), %rdx\n"
        "    mov 24(%r11), %r10\n"
        "    mov 32(%r11), %r8\n"
        "    mov 40(%r11), %r9\n"
        "    syscall\n"
        ".globl pexcz_rehearsal_called\n"
        "pexcz_rehearsal_called:\n"
        "    ret\n"
        ".size pexcz_rehearsal_call, . - pexcz_rehearsal_call\n"
        ".popsection\n");

/* Instead of the call. */
static void
on_call(int number, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const uint64_t arguments[ARGUMENTS] = {
        (uint64_t)registers[REG_RDI], (uint64_t)registers[REG_RSI],
        (uint64_t)registers[REG_RDX], (uint64_t)registers[REG_R10],
        (uint64_t)registers[REG_R8],  (uint64_t)registers[REG_R9],
    };
    const struct writer *w = writers;
    uint64_t start, size, written;
    int64_t result;

    (void)number;
    while (w->number != (unsigned int)info->si_syscall) {
        w++; /* the filter has these only */
    }
    start = arguments[w->buffer];
    if (__builtin_mul_overflow(arguments[w->count], w->unit, &size)) {
        size = UINT64_MAX;
    }
    pages.open(start, size);
    result = pexcz_rehearsal_call(w->number, arguments);
    written = result > 0 ? (uint64_t)result * w->unit : 0;
    pages.close(start, size, written < size ? written : size);
    registers[REG_RAX] = result;
}

static uint32_t
high(uint64_t value)
{
    return (uint32_t)(value >> 32);
}

#define LOAD(field, half)                                                     \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS,                                        \
             (uint32_t)offsetof(struct seccomp_data, field) + (half))
#define SKIP_UNLESS(value, count)                                             \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), 0, (count))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))

/* Traps the calls with a buffer in the heap.  Programs that the application
 * starts have the filter, too, but nothing at such addresses. */
void
pexcz_rehearsal_calls_watch(struct pexcz_rehearsal_pages of)
{
    const uint64_t own = (uint64_t)(uintptr_t)pexcz_rehearsal_called;
    struct sigaction action
        = {.sa_sigaction = on_call, .sa_flags = SA_SIGINFO | SA_NODEFER};
    const struct sock_filter head[] = {
        LOAD(arch, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
        RETURN(SECCOMP_RET_ALLOW),
        LOAD(instruction_pointer, 4),
        SKIP_UNLESS(high(own), 3),
        LOAD(instruction_pointer, 0),
        SKIP_UNLESS(own, 1),
        RETURN(SECCOMP_RET_ALLOW),
    };
    struct sock_filter
        filter[sizeof(head) / sizeof(head[0]) + 1 + WRITERS * INSTRUCTIONS];
    struct sock_fprog program = {.filter = filter};
    unsigned short n = 0;

    for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++) {
        filter[n++] = head[i];
    }
    for (size_t i = 0; i < WRITERS; i++) {
        const struct writer *w = &writers[i];

        filter[n++] = (struct sock_filter)LOAD(nr, 0);
        filter[n++]
            = (struct sock_filter)SKIP_UNLESS(w->number, INSTRUCTIONS - 2);
        filter[n++] = (struct sock_filter)LOAD(args[0], 8 * w->buffer + 4);
        filter[n++]
            = (struct sock_filter)SKIP_UNLESS(high(PEXCZ_ADDR_HEAP), 1);
        filter[n++] = (struct sock_filter)RETURN(SECCOMP_RET_TRAP);
    }
    filter[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
    program.len = n;
    pages = of;
    if (sigaction(SIGSYS, &action, NULL) == 0
        && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
        (void)prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
    }
}
