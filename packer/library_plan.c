/* SPDX-License-Identifier: Apache-2.0 */
#include "library_plan.h"

#include <stdio.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Libraries that come with one object, run path folders of one object. */
#define MAX_CLOSURE 4096u
#define MAX_FOLDERS 64u

#define NOBODY SIZE_MAX

/* One object on its way into an address space. */
struct loaded {
    size_t entry;
    size_t loader;    /* place in the closure; NOBODY for the first */
    const char *name; /* by which it was asked for */
};

struct closure {
    struct loaded *items;
    size_t count;
};

struct planning {
    const struct pexcz_plan *plan;
    struct pexcz_library_info *const *infos;
    struct pexcz_library_plan *ret;
    size_t *group; /* union-find over entries */
    struct closure closure;
    struct pexcz_error *err;
};

/* --- where ld.so looks -------------------------------------------------- */

/* DIR/NAME with "." and ".." taken out; false when that leaves the tree. */
static bool
normalise(const char *whole, char *ret, size_t cap)
{
    size_t len = 0;

    ret[0] = '\0';
    while (*whole != '\0') {
        size_t part = strcspn(whole, "/");

        if (part == 2 && memcmp(whole, "..", 2) == 0) {
            char *slash = strrchr(ret, '/');

            if (len == 0) {
                return false;
            }
            len = slash != NULL ? (size_t)(slash - ret) : 0;
        }
        else if (part != 0 && !(part == 1 && whole[0] == '.')) {
            if (len + part + 2 > cap) {
                return false;
            }
            if (len != 0) {
                ret[len++] = '/';
            }
            memcpy(ret + len, whole, part);
            len += part;
        }
        ret[len] = '\0';
        whole += part + (whole[part] == '/');
    }
    return true;
}

/* $ORIGIN/TAIL for the object at `path`; false for what does not begin so. */
static bool
expand_origin(const char *path, const char *item, size_t item_len,
              const char *name, char *ret, size_t cap)
{
    static const char *const origins[] = {"$ORIGIN", "${ORIGIN}"};
    const char *slash = strrchr(path, '/');
    int dir_len = slash != NULL ? (int)(slash - path) : 0;
    char whole[3 * PEXCZ_MAX_PATH];

    for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
        size_t skip = strlen(origins[i]);
        int n;

        if (item_len < skip || strncmp(item, origins[i], skip) != 0
            || (item_len > skip && item[skip] != '/')) {
            continue;
        }
        n = snprintf(whole, sizeof(whole), "%.*s/%.*s/%s", dir_len, path,
                     (int)(item_len - skip), item + skip, name);
        return n > 0 && (size_t)n < sizeof(whole)
               && normalise(whole, ret, cap);
    }
    return false;
}

static size_t
index_of(const struct planning *p, const struct pexcz_plan_entry *e)
{
    return (size_t)(e - p->plan->entries);
}

/* The library at a path, or NOBODY. */
static size_t
library_at(const struct planning *p, const char *path)
{
    const struct pexcz_plan_entry *e = pexcz_plan_find(p->plan, path);

    return e != NULL && p->infos[index_of(p, e)] != NULL ? index_of(p, e)
                                                         : NOBODY;
}

/* `name` in the folders of a run path that belongs to the entry `owner`. */
static size_t
search(const struct planning *p, size_t owner, const char *run_path,
       const char *name)
{
    char path[PEXCZ_MAX_PATH + 1];

    while (run_path != NULL && *run_path != '\0') {
        size_t len = strcspn(run_path, ":");
        size_t found = NOBODY;

        if (expand_origin(p->plan->entries[owner].path, run_path, len, name,
                          path, sizeof(path))) {
            found = library_at(p, path);
        }
        if (found != NOBODY) {
            return found;
        }
        run_path += len + (run_path[len] == ':');
    }
    return NOBODY;
}

