/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program `pexcz` with its verbs; under the name pexcz-pack it is
 * `pexcz pack`.
 */
#include "base.h"
#include "cache_verbs.h"
#include "extract.h"
#include "inspect.h"
#include "interrupt.h"
#include "pack.h"
#include "pexcz_version.h"
#include "signature.h"
#include "utf8.h"
#include "verify.h"

#include <errno.h>
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
fail(const char *program, struct pexcz_error *err)
{
    pexcz_utf8_clean(err->msg);
    (void)fprintf(stderr, "%s: %s\n", program, err->msg);
    if (err->code == PEXCZ_E_USAGE) {
        (void)fprintf(stderr, "Try '%s --help'.\n", program);
        return EXIT_USAGE;
    }
    return EXIT_FAILED;
}

/* 0, or the exit code for output that could not be written.  That a reader
 * has seen enough needs no message. */
static int
close_stdout(const char *program)
{
    errno = 0;
    if (fflush(stdout) == 0 && ferror(stdout) == 0) {
        return 0;
    }
    if (errno != EPIPE) {
        (void)fprintf(stderr, "%s: cannot write to standard output: %s\n",
                      program, strerror(errno != 0 ? errno : EIO));
    }
    return EXIT_FAILED;
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
        "usage: %s [options] APP.pex [MORE.pex...] [-o APP]\n"
        "\n"
        "Turns a PEX into one native executable that needs no Python.\n"
        "Further PEXes add their distributions and user code.\n"
        "\n"
        "  -o, --output FILE    write FILE; default: the first PEX's name\n"
        "                       without its suffix, in the current folder\n"
        "      --python X.Y     Python version; default: that of the PEX's\n"
        "                       shebang, else the newest that it admits\n"
        "      --platform NAME  pack for this machine: aarch64, x86_64, or "
        "a\n"
        "                       name of pip's or Pex's: "
        "manylinux2014_aarch64,\n"
        "                       linux_aarch64-cp-311-cp311; default: this "
        "one\n"
        "      --sbom FILE      write a bill of materials (CycloneDX JSON)\n"
        "      --licenses FILE  write the licences of all that is packed\n"
        "      --max-glibc X.Y  newest glibc that wheels may need; default:\n"
        "                       that of this machine\n"
        "      --base FILE      base executable to build on\n"
        "      --busybox        one file for all console scripts: the name "
        "it\n"
        "                       is started under, or its first argument, "
        "says\n"
        "                       which\n"
        "      --level N        zstd level 1 to 22; default: %d\n"
        "      --files NAME     put the distribution NAME into real files, "
        "in\n"
        "                       the user's cache\n"
        "      --snapshot MODE  auto: with a snapshot of the imports, if one\n"
        "                       can be made; require; off: packing runs no\n"
        "                       code of the application; default: auto\n"
        "      --hash-seed SEED fixed, of the file, by which a snapshot is\n"
        "                       laid out; random: of the process, without "
        "snapshot\n"
        "      --snapshot-exclude MODULE\n"
        "                       leave MODULE, and what imports it, out of it\n"
        "      --snapshot-warm ARGUMENTS\n"
        "                       run the application with these to see which\n"
        "                       modules it imports later on, for the "
        "snapshot\n"
        "      --snapshot-env NAME=VALUE\n"
        "                       set it while the snapshot is made, which is\n"
        "                       then for starts where it has this value\n"
        "      --shared-objects MODE\n"
        "                       where the system's linker finds those of the\n"
        "                       wheels: cache, memory, or adjacent, a folder\n"
        "                       beside the executable; default: cache\n"
        "      --verify WHEN    when sums are checked: first-use of each "
        "part, "
        "or\n"
        "                       always, all of them at every start; default:\n"
        "                       first-use\n"
        "      --allow-library NAME\n"
        "                       pack the shared object NAME although it "
        "needs\n"
        "                       an executable stack or text relocations\n"
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
    int rc;

    if (pexcz_pack_options_parse(argc, argv, &options, &err) < 0) {
        return fail(program, &err);
    }
    if (options.help) {
        return print_pack_help(program);
    }
    if (options.version) {
        return print_version(program);
    }
    rc = pexcz_pack(&options, &err);
    pexcz_pack_options_done(&options);
    return rc < 0 ? fail(program, &err) : 0;
}

