/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve.h"

#include "resolve_report.h"

/* Requirements inside requirements: more than any real PEX has projects. */
#define MAX_DEPTH 1000

/* A project with the extras it was asked for, and what was chosen for it. */
struct chosen {
    const char *key;
    const struct pexcz_strings *extras;
    const struct pexcz_dist *dist;
};

struct override {
    const char *key;
    struct pexcz_requirement requirement;
};

struct resolver {
    const struct pexcz_pex *pex;
    struct pexcz_arena *arena;
    struct pexcz_error *err;
    const struct pexcz_target *target;
    struct pexcz_marker_env env;
    struct pexcz_tags supported;
    struct pexcz_candidate *candidates; /* one for each distribution */
    struct pexcz_requirement *excluded;
    size_t excluded_count;
    struct override *overrides;
    size_t override_count;
    struct chosen *chosen;
    size_t chosen_count;
    size_t chosen_cap;
    struct pexcz_unresolved *unresolved;
    size_t unresolved_count;
    size_t unresolved_cap;
    struct pexcz_strings looked_up; /* projects, for a distribution */
    const char *patch_constraint;   /* see pexcz_constraints_check() */
};

static int
rank_candidates(struct resolver *r)
{
    size_t n = r->pex->dist_count;
    struct pexcz_slice python
        = pexcz_slice_str(r->env.values[PEXCZ_VAR_PYTHON_FULL_VERSION]);

    r->candidates
        = pexcz_arena_alloc(r->arena, n, sizeof(*r->candidates), r->err);
    if (r->candidates == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        const struct pexcz_dist *dist = &r->pex->dists[i];
        struct pexcz_candidate *c = &r->candidates[i];

        c->dist = dist;
        c->fit = PEXCZ_FIT_OK;
        if (!dist->has_wheel_name) {
            c->rank = 0; /* better than any tag */
            continue;
        }
        if (!pexcz_tags_rank(&r->supported, &dist->wheel.tags, &c->rank)) {
            c->fit = PEXCZ_FIT_TAGS;
            continue;
        }
        c->rank++;
        if (!pexcz_specifiers_contain(&dist->metadata.requires_python,
                                      python)) {
            c->fit = pexcz_specifiers_admit_patch(
                         &dist->metadata.requires_python, r->target->major,
                         r->target->minor)
                         ? PEXCZ_FIT_PATCH
                         : PEXCZ_FIT_PYTHON;
        }
    }
    return PEXCZ_OK;
}

/* Versions that are not PEP 440 are older than those that are. */
static int
cmp_versions(const char *a, const char *b)
{
    struct pexcz_version x;
    struct pexcz_version y;
    bool valid_x = pexcz_version_parse(pexcz_slice_str(a), &x);
    bool valid_y = pexcz_version_parse(pexcz_slice_str(b), &y);

    if (valid_x && valid_y) {
        return pexcz_version_cmp(&x, &y);
    }
    return valid_x != valid_y ? (int)valid_x - (int)valid_y : strcmp(a, b);
}

static bool
is_usable(const struct pexcz_candidate *c)
{
    return c->fit == PEXCZ_FIT_OK || c->fit == PEXCZ_FIT_PATCH;
}

/* Made for this very Python, better rank, newer version, smaller
 * fingerprint. */
static bool
is_better(const struct pexcz_candidate *a, const struct pexcz_candidate *b)
{
    int c;

    if (a->fit != b->fit) {
        return a->fit == PEXCZ_FIT_OK;
    }
    if (a->rank != b->rank) {
        return a->rank < b->rank;
    }
    c = cmp_versions(a->dist->metadata.version, b->dist->metadata.version);
    if (c != 0) {
        return c > 0;
    }
    return strcmp(a->dist->fingerprint, b->dist->fingerprint) < 0;
}

static bool
satisfies(const struct pexcz_candidate *c, const struct pexcz_requirement *req)
{
    return is_usable(c)
           && pexcz_requirement_contains(
               req, c->dist->metadata.key,
               pexcz_slice_str(c->dist->metadata.version));
}

