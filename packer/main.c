/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program `pexcz` with its verbs; under the name pexcz-pack it is
 * `pexcz pack`.
 */
#include "base.h"
#include "inspect.h"
#include "interrupt.h"
#include "pack.h"
#include "pexcz_version.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define EXIT_FAILED 1
#define EXIT_USAGE 2

struct verb {
    const char *name;
    int (*run)(const char *program, int argc, char **argv);
    const char *summary; /* NULL: not listed */
};

static int
fail(const char *program, const struct pexcz_error *err)
{
    (void)fprintf(stderr, "%s: %s\n", program, err->msg);
    if (err->code == PEXCZ_E_USAGE) {
        (void)fprintf(stderr, "Try '%s --help'.\n", program);
        return EXIT_USAGE;
    }
    return EXIT_FAILED;
}

/* 0, or the exit code for output that could not be written. */
static int
close_stdout(const char *program)
{
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        perror(program);
        return EXIT_FAILED;
    }
    return 0;
}

static int
print_version(const char *program)
{
    (void)printf("pexcz %s\n", PEXCZ_VERSION);
    return close_stdout(program);
}

static int
print_pack_help(const char *program)
{
    (void)printf(
        "usage: %s [options] APP.pex [-o APP]\n"
        "\n"
        "Turns a PEX into one native executable that needs no Python.\n"
        "\n"
        "  -o, --output FILE    write FILE; default: the PEX's name without\n"
        "                       its suffix, in the current folder\n"
        "      --python X.Y     Python version; default: the newest there is\n"
        "      --max-glibc X.Y  newest glibc that wheels may need; default:\n"
        "                       that of this machine\n"
        "      --base FILE      base executable to build on\n"
        "      --level N        zstd level 1 to 22; default: %d\n"
        "  -j, --jobs N         use N processors; default: all\n"
        "  -q, --quiet          print errors only\n"
        "  -v, --verbose        list distributions and warnings\n"
        "  -h, --help           print this\n"
        "      --version        print the version\n",
        program, PEXCZ_DEFAULT_LEVEL);
    return close_stdout(program);
}

static int
verb_pack(const char *program, int argc, char **argv)
{
    struct pexcz_pack_options options;
    struct pexcz_error err;

    if (pexcz_pack_options_parse(argc, argv, &options, &err) < 0) {
        return fail(program, &err);
    }
    if (options.help) {
        return print_pack_help(program);
    }
    if (options.version) {
        return print_version(program);
    }
    return pexcz_pack(&options, &err) < 0 ? fail(program, &err) : 0;
}

/* pexcz base ELF INSTALL PYTHON HOT-LIST OUTPUT: for pexcz's own Makefile. */
static int
verb_base(const char *program, int argc, char **argv)
{
    struct pexcz_error err;

    if (argc != 6) {
        (void)pexcz_fail(&err, PEXCZ_E_USAGE, 0,
                         "base needs ELF INSTALL PYTHON HOT-LIST OUTPUT");
        return fail(program, &err);
    }
    return pexcz_base_build(
               &(struct pexcz_base_options){
                   .elf = argv[1],
                   .install = argv[2],
                   .python = argv[3],
                   .hot_list = argv[4],
                   .output = argv[5],
               },
               &err)
                   < 0
               ? fail(program, &err)
               : 0;
}

/* Takes flags out of argv; the number of other arguments, or -1 with *err. */
static int
take_flags(int argc, char **argv, bool *all, bool *json,
           struct pexcz_error *err)
{
    int n = 0;

    for (int i = 1; i < argc; i++) {
        if (all != NULL && strcmp(argv[i], "--all") == 0) {
            *all = true;
        }
        else if (json != NULL && strcmp(argv[i], "--json") == 0) {
            *json = true;
        }
        else if (argv[i][0] == '-' && argv[i][1] != '\0') {
            (void)pexcz_fail(err, PEXCZ_E_USAGE, 0, "unknown option %s",
                             argv[i]);
            return -1;
        }
        else {
            argv[++n] = argv[i];
        }
    }
    return n;
}

static bool
wants_help(int argc, char **argv)
{
    return argc > 1
           && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
}

