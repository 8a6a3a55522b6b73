/* SPDX-License-Identifier: Apache-2.0 */
/* Both ways to compute it, against sums of Python's hashlib. */
#include "../../packer/sha256.c" /* for what is static there */

#include "check.h"

static const struct {
    size_t len;
    const char *sum;
} cases[] = {
    {0, "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"},
    {3, "arDbofTx37s3tPnusJLAn8pJAK0yvc0UfY3eNdbIfDU"},
    {55, "1gTcg8dUu1iQ7AEfP6BVIyTLFBIgW1peg_0XzUr-V-0"},
    {56, "A3Hj_UkRzkEJrJqt3A69_ihDGALvcKlmyyRdpYXyo34"},
    {63, "3o9Ubl1E1Ps10lrydI7ZtmRNIA1WtrC25xsJW0Q0jcY"},
    {64, "NeuMgLSvlwoFBA3RUdXtrWFylXwd7SflIf3PUmF4_rM"},
    {65, "yWmIZjvNN3naWxwOSZdC_0i_YUjVwEQybOPlhFqA5qs"},
    {119, "f7OGlkithCDy4aIIEqYbpFw9sB3Hs5HUjCqMHW9BvjU"},
    {120, "nbK7NePpj1ArZU6C8AUe6_pFAV427Yw6KNRFhu_3Nys"},
    {128, "CG5krzvkvvWSAt6iZ3dru75iZK2f8LRjRXQ__8RGI44"},
    {1000, "5mxlY-N5f4RXPvff46Rg1dV5lnKX7yAVDYnwxuNYIh4"},
    {4096, "c1gt3ka_sD_zJ-z0ycjGSgMn0YS1ARkVA2UXAWMYkCQ"},
};

#define CASE_COUNT (sizeof(cases) / sizeof(cases[0]))

static void
fill(uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)((i * 7 + len) % 251);
    }
}

static void
test_sums(void)
{
    uint8_t data[4096];
    char text[PEXCZ_RECORD_HASH_SIZE];

    for (size_t i = 0; i < CASE_COUNT; i++) {
        fill(data, cases[i].len);
        pexcz_record_hash(pexcz_slice_make(data, cases[i].len), text);
        CHECK(strncmp(text, "sha256=", 7) == 0);
        CHECK_STR(text + 7, cases[i].sum);
    }
}

/* Wherever the blocks lie, and however many there are. */
static void
test_plain_is_the_same(void)
{
#if defined(__x86_64__)
    static uint8_t data[64 * 9 + 1];
    uint32_t plain[8];
    uint32_t fast[8];

    if (!has_instructions()) {
        return;
    }
    fill(data, sizeof(data));
    for (size_t blocks = 0; blocks < 9; blocks++) {
        for (size_t i = 0; i < 8; i++) {
            plain[i] = fast[i] = round_constants[i + blocks];
        }
        compress_plain(plain, data + 1, blocks);
        compress_fast(fast, data + 1, blocks);
        CHECK(memcmp(plain, fast, sizeof(plain)) == 0);
    }
#endif
}

int
main(void)
{
    test_sums();
    test_plain_is_the_same();
    CHECK_DONE();
}