/* pexcz base ELF INSTALL DOCUMENTS PYTHON HOT-LIST OUTPUT: for pexcz's own
 * Makefile. */
static int
verb_base(const char *program, int argc, char **argv)
{
    struct pexcz_error err;

    if (argc != 7) {
        (void)pexcz_fail(
            &err, PEXCZ_E_USAGE, 0,
            "base needs ELF INSTALL DOCUMENTS PYTHON HOT-LIST OUTPUT");
        return fail(program, &err);
    }
    return pexcz_base_build(
               &(struct pexcz_base_options){
                   .elf = argv[1],
                   .install = argv[2],
                   .documents = argv[3],
                   .python = argv[4],
                   .hot_list = argv[5],
                   .output = argv[6],
               },
               &err)
                   < 0
               ? fail(program, &err)
               : 0;
}

/* A verb for one packed file. */
struct file_verb {
    int (*parse)(int argc, char **argv, struct pexcz_file_options *ret,
                 struct pexcz_error *err);
    int (*run)(const struct pexcz_file_options *options,
               struct pexcz_error *err);
    const char *help; /* after "usage: PROGRAM " */
};

static int
run_file_verb(const struct file_verb *verb, const char *program, int argc,
              char **argv)
{
    struct pexcz_file_options options;
    struct pexcz_error err;

    if (verb->parse(argc, argv, &options, &err) < 0) {
        return fail(program, &err);
    }
    if (options.help) {
        (void)printf("usage: %s %s", program, verb->help);
        return close_stdout(program);
    }
    if (options.version) {
        return print_version(program);
    }
    return verb->run(&options, &err) < 0 ? fail(program, &err)
                                         : close_stdout(program);
}

/* What is signed has been checked. */
static int
check_and_sign(const struct pexcz_file_options *options,
               struct pexcz_error *err)
{
    struct pexcz_file_options quiet = *options;
    int rc;

    quiet.verbosity = -1;
    rc = pexcz_verify(&quiet, err);
    return rc < 0 ? rc
                  : pexcz_signature_make(options->file, options->key, err);
}

static int
verb_inspect(const char *program, int argc, char **argv)
{
    static const struct file_verb verb = {
        .parse = pexcz_inspect_options_parse,
        .run = pexcz_inspect,
        .help = "[options] FILE\n"
                "\n"
                "Lists settings, distributions, files and modules of a packed "
                "file.\n"
                "\n"
                "      --all       list the standard library, too\n"
                "      --json      write JSON\n"
                "      --snapshot  tell what is in the heap snapshot, and why "
                "the rest is not\n"
                "  -h, --help      print this\n"
                "      --version   print the version\n",
    };

    return run_file_verb(&verb, program, argc, argv);
}

static int
verb_extract(const char *program, int argc, char **argv)
{
    static const struct file_verb verb = {
        .parse = pexcz_extract_options_parse,
        .run = pexcz_extract,
        .help = "[options] FILE DIR\n"
                "\n"
                "Writes the tree of a packed file into the new directory "
                "DIR.\n"
                "\n"
                "      --all      write the standard library, too\n"
                "  -q, --quiet    print errors only\n"
                "  -h, --help     print this\n"
                "      --version  print the version\n",
    };

    return run_file_verb(&verb, program, argc, argv);
}

static int
verb_verify(const char *program, int argc, char **argv)
{
    static const struct file_verb verb = {
        .parse = pexcz_verify_options_parse,
        .run = pexcz_verify,
        .help = "[options] FILE\n"
                "\n"
                "Checks every byte that was packed, and each distribution "
                "against its RECORD.\n"
                "\n"
                "      --signers FILE    also check who signed it: one of "
                "FILE,\n"
                "                        as ssh-keygen has them\n"
                "      --signer NAME     the one that it must be\n"
                "      --signature FILE  default: the file's name and "
                ".sig\n"
                "  -q, --quiet    print errors only\n"
                "  -h, --help     print this\n"
                "      --version  print the version\n",
    };

    return run_file_verb(&verb, program, argc, argv);
}