static const struct pexcz_candidate *
best_candidate(const struct resolver *r, const struct pexcz_requirement *req)
{
    const struct pexcz_candidate *best = NULL;

    for (size_t i = 0; i < r->pex->dist_count; i++) {
        const struct pexcz_candidate *c = &r->candidates[i];

        if (satisfies(c, req) && (best == NULL || is_better(c, best))) {
            best = c;
        }
    }
    return best;
}

static int
is_excluded(struct resolver *r, const struct pexcz_requirement *req, bool *ret)
{
    *ret = false;
    for (size_t i = 0; i < r->excluded_count && !*ret; i++) {
        int rc = pexcz_requirement_includes(&r->excluded[i], req, r->arena,
                                            ret, r->err);

        if (rc < 0) {
            return rc;
        }
    }
    return PEXCZ_OK;
}

/* The requirement that replaces `req`, or `req` itself. */
static int
apply_override(struct resolver *r, const struct pexcz_requirement *req,
               const struct pexcz_requirement **ret)
{
    const struct pexcz_requirement *found = NULL;

    for (size_t i = 0; i < r->override_count; i++) {
        const struct override *o = &r->overrides[i];
        bool applies;
        int rc;

        if (strcmp(o->key, req->key) != 0) {
            continue;
        }
        rc = pexcz_requirement_applies(&o->requirement, &r->env, NULL,
                                       r->arena, &applies, r->err);
        if (rc < 0) {
            return rc;
        }
        if (!applies) {
            continue;
        }
        if (found != NULL) {
            return pexcz_fail(r->err, PEXCZ_E_CONFLICT, 0,
                              "%s: PEX-INFO: two overrides apply to '%s': "
                              "'%s' and '%s'",
                              r->pex->name, req->text, found->text,
                              o->requirement.text);
        }
        found = &o->requirement;
    }
    *ret = found != NULL ? found : req;
    return PEXCZ_OK;
}

static bool
is_subset(const struct pexcz_strings *a, const struct pexcz_strings *b)
{
    for (size_t i = 0; i < a->count; i++) {
        if (!pexcz_strings_contain(b, a->items[i])) {
            return false;
        }
    }
    return true;
}

/* Chosen already, with these extras or more. */
static bool
is_chosen(const struct resolver *r, const struct pexcz_requirement *req)
{
    for (size_t i = 0; i < r->chosen_count; i++) {
        if (strcmp(r->chosen[i].key, req->key) == 0
            && is_subset(&req->extras, r->chosen[i].extras)) {
            return true;
        }
    }
    return false;
}

static int
add_unresolved(struct resolver *r, const struct pexcz_requirement *req,
               const struct pexcz_dist *required_by)
{
    void *items = r->unresolved;
    int rc;

    for (size_t i = 0; i < r->unresolved_count; i++) {
        if (strcmp(r->unresolved[i].requirement->text, req->text) == 0) {
            return PEXCZ_OK;
        }
    }
    rc = pexcz_arena_grow(r->arena, &items, r->unresolved_count,
                          &r->unresolved_cap, sizeof(*r->unresolved), r->err);
    if (rc < 0) {
        return rc;
    }
    r->unresolved = items;
    r->unresolved[r->unresolved_count++]
        = (struct pexcz_unresolved){req, required_by};
    return PEXCZ_OK;
}

static int
choose(struct resolver *r, const struct pexcz_requirement *req,
       const struct pexcz_dist *dist)
{
    void *items = r->chosen;
    int rc = pexcz_arena_grow(r->arena, &items, r->chosen_count,
                              &r->chosen_cap, sizeof(*r->chosen), r->err);

    if (rc < 0) {
        return rc;
    }
    r->chosen = items;
    r->chosen[r->chosen_count++]
        = (struct chosen){req->key, &req->extras, dist};
    return PEXCZ_OK;
}

