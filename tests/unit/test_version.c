/* SPDX-License-Identifier: Apache-2.0 */
#include "specifier.h"

#include "check.h"

static struct pexcz_error err;

static void
test_order(void)
{
    /* The example of PEP 440, and numbers beyond 64 bits. */
    static const char *const sorted[] = {"1.dev0",
                                         "1.0.dev456",
                                         "1.0a1",
                                         "1.0a2.dev456",
                                         "1.0a12.dev456",
                                         "1.0a12",
                                         "1.0b1.dev456",
                                         "1.0b2",
                                         "1.0b2.post345.dev456",
                                         "1.0b2.post345",
                                         "1.0rc1.dev456",
                                         "1.0rc1",
                                         "1.0",
                                         "1.0+abc.5",
                                         "1.0+abc.7",
                                         "1.0+5",
                                         "1.0.post456.dev34",
                                         "1.0.post456",
                                         "1.0.15",
                                         "1.1.dev1",
                                         "99999999999999999999",
                                         "100000000000000000000",
                                         "1!0.1"};
    size_t n = sizeof(sorted) / sizeof(sorted[0]);

    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n; k++) {
            struct pexcz_version a;
            struct pexcz_version b;
            int c;

            CHECK(pexcz_version_parse(pexcz_slice_str(sorted[i]), &a));
            CHECK(pexcz_version_parse(pexcz_slice_str(sorted[k]), &b));
            c = pexcz_version_cmp(&a, &b);
            CHECK_EQ((c > 0) - (c < 0), (i > k) - (i < k));
        }
    }
}

static void
test_forms(void)
{
    static const char *const equal[][2] = {{"1.0", "v1"},
                                           {"1.0.0", "1"},
                                           {"1.0a1", "1.0-alpha.1"},
                                           {"1.0rc1", "1.0_PREVIEW_1"},
                                           {"1.0rc1", "1.0c1"},
                                           {"1.0.post1", "1.0-1"},
                                           {"1.0.post1", "1.0rev1"},
                                           {"1.0.post0", "1.0.r"},
                                           {"1.0.dev0", "1.0-DEV"},
                                           {"0!1", " 01.000\n"},
                                           {"1+a.1", "1+A_01"}};
    static const char *const bad[]
        = {"",         "a",     "1.", "1..2",      "1.0-", "1.0+",
           "1.0+a..b", "1.0 0", "!1", "1.0dev1a1", "1.*",  "\xc2\xb9"};
    struct pexcz_version a;
    struct pexcz_version b;

    for (size_t i = 0; i < sizeof(equal) / sizeof(equal[0]); i++) {
        CHECK(pexcz_version_parse(pexcz_slice_str(equal[i][0]), &a));
        CHECK(pexcz_version_parse(pexcz_slice_str(equal[i][1]), &b));
        CHECK_EQ(pexcz_version_cmp(&a, &b), 0);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(!pexcz_version_parse(pexcz_slice_str(bad[i]), &a));
    }
}

static bool
contains(const char *set, const char *version)
{
    struct pexcz_arena arena = {0};
    struct pexcz_specifiers specs;
    bool ret;

    CHECK_EQ(
        pexcz_specifiers_parse(pexcz_slice_str(set), &arena, &specs, &err), 0);
    ret = pexcz_specifiers_contain(&specs, pexcz_slice_str(version));
    pexcz_arena_done(&arena);
    return ret;
}

static void
test_specifiers(void)
{
    CHECK(contains("", "1.0"));
    CHECK(contains(" >= 1.0 , < 2 ", "1.5"));
    CHECK(!contains(">=1.0,<2", "2.0.dev1"));
    CHECK(contains("~=1.4.5", "1.4.9") && !contains("~=1.4.5", "1.5"));
    CHECK(contains("~=1.4", "1.9") && !contains("~=1.4", "1.3"));
    CHECK(contains("==1.4.*", "1.4.5a1") && !contains("==1.4.*", "1.40"));
    CHECK(contains("!=1.4.*", "1.5") && !contains("!=1.4.*", "1.4"));
    CHECK(contains("==1.0", "1.0+local") && !contains("==1.0+a", "1.0"));
    CHECK(!contains(">1.0", "1.0.post1") && contains(">1.0.post1", "1.1"));
    CHECK(!contains(">1.0", "1.0+local") && contains("<=1.0", "1.0+local"));
    CHECK(!contains("<1.0", "1.0a1") && contains("<1.0a2", "1.0a1"));
    CHECK(contains("===foo", "FOO") && !contains("===1.0", "1.0.0"));
    CHECK(!contains(">=1", "not a version"));
}

static void
test_bad_specifiers(void)
{
    static const char *const bad[]
        = {"1.0", ">",         ">=1.0.*", "~=1",      ">=1.0+local",
           "=1",  "==1.0.*.*", ">=1;",    "==1.0a1.*"};
    struct pexcz_arena arena = {0};
    struct pexcz_specifiers specs;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK_EQ(pexcz_specifiers_parse(pexcz_slice_str(bad[i]), &arena,
                                        &specs, &err),
                 PEXCZ_E_CORRUPT);
        CHECK(strstr(err.msg, "invalid version specifier '") == err.msg);
    }
    pexcz_arena_done(&arena);
}

static bool
includes(const char *outer, const char *inner)
{
    struct pexcz_arena arena = {0};
    struct pexcz_specifiers a;
    struct pexcz_specifiers b;
    bool ret = false;

    CHECK_EQ(pexcz_specifiers_parse(pexcz_slice_str(outer), &arena, &a, &err),
             0);
    CHECK_EQ(pexcz_specifiers_parse(pexcz_slice_str(inner), &arena, &b, &err),
             0);
    CHECK_EQ(pexcz_specifiers_include(&a, &b, &arena, &ret, &err), 0);
    pexcz_arena_done(&arena);
    return ret;
}

static void
test_includes(void)
{
    CHECK(includes("", "") && includes("", ">=1") && !includes(">=1", ""));
    CHECK(includes(">=1", ">=2") && !includes(">=2", ">=1"));
    CHECK(includes(">=1,<3", "==2.*") && !includes(">=1,<2", ">=1.5,<3"));
    CHECK(includes("<10", "==9.99.*") && includes("<=9", "<9"));
    CHECK(!includes("!=1.5", ">=1") && includes("!=1.5", ">=2"));
    CHECK(includes("!=1.5.*", "==1.6") && !includes("!=1.5.*", "==1.5.2"));
    CHECK(includes(">=1", ">0.5,!=0.9,>=1"));
    CHECK(!includes("", ">2,<1"));
    CHECK(includes("===x", "===x") && !includes("===x", "===y"));
    CHECK(includes(">=9.9", "==9.9.*") && includes("<10", "~=9.9"));
}

int
main(void)
{
    test_order();
    test_forms();
    test_specifiers();
    test_bad_specifiers();
    test_includes();
    CHECK_DONE();
}
