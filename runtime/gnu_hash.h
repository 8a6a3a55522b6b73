/* SPDX-License-Identifier: Apache-2.0 */
/* What a symbol's name is found by in the table of DT_GNU_HASH. */
#ifndef PEXCZ_GNU_HASH_H
#define PEXCZ_GNU_HASH_H

#include <stdint.h>

static inline uint32_t
pexcz_gnu_hash(const char *name)
{
    uint32_t hash = 5381;

    for (const unsigned char *p = (const unsigned char *)name; *p != '\0';
         p++) {
        hash = hash * 33 + *p;
    }
    return hash;
}

#endif
