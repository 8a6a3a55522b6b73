/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vfs_calls BASE [--check]: what calls on files of the standard library in
 * BASE cost, and what the detour costs those on other files.  Minima of
 * rounds, in nanoseconds; with --check the exit code is 1 when a bound is
 * missed.
 */
#include "vfs_calls.h"

#include "exe_layout.h"
#include "packed_file.h"
#include "vfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ROUNDS 40
#define LIB PEXCZ_PREFIX "/lib/python3.11"

static char buf[8192];
static struct stat st;

typedef void operation(void);

static void
read_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    while (read(fd, buf, sizeof(buf)) > 0) {
    }
    (void)close(fd);
}

/* In libc's place, so that no system call hides what the detour costs. */
static __attribute__((noinline)) int
no_access(const char *path, int mode)
{
    __asm__ volatile("" : : "r"(path), "r"(mode) : "memory");
    return 0;
}

#define OPERATION(name, call)                                                 \
    static void name(void)                                                    \
    {                                                                         \
        (void)(call);                                                         \
    }

OPERATION(tree_read, (read_file(LIB "/colorsys.py"), 0))
OPERATION(tree_read_big, (read_file(LIB "/_pydecimal.py"), 0))
OPERATION(tree_stat, stat(LIB "/email/mime/text.py", &st))
OPERATION(tree_stat_absent, stat(LIB "/email/mime/none.py", &st))
OPERATION(tree_access, access(LIB "/email/mime/text.py", R_OK))
OPERATION(other_access, access("/usr/lib/python3/dist-packages/six.py", R_OK))
OPERATION(plain_access,
          no_access("/usr/lib/python3/dist-packages/six.py", R_OK))
OPERATION(other_read, (read_file("/usr/bin/ldd"), 0))

static double
now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The least time of one call, over ROUNDS rounds. */
static double
cost(operation *run)
{
    double least = 1e18;

    for (int round = 0; round < ROUNDS; round++) {
        int calls = 200;
        double start;
        double each;

        run();
        start = now();
        for (int i = 0; i < calls; i++) {
            run();
        }
        each = (now() - start) / calls;
        least = each < least ? each : least;
    }
    return least;
}

static bool
row(const char *what, double value, double bound)
{
    bool missed = bound > 0 && value > bound;

    if (bound > 0) {
        (void)printf("| %s | %.0f%s | %.0f |\n", what, value,
                     missed ? "*" : "", bound);
    }
    else {
        (void)printf("| %s | %.0f | |\n", what, value);
    }
    return !missed;
}

int
main(int argc, char **argv)
{
    struct pexcz_packed_file file;
    struct pexcz_tree tree;
    struct pexcz_error err;
    bool good = true;

    if (argc < 2 || pexcz_packed_file_open(&file, argv[1], &err) < 0) {
        (void)fprintf(stderr, "vfs_calls: %s\n",
                      argc < 2 ? "no file given" : err.msg);
        return 2;
    }
    pexcz_packed_file_tree(&file, true, &tree);
    pexcz_vfs_mount(&tree);
    if (stat(LIB "/colorsys.py", &st) < 0) {
        (void)fprintf(stderr, "vfs_calls: no standard library in it\n");
        return 2;
    }
    (void)printf("| | ns | bound |\n|---|---|---|\n");
    good &= row("open, read, close: 4 KiB", cost(tree_read), 25000);
    good &= row("open, read, close: 230 kB", cost(tree_read_big), 0);
    good &= row("the same, 5 kB on disk", cost(other_read), 0);
    good &= row("stat", cost(tree_stat), 1000);
    good &= row("stat of what is not there", cost(tree_stat_absent), 1000);
    good &= row("access", cost(tree_access), 1000);
    pexcz_libc_table.access = no_access;
    good &= row("a call on another file, more than libc's",
                cost(other_access) - cost(plain_access), 20);
    return argc > 2 && strcmp(argv[2], "--check") == 0 && !good;
}
