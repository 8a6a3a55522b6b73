/* SPDX-License-Identifier: Apache-2.0 */
#include "library_twice.h"

#include "exe_layout.h"

#include <string.h>

/* The arithmetic of NumPy and its like, which share nothing but threads. */
static bool
only_computes(const char *name)
{
    static const char *const names[]
        = {"libscipy_openblas", "libopenblas", "libgfortran", "libquadmath"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strncmp(name, names[i], strlen(names[i])) == 0) {
            return true;
        }
    }
    return false;
}

static bool
is_at(const struct pexcz_snapshot_library *library, const char *path)
{
    static const char prefix[] = PEXCZ_PREFIX "/";

    return strncmp(library->path, prefix, sizeof(prefix) - 1) == 0
           && strcmp(library->path + sizeof(prefix) - 1, path) == 0;
}

static bool
is_in_snapshot(const struct pexcz_snapshot_library *libraries, size_t count,
               const char *path)
{
    for (size_t i = 0; i < count; i++) {
        if (is_at(&libraries[i], path)) {
            return true;
        }
    }
    return false;
}

static bool
needs(const struct pexcz_library_info *info, const char *name)
{
    return pexcz_strings_contain(&info->needed, name);
}

bool
pexcz_library_is_twice(const struct pexcz_plan *plan,
                       struct pexcz_library_info *const *infos,
                       const struct pexcz_snapshot_library *libraries,
                       size_t count, size_t *ret,
                       const struct pexcz_plan_entry **ret_by)
{
    for (size_t i = 0; count != 0 && i < plan->entry_count; i++) {
        const struct pexcz_plan_entry *e = &plan->entries[i];

        if (infos[i] == NULL || is_in_snapshot(libraries, count, e->path)) {
            continue;
        }
        for (size_t k = 0; k < count; k++) {
            const char *name = basename(libraries[k].path);

            if (!only_computes(name) && needs(infos[i], name)) {
                *ret = k;
                *ret_by = e;
                return true;
            }
        }
    }
    return false;
}