/* What ld.so maps for `name` when item `by` of the closure needs it. */
static size_t
find_needed(const struct planning *p, size_t by, const char *name)
{
    const struct loaded *items = p->closure.items;
    const struct pexcz_library_info *info = p->infos[items[by].entry];
    size_t found = NOBODY;

    if (strchr(name, '/') != NULL) {
        char path[PEXCZ_MAX_PATH + 1];

        return expand_origin(p->plan->entries[items[by].entry].path, name,
                             strlen(name), "", path, sizeof(path))
                   ? library_at(p, path)
                   : NOBODY;
    }
    if (info->runpath == NULL) {
        for (size_t i = by; i != NOBODY && found == NOBODY;
             i = items[i].loader) {
            found = search(p, items[i].entry, p->infos[items[i].entry]->rpath,
                           name);
        }
    }
    return found != NOBODY ? found
                           : search(p, items[by].entry, info->runpath, name);
}

/* --- closures ----------------------------------------------------------- */

static bool
answers_to(const struct planning *p, const struct loaded *item,
           const char *name)
{
    const char *soname = p->infos[item->entry]->soname;

    return (soname != NULL && strcmp(soname, name) == 0)
           || (item->name != NULL && strcmp(item->name, name) == 0);
}

static bool
is_loaded(const struct planning *p, const char *name)
{
    for (size_t i = 0; i < p->closure.count; i++) {
        if (answers_to(p, &p->closure.items[i], name)) {
            return true;
        }
    }
    return false;
}

static size_t
find_root(struct planning *p, size_t i)
{
    while (p->group[i] != i) {
        p->group[i] = p->group[p->group[i]];
        i = p->group[i];
    }
    return i;
}

static void
join_groups(struct planning *p, size_t a, size_t b)
{
    a = find_root(p, a);
    b = find_root(p, b);
    p->group[a > b ? a : b] = a > b ? b : a;
}

static int
note_external(struct planning *p, size_t entry, const char *name, size_t *cap)
{
    struct pexcz_library_plan *ret = p->ret;
    int rc = pexcz_arena_grow(&ret->arena, (void **)&ret->externals,
                              ret->external_count, cap,
                              sizeof(*ret->externals), p->err);

    if (rc == PEXCZ_OK) {
        ret->externals[ret->external_count++]
            = (struct pexcz_library_external){entry, name};
    }
    return rc;
}

/* All that comes with the entry `first`, itself in front. */
static int
make_closure(struct planning *p, size_t first, size_t *external_cap)
{
    struct closure *c = &p->closure;

    c->items[0] = (struct loaded){first, NOBODY, NULL};
    c->count = 1;
    for (size_t i = 0; i < c->count; i++) {
        const struct pexcz_strings *needed
            = &p->infos[c->items[i].entry]->needed;

        for (size_t k = 0; k < needed->count; k++) {
            const char *name = needed->items[k];
            size_t found;

            if (is_loaded(p, name)) {
                continue;
            }
            found = find_needed(p, i, name);
            if (found == NOBODY) {
                if (i == 0
                    && note_external(p, first, name, external_cap) < 0) {
                    return PEXCZ_E_NOMEM;
                }
                continue;
            }
            join_groups(p, first, found);
            if (c->count == MAX_CLOSURE) {
                return pexcz_fail(p->err, PEXCZ_E_TOO_BIG, 0,
                                  "%s: needs more than %u libraries",
                                  p->plan->entries[first].path, MAX_CLOSURE);
            }
            c->items[c->count++] = (struct loaded){found, i, name};
        }
    }
    return PEXCZ_OK;
}

