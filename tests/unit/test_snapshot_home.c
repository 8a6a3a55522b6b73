/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_home.h"

#include "check.h"

#include <string.h>

#define SIZE PEXCZ_SNAPSHOT_HOME_SIZE

/* The two homes of a snapshot have a slash, a component, and no character in
 * common. */
static void
test_two_homes(void)
{
    char first[SIZE + 1];
    char second[SIZE + 1];
    char again[SIZE + 1];

    pexcz_snapshot_home_make(false, first);
    pexcz_snapshot_home_make(true, second);
    pexcz_snapshot_home_make(false, again);
    CHECK_STR(first, again);
    CHECK_EQ(strlen(first), SIZE);
    CHECK_EQ(strlen(second), SIZE);
    CHECK(first[0] == '/' && second[0] == '/');
    CHECK(strpbrk(first + 1, second) == NULL);
    CHECK(pexcz_snapshot_home_fits(first));
    CHECK(pexcz_snapshot_home_fits(second));
}

static void
test_samples(void)
{
    for (size_t i = 0; i < PEXCZ_SNAPSHOT_HOME_SAMPLES; i++) {
        CHECK(pexcz_snapshot_home_fits(pexcz_snapshot_home_samples[i]));
    }
}

static void
test_fits(void)
{
    static const char *const good[]
        = {"/a", "/a/b", "/.a", "/...", "/a.b/..c/c..", "/A_b-c@d.9/-"};
    static const char *const bad[]
        = {"",      "a",    "a/b", "/",    "//",   "//a",       "/a/",
           "/a//b", "/.",   "/..", "/./a", "/a/.", "/a/..",     "/a/../b",
           "/a b",  "/a\n", "/~",  "/$a",  "/a:b", "/\xc3\xa9", "~"};
    char longest[SIZE + 2];

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        CHECK(pexcz_snapshot_home_fits(good[i]));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(!pexcz_snapshot_home_fits(bad[i]));
    }
    memset(longest, 'a', sizeof(longest));
    longest[0] = '/';
    longest[SIZE + 1] = '\0';
    CHECK(!pexcz_snapshot_home_fits(longest));
    longest[SIZE] = '\0';
    CHECK(pexcz_snapshot_home_fits(longest));
}

int
main(void)
{
    test_two_homes();
    test_samples();
    test_fits();
    CHECK_DONE();
}
