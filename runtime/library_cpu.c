/* SPDX-License-Identifier: Apache-2.0 */
#include "library_cpu.h"

#include <cpuid.h>

#define OSXSAVE (1u << 27)

void
pexcz_cpu_facts(uint32_t ret[PEXCZ_SNAPSHOT_CPU_FACTS])
{
    uint32_t a;
    uint32_t b;
    uint32_t c;
    uint32_t d;

    memset(ret, 0, PEXCZ_SNAPSHOT_CPU_FACTS * sizeof(*ret));
    if (__get_cpuid(1, &a, &b, &c, &d) != 0) {
        ret[0] = a;
        ret[1] = c;
        ret[2] = d;
    }
    if ((ret[1] & OSXSAVE) != 0) {
        __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
        ret[3] = a;
    }
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) != 0) {
        ret[4] = b;
        ret[5] = c;
        ret[6] = d;
        if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0) {
            ret[7] = a;
        }
    }
    if (__get_cpuid(0x80000001, &a, &b, &c, &d) != 0) {
        ret[8] = c;
        ret[9] = d;
    }
}

bool
pexcz_cpu_is_asked(struct pexcz_slice code)
{
    static const uint8_t cpuid[] = {0x0f, 0xa2};
    static const uint8_t xgetbv[] = {0x0f, 0x01, 0xd0};

    return memmem(code.ptr, code.len, cpuid, sizeof(cpuid)) != NULL
           || memmem(code.ptr, code.len, xgetbv, sizeof(xgetbv)) != NULL;
}
