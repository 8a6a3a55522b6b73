/* SPDX-License-Identifier: Apache-2.0 */
#include "x86_length.h"

#include "check.h"

#include <stdint.h>
#include <string.h>

static size_t
length(const char *bytes, size_t size, size_t *ret_opcode)
{
    return pexcz_x86_length(pexcz_slice_make(bytes, size), ret_opcode);
}

struct example {
    const char *bytes; /* without NULs */
    size_t opcode;
};

/* One instruction each. */
static const struct example examples[] = {
    {"\x90", 0},                                     /* nop */
    {"\x55", 0},                                     /* push rbp */
    {"\x48\x89\xe5", 1},                             /* mov rbp, rsp */
    {"\x41\x57", 1},                                 /* push r15 */
    {"\xf3\x0f\x1e\xfa", 1},                         /* endbr64 */
    {"\x0f\xa2", 0},                                 /* cpuid */
    {"\x0f\x01\xd0", 0},                             /* xgetbv */
    {"\xb8\x0f\xa2\x11\x11", 0},                     /* mov eax, imm32 */
    {"\x66\xb8\x0f\xa2", 1},                         /* mov ax, imm16 */
    {"\x48\xb8\x0f\xa2\x11\x11\x11\x11\x11\x11", 1}, /* mov rax, imm64 */
    {"\x48\xc7\xc0\x0f\xa2\x11\x11", 1},             /* mov rax, imm32 */
    {"\xe8\x0f\xa2\x11\x11", 0},                     /* call */
    {"\x66\x66\x48\xe8\x11\x11\x11\x11", 3},         /* of __tls_get_addr() */
    {"\x0f\x84\x0f\xa2\x11\x11", 0},                 /* je */
    {"\x74\x11", 0},                                 /* je, near */
    {"\x48\x8d\x05\x0f\xa2\x11\x11", 1},             /* lea rax, [rip + x] */
    {"\x48\x8b\x44\x24\x11", 1},                     /* mov rax, [rsp + 17] */
    {"\x48\x8b\x84\x24\x0f\xa2\x11\x11", 1},         /* mov rax, [rsp + x] */
    {"\x48\x8b\x04\x25\x0f\xa2\x11\x11", 1},         /* mov rax, [x] */
    {"\x8b\x04\x0f", 0},                             /* mov eax, [rdi + rcx] */
    {"\x64\x48\x8b\x04\x25\x28\x11\x11\x11", 2},     /* mov rax, fs:x */
    {"\xa1\x0f\xa2\x11\x11\x11\x11\x11\x11", 0},     /* mov eax, [x64] */
    {"\x67\xa1\x0f\xa2\x11\x11", 1},                 /* mov eax, [x32] */
    {"\xf6\xc3\x11", 0},                             /* test bl, 17 */
    {"\xf6\xd3", 0},                                 /* not bl */
    {"\xf7\xc3\x0f\xa2\x11\x11", 0},                 /* test ebx, x */
    {"\xf7\xf1", 0},                                 /* div ecx */
    {"\x66\x81\xc3\x0f\xa2", 1},                     /* add bx, x */
    {"\x83\xc3\x11", 0},                             /* add ebx, 17 */
    {"\x69\xc3\x0f\xa2\x11\x11", 0},                 /* imul eax, ebx, x */
    {"\xc8\x0f\xa2\x11", 0},                         /* enter */
    {"\x66\x2e\x0f\x1f\x84\x11\x11\x11\x11\x11", 2}, /* nop, long */
    {"\x0f\xba\xe0\x11", 0},                         /* bt eax, 17 */
    {"\x66\x0f\x3a\x0f\xc1\x11", 1},                 /* palignr */
    {"\x66\x0f\x38\x01\xc1", 1},                     /* phaddw */
    {"\xf2\x0f\x10\x05\x0f\xa2\x11\x11", 1},     /* movsd xmm0, [rip + x] */
    {"\xc5\xf8\x77", 0},                         /* vzeroupper */
    {"\xc5\xf8\x28\xc1", 0},                     /* vmovaps xmm0, xmm1 */
    {"\xc5\xf9\x70\xc1\x11", 0},                 /* vpshufd */
    {"\xc4\xe2\x7d\x18\x05\x0f\xa2\x11\x11", 0}, /* vbroadcastss */
    {"\xc4\xe3\x75\x46\xc2\x31", 0},             /* vperm2i128 */
    {"\x62\xf1\x7c\x48\x28\xc1", 0},             /* vmovaps zmm0, zmm1 */
    {"\x62\xf3\x75\x48\x25\xc2\xff", 0},         /* vpternlogd */
    {"\x62\xf1\x7c\x48\x28\x44\x24\x11", 0},     /* vmovaps zmm0, [rsp + x] */
    {"\xd9\x7c\x24\x11", 0},                     /* fnstcw */
    {"\xf3\xa4", 1},                             /* rep movsb */
    {"\xf0\x48\x0f\xb1\x17", 2},                 /* lock cmpxchg */
};

static void
test_lengths(void)
{
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        const struct example *e = &examples[i];
        size_t size = strlen(e->bytes);
        size_t opcode = 99;
        char longer[32];

        CHECK_EQ(length(e->bytes, size, &opcode), size);
        CHECK_EQ(opcode, e->opcode);
        memset(longer, 0x11, sizeof(longer));
        memcpy(longer, e->bytes, size);
        CHECK_EQ(length(longer, sizeof(longer), &opcode), size);
        for (size_t n = 0; n < size; n++) {
            CHECK_EQ(length(e->bytes, n, &opcode), 0);
        }
    }
}

static void
test_refused(void)
{
    static const char *const none[] = {
        "\x06\x11\x11\x11\x11\x11",     /* push es */
        "\x82\xc3\x11",                 /* add, of 32-bit code */
        "\x9a\x11\x11\x11\x11\x11\x11", /* call, far */
        "\xd5\x11\x11\x11",             /* REX2 */
        "\x8f\xe8\x78\xc2\xc1\x11",     /* XOP */
        "\x0f\x04\x11\x11",             /* nothing */
        "\x66\x0f\x78\xc1\x11\x11",     /* extrq */
        "\xc4\xe8\x78\x28\xc1\x11",     /* VEX, map 8 */
        "\x62\xf9\x7c\x48\x28\xc1",     /* EVEX with a bit set */
        ("\x66\x66\x66\x66\x66\x66\x66\x66\x66"
         "\x66\x66\x66\x66\x66\x66\x66\x66\x90"), /* too long */
    };
    size_t opcode;

    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        CHECK_EQ(length(none[i], strlen(none[i]), &opcode), 0);
    }
}

/* Whatever the bytes are, it stays within them. */
static void
test_any_bytes(void)
{
    uint64_t state = 1;
    size_t opcode;

    for (int i = 0; i < 100000; i++) {
        char bytes[16];
        size_t size = (size_t)i % sizeof(bytes);
        size_t n;

        for (size_t k = 0; k < size; k++) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            bytes[k] = (char)(state >> 56);
        }
        n = length(bytes, size, &opcode);
        CHECK(n <= size && (n == 0 || opcode < n));
    }
}

int
main(void)
{
    test_lengths();
    test_refused();
    test_any_bytes();
    CHECK_DONE();
}
