/* SPDX-License-Identifier: Apache-2.0 */
#include "library_crash.h"

#include "library_cpu.h"
#include "library_direct.h"
#include "library_state.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

/* The one whose code runs, else the one that was loaded last; what others
 * loaded for their own sake. */
static const struct pexcz_snapshot_library *
to_blame(uint64_t address)
{
    size_t count;
    const struct pexcz_snapshot_library *all = pexcz_libraries(&count);
    const struct pexcz_snapshot_library *l
        = pexcz_library_of((const void *)(uintptr_t)address);

    if (l == NULL && count != 0) {
        l = &all[count - 1];
    }
    return l != NULL && l->root < count ? &all[l->root] : NULL;
}

static void
crash(int number, siginfo_t *info, void *context)
{
    ucontext_t *c = context;
    uint64_t address = (uint64_t)c->uc_mcontext.gregs[REG_RIP];
    const struct pexcz_snapshot_library *l = to_blame(address);
    char text[512 + PEXCZ_SNAPSHOT_PATH];
    int n;

    (void)info;
    if (number == SIGTRAP && pexcz_cpu_answer(c)) {
        return;
    }
    if (l == NULL) {
        (void)signal(number, SIG_DFL);
        (void)raise(number);
        return;
    }
    n = snprintf(text, sizeof(text),
                 "\nthe shared object %s ends the imports by signal %d\n",
                 l->path, number);
    (void)!write(STDERR_FILENO, text, (size_t)n);
    _exit(1);
}

void
pexcz_library_crash_begin(void)
{
    static const int signals[]
        = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP};
    static char stack[1 << 16];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};

    action.sa_sigaction = crash;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaltstack(&alternate, NULL);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        (void)sigaction(signals[i], &action, NULL);
    }
}
