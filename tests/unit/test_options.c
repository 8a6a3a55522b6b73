/* SPDX-License-Identifier: Apache-2.0 */
/* packer/options: what each verb accepts, and how it refuses the rest. */
#include "check.h"
#include "options.h"

#define MAX_ARGS 8

/* argv from words; getopt_long() moves them about. */
struct line {
    int argc;
    char *argv[MAX_ARGS + 1];
    char words[MAX_ARGS][32];
};

static struct line *
line_of(struct line *l, const char *const *words)
{
    l->argc = 0;
    for (; words[l->argc] != NULL && l->argc < MAX_ARGS; l->argc++) {
        (void)snprintf(l->words[l->argc], sizeof(l->words[0]), "%s",
                       words[l->argc]);
        l->argv[l->argc] = l->words[l->argc];
    }
    l->argv[l->argc] = NULL;
    return l;
}

#define WORDS(...) ((const char *const[]){"pexcz", __VA_ARGS__, NULL})

static int
parse_pack(const char *const *words, struct pexcz_pack_options *ret,
           struct pexcz_error *err)
{
    static struct line l;

    (void)line_of(&l, words);
    return pexcz_pack_options_parse(l.argc, l.argv, ret, err);
}

static void
test_pack(void)
{
    struct pexcz_pack_options o;
    struct pexcz_error err;

    CHECK_EQ(parse_pack(WORDS("a.pex"), &o, &err), 0);
    CHECK_STR(o.inputs[0], "a.pex");
    CHECK_EQ(o.input_count, 1);
    CHECK(o.output == NULL && o.base == NULL && o.python == NULL);
    CHECK(o.max_glibc == NULL && !o.help && !o.version);
    CHECK_EQ(o.jobs, 0);
    CHECK_EQ(o.verbosity, 0);
    CHECK_EQ(o.level, PEXCZ_DEFAULT_LEVEL);

    /* Options may follow the PEX; short ones may be joined. */
    CHECK_EQ(parse_pack(WORDS("a.pex", "-vj3", "-oout", "--level=22",
                              "--python", "3.11"),
                        &o, &err),
             0);
    CHECK_STR(o.inputs[0], "a.pex");
    CHECK_EQ(o.input_count, 1);
    CHECK_STR(o.output, "out");
    CHECK_STR(o.python, "3.11");
    CHECK_EQ(o.verbosity, 1);
    CHECK_EQ(o.jobs, 3);
    CHECK_EQ(o.level, 22);
    CHECK_EQ(
        parse_pack(WORDS("--base=b", "--max-glibc", "2.28", "-q", "--", "-x"),
                   &o, &err),
        0);
    CHECK_STR(o.inputs[0], "-x");
    CHECK_STR(o.base, "b");
    CHECK_STR(o.max_glibc, "2.28");
    CHECK_EQ(o.verbosity, -1);

    CHECK_EQ(parse_pack(WORDS("a.pex", "-q", "b.pex"), &o, &err), 0);
    CHECK_EQ(o.input_count, 2);
    CHECK_STR(o.inputs[1], "b.pex");

    CHECK_EQ(parse_pack(WORDS("--help"), &o, &err), 0);
    CHECK(o.help && o.inputs == NULL);
    CHECK_EQ(parse_pack(WORDS("--version"), &o, &err), 0);
    CHECK(o.version);
}