/* See resolve_root(). */
static int
note_look_up(struct resolver *r, const char *key)
{
    return pexcz_strings_contain(&r->looked_up, key)
               ? PEXCZ_OK
               : pexcz_strings_add(&r->looked_up, r->arena,
                                   pexcz_slice_str(key), r->err);
}

/* NOLINTNEXTLINE(misc-no-recursion): bounded by MAX_DEPTH */
static int
resolve_one(struct resolver *r, const struct pexcz_requirement *req,
            const struct pexcz_dist *required_by, int depth)
{
    const struct pexcz_candidate *best;
    bool skip;
    int rc = is_excluded(r, req, &skip);

    if (rc < 0 || skip || is_chosen(r, req)) {
        return rc;
    }
    if (depth > MAX_DEPTH) {
        return pexcz_fail(r->err, PEXCZ_E_TOO_BIG, 0,
                          "%s: requirements are nested more than %d deep",
                          r->pex->name, MAX_DEPTH);
    }
    best = best_candidate(r, req);
    rc = note_look_up(r, req->key);
    if (rc < 0) {
        return rc;
    }
    if (best == NULL) {
        return add_unresolved(r, req, required_by);
    }
    rc = choose(r, req, best->dist);
    for (size_t i = 0;
         rc == PEXCZ_OK && i < best->dist->metadata.requires_count; i++) {
        const struct pexcz_requirement *dep = NULL;
        bool applies = false;

        rc = apply_override(r, &best->dist->metadata.requires[i], &dep);
        /* The extras asked of the parent decide, not those of the child. */
        if (rc == PEXCZ_OK) {
            rc = pexcz_requirement_applies(dep, &r->env, &req->extras,
                                           r->arena, &applies, r->err);
        }
        if (rc == PEXCZ_OK && applies) {
            rc = resolve_one(r, dep, best->dist, depth + 1);
        }
    }
    return rc;
}

static int
report(const struct resolver *r)
{
    return pexcz_resolve_report(r->pex, r->target, &r->supported,
                                r->candidates, r->unresolved,
                                r->unresolved_count, r->err);
}

/* Whether the PEX has any usable distribution of this project. */
static bool
has_project(const struct resolver *r, const char *key)
{
    for (size_t i = 0; i < r->pex->dist_count; i++) {
        if (is_usable(&r->candidates[i])
            && strcmp(r->candidates[i].dist->metadata.key, key) == 0) {
            return true;
        }
    }
    return false;
}

/*
 * The roots of one project: the best distribution that any of them admits,
 * with the extras of all that admit something.
 */
