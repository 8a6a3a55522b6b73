/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containment of one specifier set in another, the way Pex decides whether an
 * exclusion covers a requirement (pex/specifier_sets.py).
 */
#include "specifier.h"

#include <stdlib.h>

struct bound {
    bool present;
    bool inclusive;
    struct pexcz_version version;
};

struct excluded {
    struct bound lower;
    struct bound upper;
};

struct range {
    bool unsatisfiable;
    bool arbitrary;           /* a set with "===" */
    struct pexcz_slice exact; /* its text */
    struct bound lower;
    struct bound upper;
    struct excluded *excludes;
    size_t exclude_count;
};

/* Order of lower bounds: >=1, >1, >=2. */
static int
cmp_lower(const struct bound *a, const struct bound *b)
{
    int c = pexcz_version_cmp(&a->version, &b->version);

    return c != 0 ? c : (int)b->inclusive - (int)a->inclusive;
}

/* Order of upper bounds: <1, <=1, <2. */
static int
cmp_upper(const struct bound *a, const struct bound *b)
{
    int c = pexcz_version_cmp(&a->version, &b->version);

    return c != 0 ? c : (int)a->inclusive - (int)b->inclusive;
}

static struct bound
make_bound(const struct pexcz_version *v, bool inclusive)
{
    return (struct bound){true, inclusive, *v};
}

/*
 * The release of `v` cut to `count` numbers, the last one raised by one: the
 * first version beyond the prefix.
 */
static int
next_prefix(const struct pexcz_version *v, size_t count,
            struct pexcz_arena *arena, struct pexcz_version *ret,
            struct pexcz_error *err)
{
    struct pexcz_slice rest = v->release;
    struct pexcz_slice part = {0};
    size_t size = v->epoch.len + v->release.len + 3;
    char *text = pexcz_arena_alloc(arena, size, 1, err);
    size_t at = 0;
    size_t i;

    if (text == NULL) {
        return PEXCZ_E_NOMEM;
    }
    if (v->epoch.len != 0) {
        memcpy(text, v->epoch.ptr, v->epoch.len);
        at = v->epoch.len;
        text[at++] = '!';
    }
    for (i = 0; i < count && pexcz_version_next_part(&rest, &part); i++) {
        if (i != 0) {
            text[at++] = '.';
        }
        if (i + 1 == count) {
            text[at++] = '0'; /* room for a carry */
        }
        memcpy(text + at, part.ptr, part.len);
        at += part.len;
    }
    for (i = at; i-- > 0;) {
        if (text[i] != '9') {
            text[i]++;
            break;
        }
        text[i] = '0';
    }
    if (!pexcz_version_parse(pexcz_slice_make(text, at), ret)) {
        return pexcz_fail(err, PEXCZ_E_INTERNAL, 0, "bad version %s", text);
    }
    return PEXCZ_OK;
}

static void
raise_lower(struct range *r, struct bound b)
{
    if (!r->lower.present || cmp_lower(&b, &r->lower) > 0) {
        r->lower = b;
    }
}

static void
reduce_upper(struct range *r, struct bound b)
{
    if (!r->upper.present || cmp_upper(&b, &r->upper) < 0) {
        r->upper = b;
    }
}

static int
add_specifier(struct range *r, const struct pexcz_specifier *spec,
              struct pexcz_arena *arena, struct pexcz_error *err)
{
    const struct pexcz_version *v = &spec->version;
    struct bound low = make_bound(v, true);
    struct bound high = make_bound(v, true);
    size_t count = pexcz_version_release_count(v);
    int rc = PEXCZ_OK;

    if (spec->wildcard || spec->op == PEXCZ_OP_COMPATIBLE) {
        high.inclusive = false;
        rc = next_prefix(v, spec->wildcard ? count : count - 1, arena,
                         &high.version, err);
    }
    switch (spec->op) {
    case PEXCZ_OP_COMPATIBLE:
    case PEXCZ_OP_EQ:
        raise_lower(r, low);
        reduce_upper(r, high);
        break;
    case PEXCZ_OP_NE:
        r->excludes[r->exclude_count++] = (struct excluded){low, high};
        break;
    case PEXCZ_OP_GE:
    case PEXCZ_OP_GT:
        low.inclusive = spec->op == PEXCZ_OP_GE;
        raise_lower(r, low);
        break;
    case PEXCZ_OP_LE:
    case PEXCZ_OP_LT:
        high.inclusive = spec->op == PEXCZ_OP_LE;
        reduce_upper(r, high);
        break;
    case PEXCZ_OP_ARBITRARY:
        break;
    }
    return rc;
}

static int
compare_excluded_lower(const void *a, const void *b)
{
    const struct excluded *x = a;
    const struct excluded *y = b;
    int c = cmp_lower(&x->lower, &y->lower);

    return c != 0 ? c : cmp_upper(&x->upper, &y->upper);
}

static int
compare_excluded_upper(const void *a, const void *b)
{
    const struct excluded *x = a;
    const struct excluded *y = b;

    return cmp_upper(&y->upper, &x->upper);
}