static void
test_pack_refusals(void)
{
    static const struct {
        const char *const words[6];
        const char *message;
    } cases[] = {
        {{"pexcz"}, "no PEX given"},
        {{"pexcz", "-q"}, "no PEX given"},
        {{"pexcz", "a", "-o"}, "option --output needs a value"},
        {{"pexcz", "a", "--jobs"}, "option --jobs needs a value"},
        {{"pexcz", "-q", "-zv", "a"}, "unknown option -z"},
        {{"pexcz", "--verbose", "-vz", "a"}, "unknown option -z"},
        {{"pexcz", "--colour", "a"}, "unknown option --colour"},
        {{"pexcz", "--colour=x", "a"}, "unknown option --colour=x"},
        {{"pexcz", "--help=x", "a"}, "option --help takes no value"},
        {{"pexcz", "--version=x", "a"}, "option --version takes no value"},
        {{"pexcz", "--json", "a"}, "unknown option --json"},
        {{"pexcz", "-j", "0", "a"},
         "--jobs: '0' is not a number from 1 to 64"},
        {{"pexcz", "-j", "65", "a"},
         "--jobs: '65' is not a number from 1 to 64"},
        {{"pexcz", "-j", "-1", "a"},
         "--jobs: '-1' is not a number from 1 to 64"},
        {{"pexcz", "-j", " 2", "a"},
         "--jobs: ' 2' is not a number from 1 to 64"},
        {{"pexcz", "-j", "2x", "a"},
         "--jobs: '2x' is not a number from 1 to 64"},
        {{"pexcz", "-j", "", "a"}, "--jobs: '' is not a number from 1 to 64"},
        {{"pexcz", "--level", "99999999999999999999", "a"},
         "--level: '99999999999999999999' is not a number from 1 to 22"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pexcz_pack_options o = {.output = "untouched"};
        struct pexcz_error err = {.msg = ""};

        CHECK_EQ(parse_pack(cases[i].words, &o, &err), PEXCZ_E_USAGE);
        CHECK_STR(err.msg, cases[i].message);
        CHECK_STR(o.output, "untouched");
    }
}

static void
test_file_verbs(void)
{
    struct pexcz_file_options o;
    struct pexcz_error err;
    struct line l;

    (void)line_of(&l, WORDS("--json", "app", "--all"));
    CHECK_EQ(pexcz_inspect_options_parse(l.argc, l.argv, &o, &err), 0);
    CHECK_STR(o.file, "app");
    CHECK(o.json && o.all && o.directory == NULL);
    (void)line_of(&l, WORDS("app", "dir", "-q"));
    CHECK_EQ(pexcz_extract_options_parse(l.argc, l.argv, &o, &err), 0);
    CHECK_STR(o.file, "app");
    CHECK_STR(o.directory, "dir");
    CHECK(!o.all && !o.json);
    CHECK_EQ(o.verbosity, -1);
    (void)line_of(&l, WORDS("app"));
    CHECK_EQ(pexcz_verify_options_parse(l.argc, l.argv, &o, &err), 0);
    CHECK_STR(o.file, "app");
    CHECK_EQ(o.verbosity, 0);
    (void)line_of(&l, WORDS("-h"));
    CHECK_EQ(pexcz_verify_options_parse(l.argc, l.argv, &o, &err), 0);
    CHECK(o.help);

    (void)line_of(&l, WORDS("--all"));
    CHECK_EQ(pexcz_inspect_options_parse(l.argc, l.argv, &o, &err),
             PEXCZ_E_USAGE);
    CHECK_STR(err.msg, "no file given");
    (void)line_of(&l, WORDS("app"));
    CHECK_EQ(pexcz_extract_options_parse(l.argc, l.argv, &o, &err),
             PEXCZ_E_USAGE);
    CHECK_STR(err.msg, "no directory given");
    (void)line_of(&l, WORDS("app", "dir", "more"));
    CHECK_EQ(pexcz_extract_options_parse(l.argc, l.argv, &o, &err),
             PEXCZ_E_USAGE);
    CHECK_STR(err.msg, "unexpected argument 'more'");
    (void)line_of(&l, WORDS("app", "--all"));
    CHECK_EQ(pexcz_verify_options_parse(l.argc, l.argv, &o, &err),
             PEXCZ_E_USAGE);
    CHECK_STR(err.msg, "unknown option --all");
}

int
main(void)
{
    test_pack();
    test_pack_refusals();
    test_file_verbs();
    CHECK_DONE();
}
