/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve.h"

#include "pex_build.h"

static const struct pexcz_target target = {
    .major = 3,
    .minor = 11,
    .micro = 2,
    .arch = "x86_64",
    .glibc_major = 2,
    .glibc_minor = 28,
};

static struct pexcz_error err;

/* The module names of the chosen files joined by spaces, and the warnings, or
 * the message; with the PEX's path replaced by "P". */
static void
resolve(struct pex_build *p, const char *info, char *ret, size_t size)
{
    struct pexcz_pex pex = {0};
    struct pexcz_arena arena = {0};
    struct pexcz_resolved out = {0};
    const char *path = pex_write(p, info);
    int rc;

    err.msg[0] = '\0';
    ret[0] = '\0';
    rc = pexcz_pex_open(path, &pex, &err);
    if (rc == 0) {
        rc = pexcz_resolve(&pex, &target, &arena, &out, &err);
    }
    if (rc < 0) {
        size_t n = strlen(path);

        (void)snprintf(ret, size, "%s%s",
                       strncmp(err.msg, path, n) == 0 ? "P" : "",
                       strncmp(err.msg, path, n) == 0 ? err.msg + n : err.msg);
    }
    for (size_t i = 0; rc == 0 && i < out.count; i++) {
        size_t at = strlen(ret);

        (void)snprintf(ret + at, size - at, "%s%s-%s", i == 0 ? "" : " ",
                       out.dists[i]->metadata.name,
                       out.dists[i]->metadata.version);
    }
    for (size_t i = 0; rc == 0 && i < out.warnings.count; i++) {
        size_t at = strlen(ret);

        (void)snprintf(ret + at, size - at, "\nP%s",
                       out.warnings.items[i] + strlen(path));
    }
    pexcz_arena_done(&arena);
    if (pex.zip_count != 0) {
        pexcz_pex_close(&pex);
    }
    pex_build_done(p);
    *p = (struct pex_build){{{0}, {0}, 0, 0}, ""};
}

#define RESOLVE(p, info, want)                                                \
    do {                                                                      \
        char got[PEXCZ_ERROR_MSG_SIZE + 8];                                   \
                                                                              \
        resolve(p, info, got, sizeof(got));                                   \
        CHECK_STR(got, want);                                                 \
    } while (0)

static void
test_walk(void)
{
    struct pex_build p = {0};

    pex_add_dist(&p, "a", "1", "py3-none-any",
                 "Requires-Dist: B[x] (>=1)\n"
                 "Requires-Dist: w; sys_platform == 'win32'\n"
                 "Requires-Dist: c; extra == 'c'\n");
    pex_add_dist(&p, "b", "1.5", "py3-none-any",
                 "Requires-Dist: d; extra == 'x'\nRequires-Dist: a\n");
    pex_add_dist(&p, "c", "1", "py3-none-any", "");
    pex_add_dist(&p, "d", "1", "py2.py3-none-any", "");
    RESOLVE(&p,
            "{\"requirements\": [\"a\"], \"distributions\": {"
            "\"c-1-py3-none-any.whl\": \"\", \"a-1-py3-none-any.whl\": \"\","
            "\"b-1.5-py3-none-any.whl\": \"\","
            "\"d-1-py2.py3-none-any.whl\": \"\"}}",
            "a-1 b-1.5 d-1");

    /* Extras of several roots of one project add up. */
    pex_add_dist(&p, "a", "1", "py3-none-any",
                 "Requires-Dist: b; extra == 'b'\n"
                 "Requires-Dist: c; extra == 'c'\n");
    pex_add_dist(&p, "b", "1", "py3-none-any", "");
    pex_add_dist(&p, "c", "1", "py3-none-any", "");
    RESOLVE(&p,
            "{\"requirements\": [\"a[b]\", \"A[c]>=1\", "
            "\"zz; python_version < '3'\"], \"distributions\": {"
            "\"c-1-py3-none-any.whl\": \"\", \"a-1-py3-none-any.whl\": \"\","
            "\"b-1-py3-none-any.whl\": \"\"}}",
            "a-1 b-1 c-1");
}

