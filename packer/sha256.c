/* SPDX-License-Identifier: Apache-2.0 */
#include "sha256.h"

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
compress(uint32_t h[8], const uint8_t *p)
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
    for (size_t i = 0; i < 64; i++) {
        uint32_t s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
        uint32_t s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
        uint32_t t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6]))
                      + round_constants[i] + w[i];
        uint32_t t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

        memmove(v + 1, v, 7 * sizeof(v[0]));
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (size_t i = 0; i < 8; i++) {
        h[i] += v[i];
    }
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

    for (size_t i = 0; i < whole; i++) {
        compress(h, data.ptr + i * 64);
    }
    if (rest != 0) {
        memcpy(tail, data.ptr + whole * 64, rest);
    }
    tail[rest] = 0x80;
    for (size_t i = 0; i < 8; i++) {
        tail[tail_len - 1 - i] = (uint8_t)(bits >> (8 * i));
    }
    for (size_t i = 0; i < tail_len; i += 64) {
        compress(h, tail + i);
    }
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
