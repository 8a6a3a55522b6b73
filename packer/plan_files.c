/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_files.h"

#include "requirement.h"
#include "utf8.h"

#include <string.h>

struct request {
    struct pexcz_plan *plan;
    struct pexcz_error *err;
};

static int
find_dist(struct request *r, const struct pexcz_plan_source *sources,
          size_t count, const char *name, const struct pexcz_dist **ret)
{
    struct pexcz_arena *arena = &r->plan->arena;
    char *wanted = pexcz_name_canonical(pexcz_slice_str(name), arena, r->err);
    char shown[200];

    if (wanted == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const struct pexcz_resolved *resolved = &sources[i].resolved;

        for (size_t j = 0; j < resolved->count; j++) {
            const char *key = resolved->dists[j]->metadata.key;

            if (key != NULL && strcmp(key, wanted) == 0) {
                *ret = resolved->dists[j];
                return PEXCZ_OK;
            }
        }
    }
    pexcz_utf8_escape(pexcz_slice_str(name), shown, sizeof(shown));
    return pexcz_fail(r->err, PEXCZ_E_NOT_FOUND, 0,
                      "--files: no distribution '%s' is packed", shown);
}

static int
add(struct request *r, struct pexcz_strings *list, const char *text,
    size_t size)
{
    return pexcz_strings_add(list, &r->plan->arena,
                             pexcz_slice_make(text, size), r->err);
}

/* What lies in site-packages of the distribution, each folder and file there
 * once; its .dist-info folder comes last. */
static int
add_dist(struct request *r, const struct pexcz_dist *dist)
{
    struct pexcz_plan *plan = r->plan;
    size_t site = strlen(plan->site_packages);
    const char *last = "";
    size_t last_size = 0;
    char *info = NULL;
    int rc = PEXCZ_OK;

    for (size_t i = 0; rc == PEXCZ_OK && i < plan->entry_count; i++) {
        const struct pexcz_plan_entry *e = &plan->entries[i];
        const char *name = e->path + site + 1;
        size_t size;

        if (e->origin == NULL || strcmp(e->origin, dist->file_name) != 0
            || strncmp(e->path, plan->site_packages, site) != 0
            || e->path[site] != '/') {
            continue;
        }
        size = site + 1 + strcspn(name, "/");
        /* Entries are in order of their paths. */
        if ((size == last_size && memcmp(e->path, last, size) == 0)
            || (dist->dist_info != NULL
                && strlen(dist->dist_info) == size - site - 1
                && strncmp(name, dist->dist_info, size - site - 1) == 0)) {
            continue;
        }
        last = e->path;
        last_size = size;
        rc = add(r, &plan->boot.files, e->path, size);
        if (rc == PEXCZ_OK) {
            rc = add(r, &plan->boot.file_modules, name, strcspn(name, "./"));
        }
    }
    if (rc == PEXCZ_OK) {
        info = pexcz_arena_printf(
            &plan->arena, r->err, "%s/%s", plan->site_packages,
            dist->dist_info != NULL ? dist->dist_info : "");
        rc = info == NULL ? PEXCZ_E_NOMEM : PEXCZ_OK;
    }
    return rc < 0 ? rc : add(r, &plan->boot.files, info, strlen(info));
}

int
pexcz_plan_files(struct pexcz_plan *plan,
                 const struct pexcz_plan_source *sources, size_t count,
                 const char *const *names, size_t name_count,
                 struct pexcz_error *err)
{
    struct request r = {.plan = plan, .err = err};
    int rc = PEXCZ_OK;

    for (size_t i = 0; rc == PEXCZ_OK && i < name_count; i++) {
        const struct pexcz_dist *dist = NULL;

        rc = find_dist(&r, sources, count, names[i], &dist);
        if (rc == PEXCZ_OK) {
            rc = add_dist(&r, dist);
        }
    }
    return rc;
}
