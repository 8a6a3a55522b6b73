/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_kernel.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#define LOWEST "4.18.0"
#define HIGHEST "99.0.0"

static struct {
    bool second;
    bool asked;
} kernel;

void
pexcz_snapshot_kernel_begin(bool second)
{
    kernel.second = second;
}

const char *
pexcz_snapshot_kernel_ask(void)
{
    kernel.asked = true;
    return kernel.second ? HIGHEST : LOWEST;
}

bool
pexcz_snapshot_kernel_was_asked(void)
{
    return kernel.asked;
}

/* "6.1.0-13-amd64" */
static unsigned long
number_of(const char *release)
{
    unsigned int major = 0;
    unsigned int minor = 0;

    (void)sscanf(release, "%4u.%4u", &major, &minor);
    return major * 10000ul + minor;
}

bool
pexcz_snapshot_kernel_is_usual(void)
{
    struct utsname name;

    return uname(&name) == 0 && strcmp(name.sysname, "Linux") == 0
           && strcmp(name.machine, "x86_64") == 0
           && number_of(name.release) >= number_of(LOWEST)
           && number_of(name.release) < number_of(HIGHEST);
}
