/* SPDX-License-Identifier: Apache-2.0 */
#include "target.h"

#include <gnu/libc-version.h>
#include <stdio.h>

/* "A.B" or "A.B.C" with numbers below 1000; returns how many were read. */
static int
read_numbers(const char *text, int values[3], bool allow_tail)
{
    int count = 0;

    for (;;) {
        int v = 0;
        int digits = 0;

        while (*text >= '0' && *text <= '9' && digits < 3) {
            v = v * 10 + (*text - '0');
            text++;
            digits++;
        }
        if (digits == 0) {
            return 0;
        }
        values[count++] = v;
        if (*text != '.' || count == 3) {
            break;
        }
        text++;
    }
    return *text == '\0' || allow_tail ? count : 0;
}

int
pexcz_target_set_glibc(struct pexcz_target *target, const char *text,
                       struct pexcz_error *err)
{
    int v[3];

    if (read_numbers(text, v, false) != 2 || v[0] < 2) {
        return pexcz_fail(err, PEXCZ_E_USAGE, 0,
                          "'%.32s' is not a glibc version such as 2.28", text);
    }
    target->glibc_major = v[0];
    target->glibc_minor = v[1];
    return PEXCZ_OK;
}

int
pexcz_target_init(struct pexcz_target *target, const char *version,
                  const char *arch, struct pexcz_error *err)
{
    int v[3] = {0};

    if (read_numbers(version, v, false) != 3 || v[0] != 3) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "'%.32s' is not a Python version such as 3.11.2",
                          version);
    }
    *target = (struct pexcz_target){
        .major = v[0],
        .minor = v[1],
        .micro = v[2],
        .arch = arch,
    };
    /* Junk may follow the minor number in forks of glibc. */
    if (read_numbers(gnu_get_libc_version(), v, true) < 2) {
        return pexcz_fail(err, PEXCZ_E_INTERNAL, 0,
                          "unknown glibc version '%s'",
                          gnu_get_libc_version());
    }
    target->glibc_major = v[0];
    target->glibc_minor = v[1];
    return PEXCZ_OK;
}

void
pexcz_target_python_tag(const struct pexcz_target *target, char ret[16])
{
    (void)snprintf(ret, 16, "cp%d%d", target->major & 0xff,
                   target->minor & 0xfff);
}
