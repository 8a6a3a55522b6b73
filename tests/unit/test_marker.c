/* SPDX-License-Identifier: Apache-2.0 */
#include "requirement.h"

#include "check.h"

static struct pexcz_error err;

static const struct pexcz_target target = {
    .major = 3,
    .minor = 11,
    .micro = 2,
    .arch = "x86_64",
    .glibc_major = 2,
    .glibc_minor = 36,
};

/* 0, 1, or the error's code. */
static int
eval(const char *text, const char *extra)
{
    struct pexcz_arena arena = {0};
    struct pexcz_marker_env env;
    const struct pexcz_marker *m;
    bool value = false;
    int rc;

    err.msg[0] = '\0';
    pexcz_marker_env_init(&env, &target);
    rc = pexcz_marker_parse(pexcz_slice_str(text), &arena, &m, &err);
    if (rc == 0) {
        rc = pexcz_marker_eval(m, &env, extra, &value, &err);
    }
    pexcz_arena_done(&arena);
    return rc < 0 ? rc : value;
}

static void
test_eval(void)
{
    CHECK_EQ(eval("python_version >= '3.8'", ""), 1);
    CHECK_EQ(eval("python_version < '3.10'", ""), 0);
    CHECK_EQ(eval("'3.8' <= python_version", ""), 1);
    CHECK_EQ(eval("python_full_version == '3.11.*'", ""), 1);
    CHECK_EQ(eval("sys_platform == 'linux' and os_name=='posix'", ""), 1);
    CHECK_EQ(eval("sys.platform == 'win32' or os.name == 'posix'", ""), 1);
    CHECK_EQ(eval("os_name == 'nt' and os_name == 'posix' or "
                  "os_name == 'posix'",
                  ""),
             1);
    CHECK_EQ(eval("os_name == 'posix' and (os_name == 'nt' or "
                  "sys_platform != 'linux')",
                  ""),
             0);
    CHECK_EQ(eval("platform_machine in 'x86_64 aarch64'", ""), 1);
    CHECK_EQ(eval("platform_machine not in 'x86_64 aarch64'", ""), 0);
    CHECK_EQ(eval("'linux' in sys_platform", ""), 1);
    CHECK_EQ(eval("python_implementation == \"CPython\"", ""), 1);
    CHECK_EQ(eval("implementation_name == 'cpython'", ""), 1);
    CHECK_EQ(eval("platform_system > 'A'", ""), 0);
    CHECK_EQ(eval("extra == 'Tls_Extra'", "tls-extra"), 1);
    CHECK_EQ(eval("'TLS' == extra", "tls"), 1);
    CHECK_EQ(eval("extra == 'tls'", ""), 0);
    CHECK_EQ(eval("extra != 'tls'", ""), 1);
    CHECK_EQ(eval("python_version in '3.11, 3.12'", ""), 1);
}

static void
test_bad(void)
{
    static const char *const bad[] = {"",
                                      "python_version",
                                      "python_version >=",
                                      "'a' == ",
                                      "python_version >= 3",
                                      "pythonversion == '3'",
                                      "python_version >= '3' and",
                                      "(os_name == 'posix'",
                                      "os_name == 'posix')",
                                      "os_name notin 'x'",
                                      "os_name not 'x'",
                                      "os_name == 'a\\n'",
                                      "os_name == 'open",
                                      "os_name = 'x'"};
    char deep[400];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_EQ(eval(bad[i], ""), PEXCZ_E_CORRUPT);
        CHECK(strstr(err.msg, "invalid marker '") == err.msg);
    }
    CHECK_EQ(eval("os_name ~= 'posix'", ""), PEXCZ_E_CORRUPT);
    CHECK_STR(err.msg, "undefined marker comparison: 'os_name' ~= 'posix'");
    CHECK_EQ(eval("'a' == 'b'", ""), PEXCZ_E_CORRUPT);
    CHECK_EQ(eval("extras == 'b'", ""), PEXCZ_E_CORRUPT);
    memset(deep, '(', sizeof(deep) - 1);
    deep[sizeof(deep) - 1] = '\0';
    CHECK_EQ(eval(deep, ""), PEXCZ_E_CORRUPT);
}

static void
test_requirements(void)
{
    struct pexcz_arena arena = {0};
    struct pexcz_marker_env env;
    struct pexcz_requirement req = {0};
    struct pexcz_strings extras = {0};
    bool applies = false;

    pexcz_marker_env_init(&env, &target);
    CHECK_EQ(pexcz_requirement_parse(
                 pexcz_slice_str(" Foo.Bar_baz [ one , Two,one ] (>=1.0, "
                                 "<2) ; extra == 'x' "),
                 &arena, &req, &err),
             0);
    CHECK_STR(req.name, "Foo.Bar_baz");
    CHECK_STR(req.key, "foo-bar-baz");
    CHECK_EQ(req.extras.count, 2);
    CHECK_STR(req.extras.items[1], "Two");
    CHECK_EQ(req.specifiers.count, 2);
    CHECK(pexcz_requirement_contains(&req, "foo-bar-baz",
                                     pexcz_slice_str("1.5")));
    CHECK(!pexcz_requirement_contains(&req, "foo-bar-baz",
                                      pexcz_slice_str("2.0")));
    CHECK(!pexcz_requirement_contains(&req, "other", pexcz_slice_str("1.5")));
    CHECK_EQ(
        pexcz_requirement_applies(&req, &env, NULL, &arena, &applies, &err),
        0);
    CHECK(!applies);
    CHECK_EQ(pexcz_strings_add(&extras, &arena, pexcz_slice_str("y"), &err),
             0);
    CHECK_EQ(pexcz_strings_add(&extras, &arena, pexcz_slice_str("X"), &err),
             0);
    CHECK_EQ(
        pexcz_requirement_applies(&req, &env, &extras, &arena, &applies, &err),
        0);
    CHECK(applies);

    CHECK_EQ(pexcz_requirement_parse(
                 pexcz_slice_str("a @ https://e.org/a-1.whl ; os_name=='nt'"),
                 &arena, &req, &err),
             0);
    CHECK(pexcz_slice_eq(req.url, pexcz_slice_str("https://e.org/a-1.whl")));
    CHECK(req.marker != NULL);
    CHECK_EQ(pexcz_requirement_parse(pexcz_slice_str("a===legacy!"), &arena,
                                     &req, &err),
             0);
    CHECK(pexcz_requirement_contains(&req, "a", pexcz_slice_str("legacy!")));
    pexcz_arena_done(&arena);
}

static void
test_bad_requirements(void)
{
    static const char *const bad[]
        = {"",    "-a",          "a b",      "a>=",    "a>=1 b", "a[",
           "a[x", "a[x,]",       "a[x y]",   "a @",    "a (>=1", "a>=1.0.*",
           "a;",  "a; nonsense", "\xc3\xa9", "a==1,,2"};
    struct pexcz_arena arena = {0};
    struct pexcz_requirement req;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_EQ(pexcz_requirement_parse(pexcz_slice_str(bad[i]), &arena, &req,
                                         &err),
                 PEXCZ_E_CORRUPT);
    }
    CHECK_EQ(pexcz_requirement_parse(pexcz_slice_str("a\x1b b"), &arena, &req,
                                     &err),
             PEXCZ_E_CORRUPT);
    CHECK_STR(err.msg, "invalid requirement 'a\\x1b b': a version "
                       "specifier, ';' or the end expected at column 2");
    pexcz_arena_done(&arena);
}

int
main(void)
{
    test_eval();
    test_bad();
    test_requirements();
    test_bad_requirements();
    CHECK_DONE();
}
