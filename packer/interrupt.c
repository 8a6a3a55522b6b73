/* SPDX-License-Identifier: Apache-2.0 */
#include "interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
#define SIGNAL_COUNT (sizeof(signals) / sizeof(signals[0]))

static char temp_name[64];
static atomic_int temp_dir = -1;
static atomic_bool line_shown;

static void
handle(int number)
{
    int dir = atomic_load(&temp_dir);

    if (dir >= 0) {
        (void)unlinkat(dir, temp_name, 0);
    }
    if (atomic_load(&line_shown)) {
        ssize_t ignored = write(STDERR_FILENO, "\r\033[K", 4);

        (void)ignored;
    }
    _exit(128 + number);
}

static void
signal_set(sigset_t *set)
{
    (void)sigemptyset(set);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        (void)sigaddset(set, signals[i]);
    }
}

void
pexcz_interrupt_install(void)
{
    struct sigaction action = {.sa_handler = handle};

    signal_set(&action.sa_mask);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        struct sigaction old;

        if (sigaction(signals[i], NULL, &old) == 0
            && old.sa_handler != SIG_IGN) {
            (void)sigaction(signals[i], &action, NULL);
        }
    }
}

void
pexcz_interrupt_set_temp(int dir, const char *name)
{
    /* Never a name that belongs to another folder. */
    atomic_store(&temp_dir, -1);
    if (name != NULL && strlen(name) < sizeof(temp_name)) {
        (void)snprintf(temp_name, sizeof(temp_name), "%s", name);
        atomic_store(&temp_dir, dir);
    }
}

void
pexcz_interrupt_set_line(bool shown)
{
    atomic_store(&line_shown, shown);
}

void
pexcz_interrupt_block(void)
{
    sigset_t set;

    signal_set(&set);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

bool
pexcz_interrupt_pending(void)
{
    sigset_t set;

    if (sigpending(&set) != 0) {
        return false;
    }
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        if (sigismember(&set, signals[i]) == 1) {
            return true;
        }
    }
    return false;
}

void
pexcz_interrupt_unblock(void)
{
    sigset_t set;

    signal_set(&set);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
