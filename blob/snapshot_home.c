/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_home.h"

#include <stdint.h>
#include <string.h>

/* No character is in both.  The second has all that a home may have besides,
 * so that an import that treats one of them specially is seen. */
static const char *const alphabets[] = {
    "abcdefghijklmnopqrstuvwxyz_", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.@-"};

const char *const pexcz_snapshot_home_samples[PEXCZ_SNAPSHOT_HOME_SAMPLES]
    = {"/root", "/h",
       ("/home"
        "/user/A.b-2@c.example/d_e")};

void
pexcz_snapshot_home_make(bool second, char ret[PEXCZ_SNAPSHOT_HOME_SIZE + 1])
{
    const char *alphabet = alphabets[second];
    uint64_t n = strlen(alphabet);
    uint64_t state = UINT64_C(0x5be7a3d15be7a301) + second;

    ret[0] = '/';
    for (size_t i = 1; i < PEXCZ_SNAPSHOT_HOME_SIZE; i++) {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        ret[i] = alphabet[state % n];
    }
    ret[PEXCZ_SNAPSHOT_HOME_SIZE] = '\0';
}

static bool
is_usual(char c)
{
    return strchr(alphabets[0], c) != NULL || strchr(alphabets[1], c) != NULL;
}

bool
pexcz_snapshot_home_fits(const char *home)
{
    const char *p = home;

    if (*p != '/') {
        return false;
    }
    while (*p == '/') {
        const char *component = ++p;

        while (*p != '\0' && *p != '/') {
            if (!is_usual(*p++)) {
                return false;
            }
        }
        /* Empty, "." or "..". */
        if (p - component <= 2
            && strspn(component, ".") >= (size_t)(p - component)) {
            return false;
        }
    }
    return (size_t)(p - home) <= PEXCZ_SNAPSHOT_HOME_SIZE;
}
