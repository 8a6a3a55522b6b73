/* SPDX-License-Identifier: Apache-2.0 */
#include "library_entropy.h"

#include "library_direct.h"
#include "library_watch.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* linux/random.h: for callers that need no secret. */
#define INSECURE 4u

static struct {
    bool making;
    uint8_t id[16];
    uint64_t drawn;
} entropy;

void
pexcz_library_entropy_begin(const uint8_t id[16])
{
    entropy.making = true;
    memcpy(entropy.id, id, sizeof(entropy.id));
}

/* Libraries that draw nothing but seeds of hash tables, by a function that
 * they have. */
static bool
draws_seeds_only(const void *caller)
{
    static const char *const marks[] = {
        "xmlDictCreate",         /* libxml2 */
        "XML_ParserCreate_MM",   /* expat */
        "PyInit__pydantic_core", /* ahash */
    };

    return pexcz_library_has_any(caller, marks,
                                 sizeof(marks) / sizeof(marks[0]));
}

static void
fill(uint8_t *bytes, size_t size)
{
    while (size != 0) {
        uint64_t word = XXH3_64bits_withSeed(entropy.id, sizeof(entropy.id),
                                             ++entropy.drawn);
        size_t n = size < sizeof(word) ? size : sizeof(word);

        memcpy(bytes, &word, n);
        bytes += n;
        size -= n;
    }
}

ssize_t
pexcz_library_getrandom(void *bytes, size_t size, unsigned int flags)
{
    if (entropy.making) {
        if ((flags & INSECURE) != 0
            || draws_seeds_only(__builtin_return_address(0))) {
            fill(bytes, size);
            return (ssize_t)size;
        }
        pexcz_library_watched("getrandom");
    }
    return syscall(SYS_getrandom, bytes, size, flags);
}

int
pexcz_library_getentropy(void *bytes, size_t size)
{
    size_t done = 0;

    if (entropy.making) {
        if (draws_seeds_only(__builtin_return_address(0))) {
            fill(bytes, size);
            return 0;
        }
        pexcz_library_watched("getentropy");
    }
    while (done < size) {
        ssize_t n
            = syscall(SYS_getrandom, (char *)bytes + done, size - done, 0);

        if (n < 0) {
            return -1;
        }
        done += (size_t)n;
    }
    return 0;
}