static void
test_rank(void)
{
    struct pex_build p = {0};

    /* Tags before version, then the newer version, then the fingerprint. */
    pex_add_dist(&p, "a", "2", "py3-none-any", "");
    pex_add_dist(&p, "a", "1", "cp311-cp311-manylinux_2_17_x86_64", "");
    pex_add_dist(&p, "b", "1.9", "py3-none-any", "");
    pex_add_dist(&p, "b", "1.10", "py3-none-any", "");
    pex_add_dist(&p, "c", "3", "py3-none-any", "Requires-Python: >=3.12\n");
    pex_add_dist(&p, "c", "2", "py3-none-any",
                 "Requires-Python: >=3.8,<3.12\n");
    RESOLVE(&p,
            "{\"requirements\": [\"a\", \"b\", \"c\"], \"distributions\": {"
            "\"a-2-py3-none-any.whl\": \"\","
            "\"a-1-cp311-cp311-manylinux_2_17_x86_64.whl\": \"\","
            "\"b-1.9-py3-none-any.whl\": \"\","
            "\"b-1.10-py3-none-any.whl\": \"\","
            "\"c-3-py3-none-any.whl\": \"\","
            "\"c-2-py3-none-any.whl\": \"\"}}",
            "a-1 b-1.10 c-2");
}

/* Another patch release is better than none, and worse than any other. */
static void
test_patch_release(void)
{
    struct pex_build p = {0};

    pex_add_dist(&p, "a", "2", "py3-none-any", "Requires-Python: >=3.11.5\n");
    pex_add_dist(&p, "a", "1", "py3-none-any", "Requires-Python: >=3.8\n");
    pex_add_dist(&p, "b", "1", "py3-none-any",
                 "Requires-Python: !=3.11.2,<3.12\nRequires-Dist: c\n");
    pex_add_dist(&p, "c", "1", "py3-none-any", "Requires-Python: ~=3.11.4\n");
    RESOLVE(&p,
            "{\"requirements\": [\"a\", \"b\"], "
            "\"interpreter_constraints\": [\"PyPy\", \"CPython>=3.11.4\"], "
            "\"distributions\": {"
            "\"a-2-py3-none-any.whl\": \"\", \"a-1-py3-none-any.whl\": \"\","
            "\"b-1-py3-none-any.whl\": \"\","
            "\"c-1-py3-none-any.whl\": \"\"}}",
            "a-1 b-1 c-1\n"
            "P: its interpreter constraint is CPython>=3.11.4, the base is "
            "3.11.2\n"
            "P: b-1-py3-none-any.whl wants Python !=3.11.2,<3.12, the base "
            "is 3.11.2\n"
            "P: c-1-py3-none-any.whl wants Python ~=3.11.4, the base is "
            "3.11.2");
}

