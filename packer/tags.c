/* SPDX-License-Identifier: Apache-2.0 */
#include "tags.h"

#include "utf8.h"

#include <stdio.h>

/* Platform tags, best first. */
struct platforms {
    struct pexcz_strings list;
    struct pexcz_arena *arena;
    struct pexcz_error *err;
};

static int
add_platform(struct platforms *p, const char *fmt, int major, int minor,
             const char *arch)
{
    char text[96];

    if (minor >= 0) {
        (void)snprintf(text, sizeof(text), "manylinux_%d_%d_%s", major, minor,
                       arch);
    }
    else {
        (void)snprintf(text, sizeof(text), "%s_%s", fmt, arch);
    }
    return pexcz_strings_add(&p->list, p->arena, pexcz_slice_str(text),
                             p->err);
}

/* The manylinux tags of one glibc major version, with their old names. */
static int
add_glibc(struct platforms *p, int major, int newest, int oldest,
          const char *arch)
{
    for (int minor = newest; minor >= oldest; minor--) {
        const char *alias = NULL;
        int rc = add_platform(p, NULL, major, minor, arch);

        if (rc == PEXCZ_OK && major == 2) {
            alias = minor == 17   ? "manylinux2014"
                    : minor == 12 ? "manylinux2010"
                    : minor == 5  ? "manylinux1"
                                  : NULL;
        }
        if (alias != NULL) {
            rc = add_platform(p, alias, 0, -1, arch);
        }
        if (rc < 0) {
            return rc;
        }
    }
    return PEXCZ_OK;
}

static int
add_platforms(struct platforms *p, const struct pexcz_target *target)
{
    /* PEP 600: nothing below 2.17 but on x86, where CentOS 5 had 2.5. */
    bool x86 = strcmp(target->arch, "x86_64") == 0
               || strcmp(target->arch, "i686") == 0;
    int newest = target->glibc_minor;
    int rc = add_platform(p, "linux", 0, -1, target->arch);

    for (int major = target->glibc_major; rc == PEXCZ_OK && major >= 2;
         major--) {
        rc = add_glibc(p, major, newest, major == 2 ? (x86 ? 5 : 17) : 0,
                       target->arch);
        newest = 50; /* packaging's guess for majors that are not out yet */
    }
    return rc;
}

