/* SPDX-License-Identifier: Apache-2.0 */
/* packer/progress: a line on terminals, nothing elsewhere, gone at the end. */
#include "check.h"
#include "progress.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void
test_sizes(void)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},
        {999, "999 B"},
        {1000, "1.0 kB"},
        {1049, "1.0 kB"},
        {1051, "1.1 kB"},
        {999949, "999.9 kB"},
        {999951, "1.0 MB"},
        {12300000, "12.3 MB"},
        {5000000000, "5.0 GB"},
        {UINT64_MAX, "18.4 EB"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[16];

        pexcz_format_size(cases[i].bytes, text);
        CHECK_STR(text, cases[i].text);
    }
}

/* What the calls of a usual run print on stderr, which is `fd` for a while.
 * `master` is where it can be read. */
static void
run(int fd, int master, int verbosity, char *ret, size_t size)
{
    struct pexcz_progress p;
    int saved = dup(STDERR_FILENO);
    size_t len = 0;
    ssize_t n;

    (void)fflush(stderr);
    CHECK(saved >= 0 && dup2(fd, STDERR_FILENO) == STDERR_FILENO);
    pexcz_progress_init(&p, verbosity);
    pexcz_progress_step(&p, "writing", PEXCZ_UNIT_BYTES);
    p.shown_at = 0;
    pexcz_progress_update(&p, 2500000, 10000000);
    /* Too soon after the last one to be shown. */
    pexcz_progress_update(&p, 9999999, 10000000);
    pexcz_progress_say(&p, 1, "a detail");
    pexcz_progress_say(&p, 0, "the %s", "summary");
    pexcz_progress_clear(&p);
    (void)fflush(stderr);
    CHECK(dup2(saved, STDERR_FILENO) == STDERR_FILENO);
    (void)close(saved);
    CHECK_EQ(fcntl(master, F_SETFL, O_NONBLOCK), 0);
    while (len < size - 1
           && (n = read(master, ret + len, size - 1 - len)) > 0) {
        len += (size_t)n;
    }
    ret[len] = '\0';
}

static void
run_on_terminal(unsigned short columns, const char *term, int verbosity,
                char *ret, size_t size)
{
    struct winsize window = {.ws_row = 24, .ws_col = columns};
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    int fd;

    CHECK(master >= 0);
    CHECK_EQ(grantpt(master), 0);
    CHECK_EQ(unlockpt(master), 0);
    fd = open(ptsname(master), O_RDWR | O_NOCTTY);
    CHECK(fd >= 0);
    CHECK_EQ(ioctl(fd, TIOCSWINSZ, &window), 0);
    CHECK_EQ(setenv("TERM", term, 1), 0);
    run(fd, master, verbosity, ret, size);
    (void)close(fd);
    (void)close(master);
}

static void
run_on_pipe(int verbosity, char *ret, size_t size)
{
    int ends[2];

    CHECK_EQ(pipe(ends), 0);
    run(ends[1], ends[0], verbosity, ret, size);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* A terminal's end of line is "\r\n". */
static void
test_terminal(void)
{
    char text[1024];

    run_on_terminal(80, "xterm", 0, text, sizeof(text));
    CHECK_STR(text, "\r\033[Kwriting"
                    "\r\033[Kwriting      [######------------------] 2.5 MB "
                    "of 10.0 MB"
                    "\r\033[Kthe summary\r\n"
                    "\r\033[K");
    run_on_terminal(69, "xterm", 0, text, sizeof(text));
    CHECK_STR(text, "\r\033[Kwriting\r\033[Kwriting"
                    "\r\033[Kthe summary\r\n\r\033[K");
    run_on_terminal(80, "dumb", 0, text, sizeof(text));
    CHECK_STR(text, "the summary\r\n");
    run_on_terminal(80, "xterm", -1, text, sizeof(text));
    CHECK_STR(text, "");
    run_on_terminal(80, "dumb", 1, text, sizeof(text));
    CHECK_STR(text, "a detail\r\nthe summary\r\n");
}

static void
test_pipe(void)
{
    char text[1024];

    run_on_pipe(0, text, sizeof(text));
    CHECK_STR(text, "the summary\n");
    run_on_pipe(1, text, sizeof(text));
    CHECK_STR(text, "a detail\nthe summary\n");
    run_on_pipe(-1, text, sizeof(text));
    CHECK_STR(text, "");
}

int
main(void)
{
    test_sizes();
    test_terminal();
    test_pipe();
    CHECK_DONE();
}