static int
resolve_root(struct resolver *r, struct pexcz_requirement *roots, size_t count,
             size_t first)
{
    struct pexcz_requirement *root
        = pexcz_arena_alloc(r->arena, 1, sizeof(*root), r->err);
    const struct pexcz_candidate *best = NULL;
    int rc = PEXCZ_OK;

    if (root == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (size_t i = first; i < count; i++) {
        const struct pexcz_candidate *c;

        if (strcmp(roots[i].key, roots[first].key) != 0) {
            continue;
        }
        c = best_candidate(r, &roots[i]);
        if (c != NULL && (best == NULL || is_better(c, best))) {
            best = c;
            *root = roots[i];
        }
    }
    if (best == NULL) {
        for (size_t i = first; rc == PEXCZ_OK && i < count; i++) {
            if (strcmp(roots[i].key, roots[first].key) == 0) {
                rc = add_unresolved(r, &roots[i], NULL);
            }
        }
        /* As in Pex, ignore_errors does not reach a root without any
         * distribution, unless some distribution before it asked for it. */
        if (rc == PEXCZ_OK && !has_project(r, roots[first].key)
            && !pexcz_strings_contain(&r->looked_up, roots[first].key)) {
            rc = report(r);
        }
        return rc;
    }
    root->extras = (struct pexcz_strings){0};
    for (size_t i = first; i < count; i++) {
        const struct pexcz_strings *extras = &roots[i].extras;

        if (strcmp(roots[i].key, roots[first].key) != 0
            || best_candidate(r, &roots[i]) == NULL) {
            continue;
        }
        for (size_t k = 0; k < extras->count; k++) {
            if (!pexcz_strings_contain(&root->extras, extras->items[k])) {
                rc = pexcz_strings_add(&root->extras, r->arena,
                                       pexcz_slice_str(extras->items[k]),
                                       r->err);
                if (rc < 0) {
                    return rc;
                }
            }
        }
    }
    return resolve_one(r, root, NULL, 0);
}

static int
parse_list(struct resolver *r, const struct pexcz_strings *texts,
           const char *field, struct pexcz_requirement **ret)
{
    struct pexcz_requirement *items
        = pexcz_arena_alloc(r->arena, texts->count, sizeof(*items), r->err);

    if (items == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (size_t i = 0; i < texts->count; i++) {
        if (pexcz_requirement_parse(pexcz_slice_str(texts->items[i]), r->arena,
                                    &items[i], r->err)
            < 0) {
            return pexcz_wrap(r->err, "%s: PEX-INFO: %s", r->pex->name, field);
        }
    }
    *ret = items;
    return PEXCZ_OK;
}

static bool
is_name_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
           || (c >= 'a' && c <= 'z');
}

/* "NAME = REQUIREMENT": length of NAME and start of the rest, else false. */
static bool
split_override(const char *text, size_t *ret_name, const char **ret_rest)
{
    size_t n = 0;
    const char *p;

    while (
        is_name_char(text[n])
        || (n != 0 && (text[n] == '.' || text[n] == '_' || text[n] == '-'))) {
        n++;
    }
    p = text + n;
    while (*p == ' ' || *p == '\t') {
        p++;
    }
    if (n == 0 || !is_name_char(text[n - 1]) || *p != '=') {
        return false;
    }
    p++;
    while (*p == ' ' || *p == '\t') {
        p++;
    }
    if (!is_name_char(*p)) {
        return false; /* "name == 1.0" */
    }
    *ret_name = n;
    *ret_rest = p;
    return true;
}

static int
parse_overrides(struct resolver *r)
{
    const struct pexcz_strings *texts = &r->pex->info.overridden;

    r->override_count = texts->count;
    r->overrides = pexcz_arena_alloc(r->arena, texts->count,
                                     sizeof(*r->overrides), r->err);
    if (r->overrides == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (size_t i = 0; i < texts->count; i++) {
        struct override *o = &r->overrides[i];
        const char *rest = texts->items[i];
        size_t name = 0;
        bool named = split_override(texts->items[i], &name, &rest);

        if (pexcz_requirement_parse(pexcz_slice_str(rest), r->arena,
                                    &o->requirement, r->err)
            < 0) {
            return pexcz_wrap(r->err, "%s: PEX-INFO: overridden",
                              r->pex->name);
        }
        o->key = o->requirement.key;
        if (named) {
            o->key = pexcz_name_canonical(
                pexcz_slice_make(texts->items[i], name), r->arena, r->err);
            if (o->key == NULL) {
                return PEXCZ_E_NOMEM;
            }
        }
    }
    return PEXCZ_OK;
}

/* Drops roots that are excluded or do not apply here. */
static int
filter_roots(struct resolver *r, struct pexcz_requirement *roots,
             size_t *count)
{
    size_t kept = 0;

    for (size_t i = 0; i < *count; i++) {
        bool skip;
        bool applies = false;
        int rc = is_excluded(r, &roots[i], &skip);

        if (rc == PEXCZ_OK && !skip) {
            rc = pexcz_requirement_applies(&roots[i], &r->env, NULL, r->arena,
                                           &applies, r->err);
        }
        if (rc < 0) {
            return rc;
        }
        if (applies) {
            roots[kept++] = roots[i];
        }
    }
    *count = kept;
    return PEXCZ_OK;
}

static int
walk(struct resolver *r)
{
    struct pexcz_requirement *roots;
    size_t count = r->pex->info.requirements.count;
    int rc = parse_list(r, &r->pex->info.requirements, "requirements", &roots);

    if (rc == PEXCZ_OK) {
        r->excluded_count = r->pex->info.excluded.count;
        rc = parse_list(r, &r->pex->info.excluded, "excluded", &r->excluded);
    }
    if (rc == PEXCZ_OK) {
        rc = parse_overrides(r);
    }
    if (rc == PEXCZ_OK) {
        rc = filter_roots(r, roots, &count);
    }
    for (size_t i = 0; rc == PEXCZ_OK && i < count; i++) {
        bool seen = false;

        for (size_t k = 0; k < i && !seen; k++) {
            seen = strcmp(roots[k].key, roots[i].key) == 0;
        }
        if (!seen) {
            rc = resolve_root(r, roots, count, i);
        }
    }
    return rc;
}

/* Of what asks for another patch release of Python. */
static int
warn_of_patch(struct resolver *r, const char *what, const char *wants,
              const char *wanted, struct pexcz_strings *warnings)
{
    const char *text = pexcz_arena_printf(
        r->arena, r->err, "%s: %s %s %s, the base is %d.%d.%d", r->pex->name,
        what, wants, wanted, r->target->major, r->target->minor,
        r->target->micro);

    return text == NULL ? PEXCZ_E_NOMEM
                        : pexcz_strings_add(warnings, r->arena,
                                            pexcz_slice_str(text), r->err);
}

/* The chosen distributions, each once, in the order in which they came. */
static int
collect(struct resolver *r, struct pexcz_resolved *ret)
{
    struct pexcz_resolved out = {0};
    int rc = PEXCZ_OK;

    out.dists = pexcz_arena_alloc(r->arena, r->chosen_count,
                                  sizeof(*out.dists), r->err);
    if (out.dists == NULL) {
        return PEXCZ_E_NOMEM;
    }
    if (r->patch_constraint != NULL) {
        rc = warn_of_patch(r, "its interpreter constraint", "is",
                           r->patch_constraint, &out.warnings);
    }
    for (size_t i = 0; rc == PEXCZ_OK && i < r->chosen_count; i++) {
        const struct pexcz_dist *dist = r->chosen[i].dist;
        bool seen = false;

        for (size_t k = 0; k < out.count && !seen; k++) {
            seen = out.dists[k] == dist;
        }
        if (seen) {
            continue;
        }
        out.dists[out.count++] = dist;
        if (r->candidates[dist - r->pex->dists].fit == PEXCZ_FIT_PATCH) {
            rc = warn_of_patch(r, dist->file_name, "wants Python",
                               dist->metadata.requires_python_text,
                               &out.warnings);
        }
    }
    for (size_t i = 0; rc == PEXCZ_OK && i < r->unresolved_count; i++) {
        rc = pexcz_strings_add(
            &out.unresolved, r->arena,
            pexcz_slice_str(r->unresolved[i].requirement->text), r->err);
    }
    *ret = out;
    return rc;
}

int
pexcz_resolve(const struct pexcz_pex *pex, const struct pexcz_target *target,
              struct pexcz_arena *arena, struct pexcz_resolved *ret,
              struct pexcz_error *err)
{
    struct resolver r
        = {.pex = pex, .arena = arena, .err = err, .target = target};
    int rc;

    pexcz_marker_env_init(&r.env, target);
    rc = pexcz_constraints_check(pex, target, arena, &r.patch_constraint, err);
    if (rc == PEXCZ_OK) {
        rc = pexcz_tags_supported(target, arena, &r.supported, err);
    }
    if (rc == PEXCZ_OK) {
        rc = rank_candidates(&r);
    }
    if (rc == PEXCZ_OK) {
        rc = walk(&r);
    }
    if (rc == PEXCZ_OK && r.unresolved_count != 0
        && !pex->info.ignore_errors) {
        rc = report(&r);
    }
    if (rc == PEXCZ_OK) {
        rc = collect(&r, ret);
    }
    return rc;
}