static int
verb_sign(const char *program, int argc, char **argv)
{
    static const struct file_verb verb = {
        .parse = pexcz_sign_options_parse,
        .run = check_and_sign,
        .help = "--key KEY FILE\n"
                "\n"
                "Writes FILE.sig, a signature that ssh-keygen makes.\n"
                "\n"
                "  -k, --key KEY  a key of OpenSSH\n"
                "  -h, --help     print this\n"
                "      --version  print the version\n",
    };

    return run_file_verb(&verb, program, argc, argv);
}

static int
print_cache_help(const char *program)
{
    (void)printf(
        "usage: %s info | verify [-q] | prune [options]\n"
        "\n"
        "The cache into which executables put shared objects of wheels.\n"
        "\n"
        "  info             list what is in it\n"
        "  verify           check every byte, remove what is damaged\n"
        "  prune            remove what was not used for %d days, or\n"
        "      --days N     for N days\n"
        "      --max-size N     the oldest, until N (500MB, 2GB) are left\n"
        "      --all        everything\n"
        "  -q, --quiet      print errors only\n"
        "  -h, --help       print this\n"
        "      --version    print the version\n",
        program, PEXCZ_DEFAULT_PRUNE_DAYS);
    return close_stdout(program);
}

static int
verb_cache(const char *program, int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    bool prune = strcmp(verb, "prune") == 0;
    struct pexcz_cache_options options;
    struct pexcz_error err;
    int rc;

    if (verb[0] == '\0') {
        (void)pexcz_fail(&err, PEXCZ_E_USAGE, 0, "no verb given");
        return fail(program, &err);
    }
    if (verb[0] == '-') { /* --help, --version, or wrong */
        argc++;
        argv--;
    }
    else if (!prune && strcmp(verb, "info") != 0
             && strcmp(verb, "verify") != 0) {
        (void)pexcz_fail(&err, PEXCZ_E_USAGE, 0, "no verb '%s'", verb);
        return fail(program, &err);
    }
    if (pexcz_cache_options_parse(argc - 1, argv + 1, prune, &options, &err)
        < 0) {
        return fail(program, &err);
    }
    if (options.help) {
        return print_cache_help(program);
    }
    if (options.version) {
        return print_version(program);
    }
    if (verb[0] == '-') {
        (void)pexcz_fail(&err, PEXCZ_E_USAGE, 0, "no verb given");
        return fail(program, &err);
    }
    rc = prune                         ? pexcz_cache_prune(&options, &err)
         : strcmp(verb, "verify") == 0 ? pexcz_cache_check(&options, &err)
                                       : pexcz_cache_info(&err);
    return rc < 0 ? fail(program, &err) : close_stdout(program);
}

static const struct verb verbs[] = {
    {"pack", verb_pack, "make an executable from a PEX"},
    {"inspect", verb_inspect, "list what a packed file holds"},
    {"extract", verb_extract, "write the tree of a packed file to a folder"},
    {"verify", verb_verify, "check every byte of a packed file"},
    {"sign", verb_sign, "sign a packed file with a key of OpenSSH"},
    {"cache", verb_cache, "look after the cache of shared objects"},
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
    const char *name = argc > 0 ? basename(argv[0]) : "pexcz";
    char program[64];
    struct pexcz_error err;

    pexcz_interrupt_install();
    if (strcmp(name, "pexcz-pack") == 0) {
        return verb_pack("pexcz-pack", argc, argv);
    }
    if (argc < 2) {
        (void)pexcz_fail(&err, PEXCZ_E_USAGE, 0, "no verb given");
        return fail("pexcz", &err);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0
        || strcmp(argv[1], "help") == 0) {
        return print_help();
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
