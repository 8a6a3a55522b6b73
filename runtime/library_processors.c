/* SPDX-License-Identifier: Apache-2.0 */
#include "library_processors.h"

#include "library_construct.h"
#include "library_direct.h"
#include "library_watch.h"

#include <string.h>
#include <unistd.h>

static bool making;

void
pexcz_library_processors_begin(void)
{
    making = true;
}

/* Known by a function that they have. */
bool
pexcz_library_counts_are_hints(const void *caller)
{
    static const char *const marks[] = {
        "PyInit__rust", /* cryptography: parts of a concurrent map */
    };

    return pexcz_library_has_any(caller, marks,
                                 sizeof(marks) / sizeof(marks[0]));
}

long
pexcz_library_sysconf(int name)
{
    if (making && name != _SC_PAGESIZE) {
        if (pexcz_library_is_constructing()) {
            (void)pexcz_library_constructor_acts();
            if (name == _SC_NPROCESSORS_ONLN || name == _SC_NPROCESSORS_CONF) {
                return pexcz_library_constructor_processors();
            }
        }
        if (name == _SC_NPROCESSORS_ONLN
            && pexcz_library_counts_are_hints(__builtin_return_address(0))) {
            return 1;
        }
        pexcz_library_watched("sysconf");
    }
    return sysconf(name);
}

int
pexcz_library_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *ret)
{
    if (making) {
        bool constructing = pexcz_library_is_constructing();

        if (constructing
            || pexcz_library_counts_are_hints(__builtin_return_address(0))) {
            int count
                = constructing ? pexcz_library_constructor_processors() : 1;

            if (constructing) {
                (void)pexcz_library_constructor_acts();
            }
            memset(ret, 0, size);
            for (int i = 0; i < count; i++) {
                CPU_SET_S((size_t)i, size, ret);
            }
            return 0;
        }
        pexcz_library_watched("sched_getaffinity");
    }
    return sched_getaffinity(pid, size, ret);
}
