/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include "interrupt.h"
#include "utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define INTERVAL_NS INT64_C(100000000)
#define BAR 24
/* Narrower terminals get the step's name alone. */
#define BAR_COLUMNS 70

static int64_t
now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int
columns(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0
               ? size.ws_col
               : 80;
}

void
pexcz_format_size(uint64_t bytes, char ret[16])
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes / 1000;
    size_t unit = 0;

    if (bytes < 1000) {
        (void)snprintf(ret, 16, "%" PRIu64 " B", bytes);
        return;
    }
    while (value >= 999.95 && unit < 5) {
        value /= 1000;
        unit++;
    }
    (void)snprintf(ret, 16, "%.1f %s", value, units[unit]);
}

void
pexcz_progress_init(struct pexcz_progress *p, int verbosity)
{
    const char *term = getenv("TERM");

    *p = (struct pexcz_progress){
        .verbosity = verbosity,
        .live = verbosity >= 0 && isatty(STDERR_FILENO) != 0 && term != NULL
                && strcmp(term, "dumb") != 0,
    };
}

void
pexcz_progress_step(struct pexcz_progress *p, const char *step,
                    enum pexcz_unit unit)
{
    p->step = step;
    p->unit = unit;
    p->shown_at = 0;
    pexcz_progress_update(p, 0, 0);
}

static void
draw(const struct pexcz_progress *p, uint64_t done, uint64_t total)
{
    char bar[BAR + 1];
    char a[32];
    char b[32];
    size_t filled = (size_t)((double)done / (double)total * BAR);

    filled = filled > BAR ? BAR : filled;
    memset(bar, '-', BAR);
    memset(bar, '#', filled);
    bar[BAR] = '\0';
    if (p->unit == PEXCZ_UNIT_BYTES) {
        pexcz_format_size(done, a);
        pexcz_format_size(total, b);
    }
    else {
        (void)snprintf(a, sizeof(a), "%" PRIu64, done);
        (void)snprintf(b, sizeof(b), "%" PRIu64 " files", total);
    }
    (void)fprintf(stderr, "\r\033[K%-12s [%s] %s of %s", p->step, bar, a, b);
}

void
pexcz_progress_update(struct pexcz_progress *p, uint64_t done, uint64_t total)
{
    int64_t now;

    if (!p->live) {
        return;
    }
    now = now_ns();
    if (now - p->shown_at < INTERVAL_NS) {
        return;
    }
    p->shown_at = now;
    pexcz_interrupt_set_line(true);
    if (total == 0 || columns() < BAR_COLUMNS) {
        (void)fprintf(stderr, "\r\033[K%s", p->step);
    }
    else {
        draw(p, done, total);
    }
    (void)fflush(stderr);
}

void
pexcz_progress_clear(struct pexcz_progress *p)
{
    if (p->live) {
        (void)fprintf(stderr, "\r\033[K");
        (void)fflush(stderr);
        pexcz_interrupt_set_line(false);
    }
}

void
pexcz_progress_say(struct pexcz_progress *p, int level, const char *fmt, ...)
{
    char line[4096];
    va_list ap;

    if (p->verbosity < level) {
        return;
    }
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    pexcz_utf8_clean(line);
    pexcz_progress_clear(p);
    (void)fprintf(stderr, "%s\n", line);
}
