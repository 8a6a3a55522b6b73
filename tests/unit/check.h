/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks for unit tests.  They survive NDEBUG, say where they failed with what
 * values, and let the test go on; CHECK_DONE() makes the exit code.
 *
 *   int main(void)
 *   {
 *       CHECK(pointer != NULL);
 *       CHECK_EQ(count, 3);
 *       CHECK_STR(err.msg, "x.pex: not a zip file");
 *       CHECK_DONE();
 *   }
 */
#ifndef PEXCZ_CHECK_H
#define PEXCZ_CHECK_H

#include <stdio.h>
#include <string.h>

static unsigned check_count;
static unsigned check_failures;

#define CHECK(cond)                                                           \
    do {                                                                      \
        check_count++;                                                        \
        if (!(cond)) {                                                        \
            check_failures++;                                                 \
            (void)fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__,  \
                          #cond);                                             \
        }                                                                     \
    } while (0)

#define CHECK_EQ(got, want)                                                   \
    do {                                                                      \
        long long check_got = (long long)(got);                               \
        long long check_want = (long long)(want);                             \
                                                                              \
        check_count++;                                                        \
        if (check_got != check_want) {                                        \
            check_failures++;                                                 \
            (void)fprintf(stderr, "%s:%d: failed: %s is %lld, not %lld\n",    \
                          __FILE__, __LINE__, #got, check_got, check_want);   \
        }                                                                     \
    } while (0)

#define CHECK_STR(got, want)                                                  \
    do {                                                                      \
        const char *check_got = (got);                                        \
        const char *check_want = (want);                                      \
                                                                              \
        check_count++;                                                        \
        if (check_got == NULL || strcmp(check_got, check_want) != 0) {        \
            check_failures++;                                                 \
            (void)fprintf(stderr,                                             \
                          "%s:%d: failed: %s\n  is     \"%s\"\n  not    "     \
                          "\"%s\"\n",                                         \
                          __FILE__, __LINE__, #got,                           \
                          check_got == NULL ? "(NULL)" : check_got,           \
                          check_want);                                        \
        }                                                                     \
    } while (0)

#define CHECK_DONE()                                                          \
    do {                                                                      \
        if (check_failures != 0) {                                            \
            (void)fprintf(stderr, "%u of %u checks failed\n", check_failures, \
                          check_count);                                       \
            return 1;                                                         \
        }                                                                     \
        (void)printf("ok %u\n", check_count);                                 \
        return 0;                                                             \
    } while (0)

#endif