/* The directories of the object's own run path that are in the tree. */
static size_t
find_folders(const struct planning *p, size_t entry,
             const struct pexcz_plan_entry *ret[MAX_FOLDERS])
{
    const struct pexcz_library_info *info = p->infos[entry];
    const char *item = info->runpath != NULL ? info->runpath : info->rpath;
    char path[PEXCZ_MAX_PATH + 1];
    size_t count = 0;

    while (item != NULL && *item != '\0' && count < MAX_FOLDERS) {
        size_t len = strcspn(item, ":");
        const struct pexcz_plan_entry *e = NULL;

        if (expand_origin(p->plan->entries[entry].path, item, len, "", path,
                          sizeof(path))) {
            e = pexcz_plan_find(p->plan, path);
        }
        if (e != NULL && e->kind == PEXCZ_KIND_DIR) {
            ret[count++] = e;
        }
        item += len + (item[len] == ':');
    }
    return count;
}

static struct pexcz_slice
path_of(const struct planning *p, size_t entry)
{
    return pexcz_slice_str(p->plan->entries[entry].path);
}

static struct pexcz_slice
text_or_nothing(const char *text)
{
    return text != NULL ? pexcz_slice_str(text) : (struct pexcz_slice){0};
}

static int
add_spec(struct planning *p, size_t entry)
{
    const struct closure *c = &p->closure;
    const struct pexcz_plan_entry *folders[MAX_FOLDERS];
    size_t folder_count = find_folders(p, entry, folders);
    size_t count = c->count - 1 + folder_count;
    struct pexcz_need_spec *needs
        = pexcz_arena_alloc(&p->ret->arena, count, sizeof(*needs), p->err);
    struct pexcz_library_spec *spec = &p->ret->specs[p->ret->count];

    if (needs == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (size_t i = 1; i < c->count; i++) {
        const char *soname = p->infos[c->items[i].entry]->soname;
        const char *name = c->items[i].name;
        bool own = soname != NULL && strcmp(soname, name) == 0;

        needs[i - 1] = (struct pexcz_need_spec){
            .kind = PEXCZ_NEED_LIBRARY,
            .path = path_of(p, c->items[i].entry),
            .name = text_or_nothing(own ? NULL : name),
        };
    }
    for (size_t i = 0; i < folder_count; i++) {
        needs[c->count - 1 + i] = (struct pexcz_need_spec){
            .kind = PEXCZ_NEED_FOLDER,
            .path = pexcz_slice_str(folders[i]->path),
        };
    }
    *spec = (struct pexcz_library_spec){
        .path = path_of(p, entry),
        .soname = text_or_nothing(p->infos[entry]->soname),
        .hash = p->infos[entry]->hash,
        .needs = needs,
        .need_count = count,
    };
    p->ret->count++;
    return PEXCZ_OK;
}

/* --- groups ------------------------------------------------------------- */

static bool
is_same_origin(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* One distribution's objects are together.  Plans have few distributions with
 * shared objects, so looking at the first of each is cheap. */
static int
join_distributions(struct planning *p)
{
    size_t count = p->plan->entry_count;
    size_t *firsts = pexcz_alloc_array(count, sizeof(*firsts));
    size_t first_count = 0;

    if (firsts == NULL) {
        return pexcz_fail(p->err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;

        if (p->infos[i] == NULL) {
            continue;
        }
        while (k < first_count
               && !is_same_origin(p->plan->entries[firsts[k]].origin,
                                  p->plan->entries[i].origin)) {
            k++;
        }
        if (k == first_count) {
            firsts[first_count++] = i;
        }
        join_groups(p, firsts[k], i);
    }
    free(firsts);
    return PEXCZ_OK;
}

/* A group's name is the hash of its objects' paths and contents, in the
 * plan's order. */
static int
name_groups(struct planning *p)
{
    size_t count = p->ret->count;
    size_t *entries = pexcz_alloc_array(count, sizeof(*entries));
    XXH3_state_t *states;
    size_t k = 0;

    states = aligned_alloc(64, (count + 1) * sizeof(*states));
    if (entries == NULL || states == NULL) {
        free(entries);
        free(states);
        return pexcz_fail(p->err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    for (size_t i = 0; i < p->plan->entry_count; i++) {
        if (p->infos[i] != NULL) {
            entries[k++] = i;
        }
    }
    /* A group's root is its smallest entry, so it comes first. */
    for (size_t i = 0; i < count; i++) {
        size_t root = find_root(p, entries[i]);
        size_t s = 0;
        const char *path = p->plan->entries[entries[i]].path;
        pexcz_le64 hash = pexcz_le64_put(p->infos[entries[i]]->hash);

        while (entries[s] != root) {
            s++;
        }
        if (s == i) {
            (void)XXH3_128bits_reset(&states[s]);
        }
        (void)XXH3_128bits_update(&states[s], path, strlen(path) + 1);
        (void)XXH3_128bits_update(&states[s], &hash, sizeof(hash));
    }
    for (size_t i = 0; i < count; i++) {
        size_t root = find_root(p, entries[i]);
        XXH128_canonical_t name;
        size_t s = 0;

        while (entries[s] != root) {
            s++;
        }
        XXH128_canonicalFromHash(&name, XXH3_128bits_digest(&states[s]));
        memcpy(p->ret->specs[i].group, name.digest,
               sizeof(p->ret->specs[i].group));
    }
    free(entries);
    free(states);
    return PEXCZ_OK;
}

/* --- all ---------------------------------------------------------------- */

/* Whether some object of the tree goes by that name: a program may load it
 * before (ctypes), and then ld.so is content. */
static bool
is_packed(const struct planning *p, const char *name)
{
    for (size_t i = 0; i < p->plan->entry_count; i++) {
        if (p->infos[i] != NULL
            && ((p->infos[i]->soname != NULL
                 && strcmp(p->infos[i]->soname, name) == 0)
                || strcmp(basename(p->plan->entries[i].path), name) == 0)) {
            return true;
        }
    }
    return false;
}

static void
drop_packed_externals(struct planning *p)
{
    struct pexcz_library_plan *ret = p->ret;
    size_t kept = 0;

    for (size_t i = 0; i < ret->external_count; i++) {
        if (!is_packed(p, ret->externals[i].name)) {
            ret->externals[kept++] = ret->externals[i];
        }
    }
    ret->external_count = kept;
}

static int
make(struct planning *p, size_t count)
{
    size_t external_cap = 0;
    int rc = join_distributions(p);

    p->ret->specs = pexcz_arena_alloc(&p->ret->arena, count,
                                      sizeof(*p->ret->specs), p->err);
    if (p->ret->specs == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (size_t i = 0; i < p->plan->entry_count && rc == PEXCZ_OK; i++) {
        if (p->infos[i] == NULL) {
            continue;
        }
        rc = make_closure(p, i, &external_cap);
        if (rc == PEXCZ_OK) {
            rc = add_spec(p, i);
        }
    }
    if (rc == PEXCZ_OK) {
        drop_packed_externals(p);
        rc = name_groups(p);
    }
    return rc;
}

int
pexcz_library_plan_make(const struct pexcz_plan *plan,
                        struct pexcz_library_info *const *infos,
                        struct pexcz_library_plan *ret,
                        struct pexcz_error *err)
{
    struct planning p = {
        .plan = plan,
        .infos = infos,
        .ret = ret,
        .group = pexcz_alloc_array(plan->entry_count, sizeof(*p.group)),
        .closure.items
        = pexcz_alloc_array(MAX_CLOSURE, sizeof(*p.closure.items)),
        .err = err,
    };
    size_t count = 0;
    int rc;

    if (p.group == NULL || p.closure.items == NULL) {
        rc = pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    else {
        for (size_t i = 0; i < plan->entry_count; i++) {
            p.group[i] = i;
            count += infos[i] != NULL;
        }
        rc = make(&p, count);
    }
    free(p.group);
    free(p.closure.items);
    return rc;
}

void
pexcz_library_plan_done(struct pexcz_library_plan *plan)
{
    pexcz_arena_done(&plan->arena);
    *plan = (struct pexcz_library_plan){0};
}
