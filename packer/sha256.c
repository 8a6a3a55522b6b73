/* SPDX-License-Identifier: Apache-2.0 */
#include "sha256.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>
#endif

static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t
rotate(uint32_t v, unsigned n)
{
    return v >> n | v << (32 - n);
}

static void
compress_block(uint32_t h[8], const uint8_t *p)
{
    uint32_t w[64];
    uint32_t v[8];

    for (size_t i = 0; i < 16; i++) {
        w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16
               | (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
    }
    for (size_t i = 16; i < 64; i++) {
        uint32_t s0
            = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1
            = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;

        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    memcpy(v, h, sizeof(v));
    /* Each round names the eight words anew instead of moving them. */
    for (unsigned i = 0; i < 64; i++) {
        uint32_t a = v[(0 - i) & 7];
        uint32_t b = v[(1 - i) & 7];
        uint32_t c = v[(2 - i) & 7];
        uint32_t e = v[(4 - i) & 7];
        uint32_t f = v[(5 - i) & 7];
        uint32_t g = v[(6 - i) & 7];
        uint32_t t1 = v[(7 - i) & 7] + round_constants[i] + w[i]
                      + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25))
                      + ((e & f) ^ (~e & g));

        v[(3 - i) & 7] += t1;
        v[(7 - i) & 7] = t1 + (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22))
                         + ((a & b) ^ (a & c) ^ (b & c));
    }
    for (size_t i = 0; i < 8; i++) {
        h[i] += v[i];
    }
}

static void
compress_plain(uint32_t h[8], const uint8_t *p, size_t blocks)
{
    for (size_t i = 0; i < blocks; i++) {
        compress_block(h, p + 64 * i);
    }
}

#if defined(__x86_64__)

static bool
ask_processor(void)
{
    unsigned a;
    unsigned b;
    unsigned c;
    unsigned d;

    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_SSSE3) != 0
           && (c & bit_SSE4_1) != 0
           && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0
           && (b & bit_SHA) != 0;
}

/* Asking is slow in a virtual machine. */
static bool
has_instructions(void)
{
    static atomic_int answer; /* 0: not asked yet */
    int known = atomic_load_explicit(&answer, memory_order_relaxed);

    if (known == 0) {
        known = ask_processor() ? 1 : -1;
        atomic_store_explicit(&answer, known, memory_order_relaxed);
    }
    return known > 0;
}

/* The instructions want the words as ABEF and CDGH, the highest first. */
__attribute__((target("sha,sse4.1"))) static void
compress_fast(uint32_t h[8], const uint8_t *p, size_t blocks)
{
    const __m128i swap
        = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i low = _mm_loadu_si128((const __m128i *)(const void *)h);
    __m128i high = _mm_loadu_si128((const __m128i *)(const void *)(h + 4));
    __m128i abef;
    __m128i cdgh;

    low = _mm_shuffle_epi32(low, 0xb1);
    high = _mm_shuffle_epi32(high, 0x1b);
    abef = _mm_alignr_epi8(low, high, 8);
    cdgh = _mm_blend_epi16(high, low, 0xf0);
    for (; blocks > 0; blocks--, p += 64) {
        __m128i old_abef = abef;
        __m128i old_cdgh = cdgh;
        __m128i w[4];

        for (size_t i = 0; i < 4; i++) {
            w[i] = _mm_loadu_si128((const __m128i *)(const void *)p + i);
            w[i] = _mm_shuffle_epi8(w[i], swap);
        }
        /* Four rounds each; w[] has the words of these and the next twelve. */
        for (size_t i = 0; i < 16; i++) {
            const void *k = round_constants + 4 * i;
            __m128i wk
                = _mm_add_epi32(w[i & 3], _mm_loadu_si128((const __m128i *)k));
            __m128i next;

            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, wk);
            wk = _mm_shuffle_epi32(wk, 0x0e);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, wk);
            next = _mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]);
            next = _mm_add_epi32(
                next, _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4));
            w[i & 3] = _mm_sha256msg2_epu32(next, w[(i + 3) & 3]);
        }
        abef = _mm_add_epi32(abef, old_abef);
        cdgh = _mm_add_epi32(cdgh, old_cdgh);
    }
    low = _mm_shuffle_epi32(abef, 0x1b);
    high = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)h, _mm_blend_epi16(low, high, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(h + 4),
                     _mm_alignr_epi8(high, low, 8));
}

#endif

static void
compress(uint32_t h[8], const uint8_t *p, size_t blocks)
{
#if defined(__x86_64__)
    if (has_instructions()) {
        compress_fast(h, p, blocks);
        return;
    }
#endif
    compress_plain(h, p, blocks);
}

void
pexcz_sha256(struct pexcz_slice data, uint8_t ret[PEXCZ_SHA256_SIZE])
{
    uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    uint8_t tail[128] = {0};
    size_t whole = data.len / 64;
    size_t rest = data.len % 64;
    size_t tail_len = rest < 56 ? 64 : 128;
    uint64_t bits = (uint64_t)data.len * 8;

    compress(h, data.ptr, whole);
    if (rest != 0) {
        memcpy(tail, data.ptr + whole * 64, rest);
    }
    tail[rest] = 0x80;
    for (size_t i = 0; i < 8; i++) {
        tail[tail_len - 1 - i] = (uint8_t)(bits >> (8 * i));
    }
    compress(h, tail, tail_len / 64);
    for (size_t i = 0; i < PEXCZ_SHA256_SIZE; i++) {
        ret[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
    }
}

void
pexcz_record_hash(struct pexcz_slice data, char ret[PEXCZ_RECORD_HASH_SIZE])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t sum[PEXCZ_SHA256_SIZE + 1] = {0};
    size_t at = strlen("sha256=");

    memcpy(ret, "sha256=", at);
    pexcz_sha256(data, sum);
    /* 256 bits are 42 whole digits and one of four bits. */
    for (size_t bit = 0; bit < 8 * PEXCZ_SHA256_SIZE; bit += 6) {
        unsigned pair
            = (unsigned)sum[bit / 8] << 8 | (unsigned)sum[bit / 8 + 1];

        ret[at++] = digits[pair >> (10 - bit % 8) & 63];
    }
    ret[at] = '\0';
}
