/* SPDX-License-Identifier: Apache-2.0 */
#include "image_libraries.h"

#include <string.h>

/* "name.so", "libname.so.1.2". */
static bool
is_library_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *dot = strstr(slash != NULL ? slash : path, ".so");

    return dot != NULL && (dot[3] == '\0' || dot[3] == '.');
}

/* Code in C imports modules by their whole names, which nothing shows. */
static bool
is_at_top(const struct pexcz_plan *plan, const char *path)
{
    size_t n = strlen(plan->site_packages);

    return strncmp(path, plan->site_packages, n) == 0 && path[n] == '/'
           && strchr(path + n + 1, '/') == NULL;
}

/* Whether one of the distribution's modules is hot.  What is imported is known
 * of Python modules only, so one without any counts as well. */
static bool
is_hot(const struct pexcz_plan *plan, const bool *hot, const char *origin)
{
    bool has_modules = false;

    for (size_t i = 0; i < plan->entry_count; i++) {
        const char *other = plan->entries[i].origin;

        if (other == NULL || (other != origin && strcmp(other, origin) != 0)) {
            continue;
        }
        if (hot[i]) {
            return true;
        }
        has_modules = has_modules || plan->entries[i].compile;
    }
    return !has_modules;
}

void
pexcz_image_libraries(const struct pexcz_plan *plan, bool is_run,
                      const bool *hot, bool *raw)
{
    bool all = is_run || plan->boot.kind == PEXCZ_ENTRY_SCRIPT;
    const char *origin = NULL;
    bool answer = false;

    for (size_t i = 0; i < plan->entry_count; i++) {
        const struct pexcz_plan_entry *e = &plan->entries[i];

        if (e->kind != PEXCZ_KIND_FILE || !is_library_name(e->path)) {
            continue;
        }
        if (all || e->origin == NULL || is_at_top(plan, e->path)) {
            raw[i] = true;
            continue;
        }
        /* Sorted by path: the next is mostly of the same one. */
        if (e->origin != origin) {
            origin = e->origin;
            answer = is_hot(plan, hot, origin);
        }
        raw[i] = answer;
    }
}

uint64_t
pexcz_image_libraries_spare(const struct pexcz_plan *plan,
                            const struct pexcz_strings *used, const bool *raw)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < plan->entry_count; i++) {
        if (raw[i] && !pexcz_strings_contain(used, plan->entries[i].path)) {
            bytes += pexcz_content_size(&plan->entries[i].content);
        }
    }
    return bytes;
}

void
pexcz_image_libraries_keep(const struct pexcz_plan *plan,
                           const struct pexcz_strings *used, bool *raw)
{
    for (size_t i = 0; i < plan->entry_count; i++) {
        raw[i] = raw[i] && pexcz_strings_contain(used, plan->entries[i].path);
    }
}