/* Appends python-abi-PLATFORM for each platform. */
static int
add_tags(struct pexcz_tags *tags, struct platforms *p, const char *python,
         const char *abi)
{
    const char *copy
        = pexcz_arena_dup(p->arena, pexcz_slice_str(python), p->err);

    if (copy == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (size_t i = 0; i < p->list.count; i++) {
        void *items = tags->items;
        int rc = pexcz_arena_grow(p->arena, &items, tags->count, &tags->cap,
                                  sizeof(*tags->items), p->err);

        if (rc < 0) {
            return rc;
        }
        tags->items = items;
        tags->items[tags->count++]
            = (struct pexcz_tag){copy, abi, p->list.items[i]};
    }
    return PEXCZ_OK;
}

/* Calls add_tags for py3N, py3, py3(N-1) … py30. */
static int
add_py_range(struct pexcz_tags *tags, struct platforms *p,
             const struct pexcz_target *target)
{
    char text[32];
    int rc;

    (void)snprintf(text, sizeof(text), "py%d%d", target->major, target->minor);
    rc = add_tags(tags, p, text, "none");
    if (rc == PEXCZ_OK) {
        (void)snprintf(text, sizeof(text), "py%d", target->major);
        rc = add_tags(tags, p, text, "none");
    }
    for (int m = target->minor - 1; rc == PEXCZ_OK && m >= 0; m--) {
        (void)snprintf(text, sizeof(text), "py%d%d", target->major, m);
        rc = add_tags(tags, p, text, "none");
    }
    return rc;
}

int
pexcz_tags_supported(const struct pexcz_target *target,
                     struct pexcz_arena *arena, struct pexcz_tags *ret,
                     struct pexcz_error *err)
{
    struct platforms p = {{0}, arena, err};
    struct platforms any = {{0}, arena, err};
    struct pexcz_tags tags = {0};
    char cp[32];
    char text[32];
    const char *abi;
    int rc = add_platforms(&p, target);

    if (rc == PEXCZ_OK) {
        rc = pexcz_strings_add(&any.list, arena, pexcz_slice_str("any"), err);
    }
    if (rc < 0) {
        return rc;
    }
    (void)snprintf(cp, sizeof(cp), "cp%d%d", target->major, target->minor);
    abi = pexcz_arena_dup(arena, pexcz_slice_str(cp), err);
    if (abi == NULL) {
        return PEXCZ_E_NOMEM;
    }
    rc = add_tags(&tags, &p, cp, abi);
    if (rc == PEXCZ_OK) {
        rc = add_tags(&tags, &p, cp, "abi3");
    }
    if (rc == PEXCZ_OK) {
        rc = add_tags(&tags, &p, cp, "none");
    }
    for (int m = target->minor - 1; rc == PEXCZ_OK && m >= 2; m--) {
        (void)snprintf(text, sizeof(text), "cp%d%d", target->major, m);
        rc = add_tags(&tags, &p, text, "abi3");
    }
    if (rc == PEXCZ_OK) {
        rc = add_py_range(&tags, &p, target);
    }
    if (rc == PEXCZ_OK) {
        rc = add_tags(&tags, &any, cp, "none");
    }
    if (rc == PEXCZ_OK) {
        rc = add_py_range(&tags, &any, target);
    }
    if (rc == PEXCZ_OK) {
        *ret = tags;
    }
    return rc;
}

bool
pexcz_tags_rank(const struct pexcz_tags *supported,
                const struct pexcz_tags *tags, size_t *ret)
{
    for (size_t i = 0; i < supported->count; i++) {
        const struct pexcz_tag *s = &supported->items[i];

        for (size_t k = 0; k < tags->count; k++) {
            const struct pexcz_tag *t = &tags->items[k];

            if (strcmp(s->platform, t->platform) == 0
                && strcmp(s->python, t->python) == 0
                && strcmp(s->abi, t->abi) == 0) {
                *ret = i;
                return true;
            }
        }
    }
    return false;
}

/* Splits `part` at dots; false when one piece is empty.  Lower case, as tags
 * compare. */
static int
split_set(struct pexcz_slice part, struct pexcz_arena *arena,
          struct pexcz_strings *ret, bool *ret_valid, struct pexcz_error *err)
{
    size_t start = 0;

    *ret_valid = false;
    for (size_t i = 0; i <= part.len; i++) {
        struct pexcz_slice piece;
        int rc;

        if (i < part.len && part.ptr[i] != '.') {
            continue;
        }
        piece = pexcz_slice_make(part.ptr + start, i - start);
        if (piece.len == 0) {
            return PEXCZ_OK;
        }
        rc = pexcz_strings_add(ret, arena, piece, err);
        if (rc < 0) {
            return rc;
        }
        start = i + 1;
    }
    *ret_valid = true;
    return PEXCZ_OK;
}

static int
bad_name(const char *file_name, const char *cause, struct pexcz_error *err)
{
    char shown[300];

    pexcz_utf8_escape(pexcz_slice_str(file_name), shown, sizeof(shown));
    return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                      "'%s' is not a wheel file name: %s", shown, cause);
}

static int
expand(const struct pexcz_slice *parts, const char *file_name,
       struct pexcz_arena *arena, struct pexcz_tags *ret,
       struct pexcz_error *err)
{
    struct pexcz_strings sets[3] = {{0}};
    struct pexcz_tags tags = {0};
    size_t n;