static int
verb_inspect(const char *program, int argc, char **argv)
{
    struct pexcz_inspect_options options = {0};
    struct pexcz_error err;
    int n;

    if (wants_help(argc, argv)) {
        (void)printf("usage: %s [--json] [--all] FILE\n\n"
                     "Lists mode, size, stored size and path of each entry.\n"
                     "  --json  as JSON\n"
                     "  --all   with the standard library\n",
                     program);
        return close_stdout(program);
    }
    n = take_flags(argc, argv, &options.all, &options.json, &err);
    if (n >= 0 && n != 1) {
        (void)pexcz_fail(&err, PEXCZ_E_USAGE, 0, "one FILE is needed");
    }
    if (n != 1) {
        return fail(program, &err);
    }
    options.file = argv[1];
    return pexcz_inspect(&options, &err) < 0 ? fail(program, &err)
                                             : close_stdout(program);
}

static int
verb_extract(const char *program, int argc, char **argv)
{
    struct pexcz_error err;
    bool all = false;
    int n;

    if (wants_help(argc, argv)) {
        (void)printf("usage: %s [--all] FILE DIR\n\n"
                     "Writes the tree into the new folder DIR.\n"
                     "  --all   with the standard library\n",
                     program);
        return close_stdout(program);
    }
    n = take_flags(argc, argv, &all, NULL, &err);
    if (n >= 0 && n != 2) {
        (void)pexcz_fail(&err, PEXCZ_E_USAGE, 0, "FILE and DIR are needed");
    }
    if (n != 2) {
        return fail(program, &err);
    }
    return pexcz_extract(argv[1], argv[2], all, &err) < 0 ? fail(program, &err)
                                                          : 0;
}

static int
verb_verify(const char *program, int argc, char **argv)
{
    struct pexcz_error err;
    int n;

    if (wants_help(argc, argv)) {
        (void)printf("usage: %s FILE\n\nChecks every byte that was packed.\n",
                     program);
        return close_stdout(program);
    }
    n = take_flags(argc, argv, NULL, NULL, &err);
    if (n >= 0 && n != 1) {
        (void)pexcz_fail(&err, PEXCZ_E_USAGE, 0, "one FILE is needed");
    }
    if (n != 1) {
        return fail(program, &err);
    }
    return pexcz_verify(argv[1], &err) < 0 ? fail(program, &err) : 0;
}

static const struct verb verbs[] = {
    {"pack", verb_pack, "make an executable from a PEX"},
    {"inspect", verb_inspect, "list what a packed file holds"},
    {"extract", verb_extract, "write the tree of a packed file to a folder"},
    {"verify", verb_verify, "check every byte of a packed file"},
    {"base", verb_base, NULL},
};

#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

static int
print_help(void)
{
    (void)printf("usage: pexcz VERB [options]\n\n");
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (verbs[i].summary != NULL) {
            (void)printf("  %-10s %s\n", verbs[i].name, verbs[i].summary);
        }
    }
    (void)printf("\n'pexcz VERB --help' tells more.\n");
    return close_stdout("pexcz");
}

int
main(int argc, char **argv)
{
    const char *name = argc > 0 ? strrchr(argv[0], '/') : NULL;
    char program[64];
    struct pexcz_error err;

    name = name != NULL ? name + 1 : argc > 0 ? argv[0] : "pexcz";
    pexcz_interrupt_install();
    if (strcmp(name, "pexcz-pack") == 0) {
        return verb_pack("pexcz-pack", argc, argv);
    }
    if (argc < 2 || strcmp(argv[1], "--help") == 0
        || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        (void)print_help();
        return argc < 2 ? EXIT_USAGE : 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        return print_version("pexcz");
    }
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(argv[1], verbs[i].name) == 0) {
            (void)snprintf(program, sizeof(program), "pexcz %s",
                           verbs[i].name);
            return verbs[i].run(program, argc - 1, argv + 1);
        }
    }
    (void)pexcz_fail(&err, PEXCZ_E_USAGE, 0, "no verb '%s'", argv[1]);
    return fail("pexcz", &err);
}