/* Exclusions that reach over a bound move the bound. */
static void
merge_excludes(struct range *r)
{
    size_t kept = 0;

    if (r->lower.present) {
        qsort(r->excludes, r->exclude_count, sizeof(*r->excludes),
              compare_excluded_lower);
        for (size_t i = 0; i < r->exclude_count; i++) {
            struct excluded *x = &r->excludes[i];

            if (cmp_lower(&x->lower, &r->lower) <= 0) {
                struct bound b = x->upper;

                b.inclusive = !b.inclusive;
                raise_lower(r, b);
                continue;
            }
            r->excludes[kept++] = *x;
        }
        r->exclude_count = kept;
    }
    if (r->upper.present) {
        kept = 0;
        qsort(r->excludes, r->exclude_count, sizeof(*r->excludes),
              compare_excluded_upper);
        for (size_t i = 0; i < r->exclude_count; i++) {
            struct excluded *x = &r->excludes[i];

            if (cmp_upper(&x->upper, &r->upper) >= 0) {
                struct bound b = x->lower;

                b.inclusive = !b.inclusive;
                reduce_upper(r, b);
                continue;
            }
            r->excludes[kept++] = *x;
        }
        r->exclude_count = kept;
    }
}

static int
make_range(const struct pexcz_specifiers *set, struct pexcz_arena *arena,
           struct range *ret, struct pexcz_error *err)
{
    struct range r = {0};

    r.excludes
        = pexcz_arena_alloc(arena, set->count, sizeof(*r.excludes), err);
    if (r.excludes == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (size_t i = 0; i < set->count; i++) {
        int rc;

        if (set->items[i].op == PEXCZ_OP_ARBITRARY) {
            r.arbitrary = true;
            r.exact = set->items[i].text;
            break;
        }
        rc = add_specifier(&r, &set->items[i], arena, err);
        if (rc < 0) {
            return rc;
        }
    }
    if (!r.arbitrary) {
        merge_excludes(&r);
        if (r.lower.present && r.upper.present) {
            int c = pexcz_version_cmp(&r.lower.version, &r.upper.version);

            r.unsatisfiable
                = c > 0
                  || (c == 0 && !(r.lower.inclusive && r.upper.inclusive));
        }
    }
    *ret = r;
    return PEXCZ_OK;
}

static bool
bounds_contain(const struct bound *lower, const struct bound *upper,
               const struct bound *in_lower, const struct bound *in_upper)
{
    if (lower->present) {
        int c;

        if (!in_lower->present) {
            return false;
        }
        c = pexcz_version_cmp(&lower->version, &in_lower->version);
        if (c > 0 || (c == 0 && !lower->inclusive && in_lower->inclusive)) {
            return false;
        }
    }
    if (upper->present) {
        int c;

        if (!in_upper->present) {
            return false;
        }
        c = pexcz_version_cmp(&upper->version, &in_upper->version);
        if (c < 0 || (c == 0 && !upper->inclusive && in_upper->inclusive)) {
            return false;
        }
    }
    return true;
}

static bool contains(const struct range *outer, const struct range *inner);

static bool
intersects(const struct excluded *x, const struct range *other)
{
    struct range hole = {.lower = x->lower, .upper = x->upper};

    if (other->upper.present) {
        int c = pexcz_version_cmp(&x->lower.version, &other->upper.version);

        if (c > 0) {
            return false;
        }
        if (c == 0 && x->lower.inclusive && other->upper.inclusive) {
            return true;
        }
    }
    if (other->lower.present) {
        int c = pexcz_version_cmp(&x->upper.version, &other->lower.version);

        if (c < 0) {
            return false;
        }
        if (c == 0 && x->upper.inclusive && other->lower.inclusive) {
            return true;
        }
    }
    return contains(&hole, other) || contains(other, &hole);
}

static bool
contains(const struct range *outer, const struct range *inner)
{
    if (!bounds_contain(&outer->lower, &outer->upper, &inner->lower,
                        &inner->upper)) {
        return false;
    }
    for (size_t i = 0; i < outer->exclude_count; i++) {
        if (intersects(&outer->excludes[i], inner)) {
            return false;
        }
    }
    return true;
}

int
pexcz_specifiers_include(const struct pexcz_specifiers *outer,
                         const struct pexcz_specifiers *inner,
                         struct pexcz_arena *arena, bool *ret,
                         struct pexcz_error *err)
{
    struct range a;
    struct range b;
    int rc = make_range(outer, arena, &a, err);

    if (rc == PEXCZ_OK) {
        rc = make_range(inner, arena, &b, err);
    }
    if (rc < 0) {
        return rc;
    }
    if (a.unsatisfiable || b.unsatisfiable) {
        *ret = false;
    }
    else if (a.arbitrary || b.arbitrary) {
        *ret = a.arbitrary && b.arbitrary && pexcz_slice_eq(a.exact, b.exact);
    }
    else {
        *ret = contains(&a, &b);
    }
    return PEXCZ_OK;
}