    for (size_t i = 0; i < 3; i++) {
        bool valid;
        int rc = split_set(parts[i], arena, &sets[i], &valid, err);

        if (rc < 0) {
            return rc;
        }
        if (!valid) {
            return bad_name(file_name, "empty tag", err);
        }
        for (size_t k = 0; k < sets[i].count; k++) {
            char *text = pexcz_arena_dup(
                arena, pexcz_slice_str(sets[i].items[k]), err);

            if (text == NULL) {
                return PEXCZ_E_NOMEM;
            }
            for (char *c = text; *c != '\0'; c++) {
                *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + ('a' - 'A')) : *c;
            }
            sets[i].items[k] = text;
        }
    }
    if (sets[0].count > PEXCZ_WHEEL_MAX_TAGS
        || sets[1].count > PEXCZ_WHEEL_MAX_TAGS / sets[0].count
        || sets[2].count
               > PEXCZ_WHEEL_MAX_TAGS / (sets[0].count * sets[1].count)) {
        return bad_name(file_name, "too many tags", err);
    }
    n = sets[0].count * sets[1].count * sets[2].count;
    tags.items = pexcz_arena_alloc(arena, n, sizeof(*tags.items), err);
    if (tags.items == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (size_t a = 0; a < sets[0].count; a++) {
        for (size_t b = 0; b < sets[1].count; b++) {
            for (size_t c = 0; c < sets[2].count; c++) {
                tags.items[tags.count++] = (struct pexcz_tag){
                    sets[0].items[a], sets[1].items[b], sets[2].items[c]};
            }
        }
    }
    tags.cap = n;
    *ret = tags;
    return PEXCZ_OK;
}

/* Cuts "-LAST" off; false when there is no dash. */
static bool
cut_last(struct pexcz_slice *s, struct pexcz_slice *ret)
{
    const uint8_t *dash = s->len == 0 ? NULL : memrchr(s->ptr, '-', s->len);
    size_t n;

    if (dash == NULL) {
        return false;
    }
    n = (size_t)(dash - s->ptr);
    *ret = pexcz_slice_make(dash + 1, s->len - n - 1);
    s->len = n;
    return true;
}

/* Cuts "FIRST-" off; false at the end. */
static bool
cut_first(struct pexcz_slice *s, struct pexcz_slice *ret)
{
    const uint8_t *dash;
    size_t n;

    if (s->len == 0) {
        return false;
    }
    dash = memchr(s->ptr, '-', s->len);
    n = dash == NULL ? s->len : (size_t)(dash - s->ptr);
    *ret = pexcz_slice_make(s->ptr, n);
    n += dash == NULL ? 0 : 1;
    *s = pexcz_slice_make(s->ptr + n, s->len - n);
    return true;
}

int
pexcz_wheel_name_parse(const char *file_name, struct pexcz_arena *arena,
                       struct pexcz_wheel_name *ret, struct pexcz_error *err)
{
    struct pexcz_wheel_name wheel = {0};
    struct pexcz_slice parts[3];
    struct pexcz_slice stem;
    struct pexcz_slice head[3] = {{0}};
    size_t len = strlen(file_name);
    size_t count = 0;
    int rc;

    if (len < 4 || strcmp(file_name + len - 4, ".whl") != 0) {
        return bad_name(file_name, "it does not end in .whl", err);
    }
    stem = pexcz_slice_make(file_name, len - 4);
    /* The tags are the last three parts; names of old wheels may have more
     * dashes than they should. */
    for (size_t i = 3; i-- > 0;) {
        if (!cut_last(&stem, &parts[i])) {
            return bad_name(file_name, "too few parts", err);
        }
    }
    while (count < 3 && cut_first(&stem, &head[count])) {
        count++;
    }
    wheel.name = pexcz_arena_dup(arena, head[0], err);
    wheel.version = pexcz_arena_dup(arena, head[1], err);
    wheel.build = pexcz_arena_dup(arena, head[2], err);
    if (wheel.name == NULL || wheel.version == NULL || wheel.build == NULL) {
        return PEXCZ_E_NOMEM;
    }
    rc = expand(parts, file_name, arena, &wheel.tags, err);
    if (rc == PEXCZ_OK) {
        *ret = wheel;
    }
    return rc;
}
