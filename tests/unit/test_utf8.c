/* SPDX-License-Identifier: Apache-2.0 */
/* packer/utf8: what is UTF-8, and text that is fit for a terminal. */
#include "check.h"
#include "utf8.h"

static void
test_valid(void)
{
    static const char *const good[] = {"",
                                       "a",
                                       "\xc3\xa9",
                                       "\xe2\x82\xac",
                                       "\xf0\x9f\x98\x80",
                                       "\xed\x9f\xbf",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[]
        = {"\x80",         "\xc3",         "\xc0\xaf",
           "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
           "\xff",         "a\xe2\x82"};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        CHECK(pexcz_utf8_valid(pexcz_slice_str(good[i])));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(!pexcz_utf8_valid(pexcz_slice_str(bad[i])));
    }
}

static const char *
escape(const char *text, size_t size)
{
    static char shown[64];

    pexcz_utf8_escape(pexcz_slice_str(text), shown, size);
    return shown;
}

static void
test_escape(void)
{
    CHECK_STR(escape("a b\xc3\xa9", 64), "a b\xc3\xa9");
    CHECK_STR(escape("a\n\x1b[31m\x7f\\", 64), "a\\x0a\\x1b[31m\\x7f\\x5c");
    CHECK_STR(escape("\xff\xc2\x9b"
                     "1m",
                     64),
              "\\xff\\xc2\\x9b1m");
    CHECK_STR(escape("0123456789", 12), "01234...");
    CHECK_STR(escape("0123", 12), "0123");
}

static const char *
clean(const char *text)
{
    static char copy[64];

    (void)snprintf(copy, sizeof(copy), "%s", text);
    pexcz_utf8_clean(copy);
    return copy;
}

static void
test_clean(void)
{
    CHECK_STR(clean("a\\x0a \xc3\xa9"), "a\\x0a \xc3\xa9");
    CHECK_STR(clean("first\n  second\n  third"), "first\n  second\n  third");
    CHECK_STR(clean("a\nb\n"), "a?b?");
    CHECK_STR(clean("\x1b[31m\r\t\x7f"), "?[31m???");
    CHECK_STR(clean("\xc2\x9b"
                    "1m\xff"),
              "??1m?");
}

int
main(void)
{
    test_valid();
    test_escape();
    test_clean();
    CHECK_DONE();
}
