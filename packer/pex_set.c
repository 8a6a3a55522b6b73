/* SPDX-License-Identifier: Apache-2.0 */
#include "pex_set.h"

static int
open_all(struct pexcz_pex_set *set, const char *const *paths, size_t count,
         struct pexcz_error *err)
{
    int rc = PEXCZ_OK;

    for (size_t i = 0; rc == PEXCZ_OK && i < count; i++) {
        rc = pexcz_pex_open(paths[i], &set->pexes[set->count], err);
        set->count += rc == PEXCZ_OK ? 1 : 0;
    }
    return rc;
}

int
pexcz_pex_set_open(const char *const *paths, size_t count,
                   struct pexcz_pex_set *ret, struct pexcz_error *err)
{
    struct pexcz_pex first = {0};
    const struct pexcz_strings *more = &first.info.pex_path;
    int rc = pexcz_pex_open(paths[0], &first, err);

    if (rc < 0) {
        return rc;
    }
    ret->pexes = pexcz_arena_alloc(&ret->arena, count + more->count,
                                   sizeof(*ret->pexes), err);
    ret->sources = pexcz_arena_alloc(&ret->arena, count + more->count,
                                     sizeof(*ret->sources), err);
    if (ret->pexes == NULL || ret->sources == NULL) {
        pexcz_pex_close(&first);
        return PEXCZ_E_NOMEM;
    }
    ret->pexes[ret->count++] = first;
    rc = open_all(ret, paths + 1, count - 1, err);
    if (rc == PEXCZ_OK && more->count != 0) {
        rc = open_all(ret, more->items, more->count, err);
        if (rc < 0) {
            rc = pexcz_wrap(err, "%s: PEX-INFO: pex_path", ret->pexes[0].name);
        }
    }
    return rc;
}

/* The distribution of the same project that a PEX before `end` brings. */
static const struct pexcz_dist *
find_project(const struct pexcz_pex_set *set, size_t end, const char *key)
{
    for (size_t i = 0; i < end; i++) {
        const struct pexcz_resolved *r = &set->sources[i].resolved;

        for (size_t k = 0; k < r->count; k++) {
            if (strcmp(r->dists[k]->metadata.key, key) == 0) {
                return r->dists[k];
            }
        }
    }
    return NULL;
}

/* Leaves out of the PEX at `index` the projects that those before it have. */
static int
drop_known(struct pexcz_pex_set *set, size_t index, struct pexcz_error *err)
{
    struct pexcz_resolved *r = &set->sources[index].resolved;
    size_t kept = 0;

    for (size_t i = 0; i < r->count; i++) {
        const struct pexcz_dist *dist = r->dists[i];
        const struct pexcz_dist *known
            = find_project(set, index, dist->metadata.key);
        char *text;
        int rc;

        if (known == NULL) {
            r->dists[kept++] = dist;
            continue;
        }
        if (strcmp(known->metadata.version, dist->metadata.version) == 0) {
            continue;
        }
        text = pexcz_arena_printf(
            &set->arena, err, "%s: %s is left out, there is %s already",
            set->pexes[index].name, dist->file_name, known->file_name);
        rc = text == NULL ? PEXCZ_E_NOMEM
                          : pexcz_strings_add(&set->warnings, &set->arena,
                                              pexcz_slice_str(text), err);
        if (rc < 0) {
            return rc;
        }
    }
    r->count = kept;
    return PEXCZ_OK;
}

int
pexcz_pex_set_resolve(struct pexcz_pex_set *set,
                      const struct pexcz_target *target,
                      struct pexcz_error *err)
{
    int rc = PEXCZ_OK;

    for (size_t i = 0; rc == PEXCZ_OK && i < set->count; i++) {
        set->sources[i].pex = &set->pexes[i];
        rc = pexcz_resolve(&set->pexes[i], target, &set->arena,
                           &set->sources[i].resolved, err);
        for (size_t k = 0;
             rc == PEXCZ_OK && k < set->sources[i].resolved.warnings.count;
             k++) {
            rc = pexcz_strings_add(
                &set->warnings, &set->arena,
                pexcz_slice_str(set->sources[i].resolved.warnings.items[k]),
                err);
        }
        if (rc == PEXCZ_OK) {
            rc = drop_known(set, i, err);
        }
    }
    return rc;
}

void
pexcz_pex_set_close(struct pexcz_pex_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        pexcz_pex_close(&set->pexes[i]);
    }
    pexcz_arena_done(&set->arena);
    *set = (struct pexcz_pex_set){0};
}