static void
test_exclude_override(void)
{
    static const char dists[]
        = "\"distributions\": {\"a-1-py3-none-any.whl\": \"\","
          "\"b-1-py3-none-any.whl\": \"\", \"c-1-py3-none-any.whl\": \"\"}}";
    static const struct {
        const char *info;
        const char *want;
    } cases[] = {
        {"{\"requirements\": [\"a\"],", "a-1 b-1"},
        {"{\"requirements\": [\"a\"], \"excluded\": [\"b\"],", "a-1"},
        {"{\"requirements\": [\"a\"], \"excluded\": [\"b>=2\"],", "a-1 b-1"},
        {"{\"requirements\": [\"a\", \"c\"], \"excluded\": [\"a\"],", "c-1"},
        {"{\"requirements\": [\"a\"], \"overridden\": [\"b=c\"],", "a-1 c-1"},
        {"{\"requirements\": [\"a\"], \"overridden\": [\"b==1\"],", "a-1 b-1"},
        {"{\"requirements\": [\"b\"], \"overridden\": [\"b=c\"],", "b-1"},
        {"{\"requirements\": [\"a\"], \"overridden\": [\"b=c; "
         "os_name=='nt'\", \"b\"],",
         "a-1 b-1"},
        {"{\"requirements\": [\"a\"], \"overridden\": [\"b=c\", \"b\"],",
         "P: PEX-INFO: two overrides apply to 'b<2': 'c' and 'b'"},
        {"{\"requirements\": [\"a b\"],",
         "P: PEX-INFO: requirements: invalid requirement 'a b': a version "
         "specifier, ';' or the end expected at column 3"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pex_build p = {0};
        char info[1024];

        (void)snprintf(info, sizeof(info), "%s%s", cases[i].info, dists);
        pex_add_dist(&p, "a", "1", "py3-none-any", "Requires-Dist: b<2\n");
        pex_add_dist(&p, "b", "1", "py3-none-any", "");
        pex_add_dist(&p, "c", "1", "py3-none-any", "");
        RESOLVE(&p, info, cases[i].want);
    }
}

static void
test_unresolved(void)
{
    struct pex_build p = {0};

    pex_add_dist(&p, "a", "1", "cp310-cp310-manylinux_2_17_x86_64", "");
    pex_add_dist(&p, "a", "2", "cp311-cp311-macosx_11_0_arm64.win32", "");
    pex_add_dist(&p, "a", "3", "py3-none-any", "Requires-Python: >=3.12\n");
    RESOLVE(&p,
            "{\"requirements\": [\"a>=1\"], \"distributions\": {"
            "\"a-1-cp310-cp310-manylinux_2_17_x86_64.whl\": \"\","
            "\"a-2-cp311-cp311-macosx_11_0_arm64.win32.whl\": \"\","
            "\"a-3-py3-none-any.whl\": \"\"}}",
            "P: no distribution in it satisfies 'a>=1' on CPython 3.11.2, "
            "x86_64, glibc 2.28\n"
            "  a>=1 (required by PEX-INFO)\n"
            "    needed: a tag like cp311-cp311-linux_x86_64 or py3-none-any "
            "(714 are supported)\n"
            "    a-1-cp310-cp310-manylinux_2_17_x86_64.whl: tagged "
            "cp310-cp310-manylinux_2_17_x86_64\n"
            "    a-2-cp311-cp311-macosx_11_0_arm64.win32.whl: tagged "
            "cp311-cp311-macosx_11_0_arm64, cp311-cp311-win32\n"
            "    a-3-py3-none-any.whl: needs Python >=3.12");

    pex_add_dist(&p, "a", "1", "py3-none-any",
                 "Requires-Dist: b\nRequires-Dist: c>=2\n");
    pex_add_dist(&p, "c", "1", "py3-none-any", "");
    RESOLVE(&p,
            "{\"requirements\": [\"a\"], \"distributions\": {"
            "\"a-1-py3-none-any.whl\": \"\","
            "\"c-1-py3-none-any.whl\": \"\"}}",
            "P: no distributions in it satisfy 'b' and 1 other requirements "
            "on CPython 3.11.2, x86_64, glibc 2.28\n"
            "  b (required by a-1-py3-none-any.whl)\n"
            "    the PEX has no distribution of that name\n"
            "  c>=2 (required by a-1-py3-none-any.whl)\n"
            "    c-1-py3-none-any.whl: fits, but its version is 1");

    pex_add_dist(&p, "a", "1", "py3-none-any", "Requires-Dist: b\n");
    RESOLVE(&p,
            "{\"requirements\": [\"a\"], \"ignore_errors\": true, "
            "\"distributions\": {\"a-1-py3-none-any.whl\": \"\"}}",
            "a-1");
    RESOLVE(&p, "{\"requirements\": [\"a\"], \"ignore_errors\": true}",
            "P: no distribution in it satisfies 'a' on CPython 3.11.2, "
            "x86_64, glibc 2.28\n"
            "  a (required by PEX-INFO)\n"
            "    the PEX has no distributions at all");
}

static void
test_constraints(void)
{
    static const struct {
        const char *info;
        const char *want;
    } cases[] = {
        {"{\"interpreter_constraints\": [\">=3.8\"]}", ""},
        {"{\"interpreter_constraints\": [\"PyPy\", \"CPython>=3.11\"]}", ""},
        {"{\"interpreter_constraints\": [\"CPython[gil]==3.11.*\"]}", ""},
        {"{\"interpreter_constraints\": [\"CPython+t\", \"==3.12.*\"]}",
         "P: its interpreter constraints do not admit CPython 3.11.2\n"
         "  CPython+t\n  ==3.12.*"},
        {"{\"interpreter_constraints\": [\"Jython>=2\"]}",
         "P: PEX-INFO: interpreter_constraints: invalid version specifier "
         "'Jython>=2'"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pex_build p = {0};

        RESOLVE(&p, cases[i].info, cases[i].want);
    }
}

/* What is wrong with the PEX itself. */
static void
test_bad_pex(void)
{
    struct pex_build p = {0};

    RESOLVE(&p, "{\"distributions\": {\"a-1-py3-none-any.whl\": \"\"}}",
            "P: .deps/a-1-py3-none-any.whl: PEX-INFO lists it, but the PEX "
            "does not have it");
    RESOLVE(&p, "{\"distributions\": {\"../a.whl\": \"\"}}",
            "P: PEX-INFO: '../a.whl' is not the name of a distribution");
    RESOLVE(&p, "{\"distributions\": {\"a-1.tar.gz\": \"\"}}",
            "P: .deps/a-1.tar.gz: a source distribution cannot be packed: "
            "build the PEX with wheels");
    pex_add(&p.zip, "", ".deps/a-1-py3-none-any.whl/a.py");
    RESOLVE(&p, "{\"distributions\": {\"a-1-py3-none-any.whl\": \"\"}}",
            "P: .deps/a-1-py3-none-any.whl: no .dist-info directory with "
            "METADATA: not an installed wheel or wheel file");
    pex_add(&p.zip, "this is no archive at all", ".deps/a-1-py3-none-any.whl");
    RESOLVE(&p, "{\"distributions\": {\"a-1-py3-none-any.whl\": \"\"}}",
            "P: .deps/a-1-py3-none-any.whl: not a zip file");
    pex_add_dist(&p, "a", "1", "py3-none-any", "Requires-Dist: b c\n");
    RESOLVE(&p, "{\"distributions\": {\"a-1-py3-none-any.whl\": \"\"}}",
            "P: .deps/a-1-py3-none-any.whl/a-1.dist-info/METADATA: "
            "Requires-Dist: invalid requirement 'b c': a version specifier, "
            "';' or the end expected at column 3");
    pex_add(&p.zip, "Summary: x\n",
            ".deps/a-1-py3-none-any.whl/a-1.dist-info/METADATA");
    RESOLVE(&p, "{\"distributions\": {\"a-1-py3-none-any.whl\": \"\"}}",
            "P: .deps/a-1-py3-none-any.whl/a-1.dist-info/METADATA: no Name");
    pex_add_dist(&p, "a", "1", "py3-none-any", "");
    pex_add(&p.zip, "[console_scripts]\nx = os; system('id')\n",
            ".deps/a-1-py3-none-any.whl/a-1.dist-info/entry_points.txt");
    RESOLVE(&p, "{\"distributions\": {\"a-1-py3-none-any.whl\": \"\"}}",
            "P: .deps/a-1-py3-none-any.whl/a-1.dist-info/entry_points.txt: "
            "'os; system('id')' is not an entry point of the form MODULE or "
            "MODULE:FUNCTION");
    pex_add_dist(&p, "a", "1", "py3-none-any", "");
    pex_add(&p.zip, "[console_scripts]\n../x = os\n",
            ".deps/a-1-py3-none-any.whl/a-1.dist-info/entry_points.txt");
    RESOLVE(&p, "{\"distributions\": {\"a-1-py3-none-any.whl\": \"\"}}",
            "P: .deps/a-1-py3-none-any.whl/a-1.dist-info/entry_points.txt: "
            "'../x = os' is not of the form NAME = MODULE:FUNCTION");
    RESOLVE(&p, "{\"requirements\": 1}",
            "P: PEX-INFO: field \"requirements\" must be a list of strings, "
            "not an integer");
}

int
main(void)
{
    test_walk();
    test_rank();
    test_patch_release();
    test_exclude_override();
    test_unresolved();
    test_constraints();
    test_bad_pex();
    CHECK_DONE();
}
