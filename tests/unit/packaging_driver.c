/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers questions about versions, specifiers, markers, requirements and tags
 * on standard input, one line each, for tests/conformance/
 * test_packaging_diff.py.  Fields are separated by tabs; the answer to a
 * malformed text is "bad".
 *
 *   compare A B             -1, 0 or 1
 *   contains SET VERSION    0 or 1
 *   includes SET SET        0 or 1
 *   marker TEXT EXTRA       0 or 1, on CPython 3.11.2, x86_64
 *   requirement TEXT        key, extras and URL
 *   tags VERSION ARCH GLIBC all tags, best first
 *   wheel NAME              its tags
 */
#include "requirement.h"
#include "tags.h"

#include <stdio.h>
#include <stdlib.h>

static struct pexcz_slice
slice(const char *s)
{
    return pexcz_slice_str(s);
}

static void
compare(const char *a, const char *b)
{
    struct pexcz_version x;
    struct pexcz_version y;
    int c;

    if (!pexcz_version_parse(slice(a), &x)
        || !pexcz_version_parse(slice(b), &y)) {
        (void)puts("bad");
        return;
    }
    c = pexcz_version_cmp(&x, &y);
    (void)printf("%d\n", (c > 0) - (c < 0));
}

static void
contains(struct pexcz_arena *arena, const char *set, const char *version)
{
    struct pexcz_specifiers s;

    if (pexcz_specifiers_parse(slice(set), arena, &s, NULL) < 0) {
        (void)puts("bad");
        return;
    }
    (void)printf("%d\n", pexcz_specifiers_contain(&s, slice(version)));
}

static void
includes(struct pexcz_arena *arena, const char *outer, const char *inner)
{
    struct pexcz_specifiers a;
    struct pexcz_specifiers b;
    bool ret = false;

    if (pexcz_specifiers_parse(slice(outer), arena, &a, NULL) < 0
        || pexcz_specifiers_parse(slice(inner), arena, &b, NULL) < 0
        || pexcz_specifiers_include(&a, &b, arena, &ret, NULL) < 0) {
        (void)puts("bad");
        return;
    }
    (void)printf("%d\n", ret);
}

static void
marker(struct pexcz_arena *arena, const char *text, const char *extra)
{
    static const struct pexcz_target target
        = {.major = 3, .minor = 11, .micro = 2, .arch = "x86_64"};
    struct pexcz_marker_env env;
    const struct pexcz_marker *m;
    const char *key = pexcz_name_canonical(slice(extra), arena, NULL);
    bool value;

    pexcz_marker_env_init(&env, &target);
    if (key == NULL || pexcz_marker_parse(slice(text), arena, &m, NULL) < 0
        || pexcz_marker_eval(m, &env, key, &value, NULL) < 0) {
        (void)puts("bad");
        return;
    }
    (void)printf("%d\n", value);
}

static int
compare_strings(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;

    return strcmp(*x, *y);
}

static void
requirement(struct pexcz_arena *arena, const char *text)
{
    struct pexcz_requirement req;

    if (pexcz_requirement_parse(slice(text), arena, &req, NULL) < 0) {
        (void)puts("bad");
        return;
    }
    if (req.extras.count != 0) {
        qsort(req.extras.items, req.extras.count, sizeof(*req.extras.items),
              compare_strings);
    }
    (void)printf("%s [", req.key);
    for (size_t i = 0; i < req.extras.count; i++) {
        (void)printf("%s%s", i == 0 ? "" : ",", req.extras.items[i]);
    }
    (void)printf("] %zu %.*s %d\n", req.specifiers.count, (int)req.url.len,
                 req.url.len == 0 ? "" : (const char *)req.url.ptr,
                 req.marker != NULL);
}

static void
print_tags(const struct pexcz_tags *tags)
{
    for (size_t i = 0; i < tags->count; i++) {
        const struct pexcz_tag *t = &tags->items[i];

        (void)printf("%s%s-%s-%s", i == 0 ? "" : " ", t->python, t->abi,
                     t->platform);
    }
    (void)putchar('\n');
}

static void
supported(struct pexcz_arena *arena, const char *version, const char *arch,
          const char *glibc)
{
    struct pexcz_target target;
    struct pexcz_tags tags;

    if (pexcz_target_init(&target, version, arch, NULL) < 0
        || pexcz_target_set_glibc(&target, glibc, NULL) < 0
        || pexcz_tags_supported(&target, arena, &tags, NULL) < 0) {
        (void)puts("bad");
        return;
    }
    print_tags(&tags);
}

static void
wheel(struct pexcz_arena *arena, const char *name)
{
    struct pexcz_wheel_name w;

    if (pexcz_wheel_name_parse(name, arena, &w, NULL) < 0) {
        (void)puts("bad");
        return;
    }
    print_tags(&w.tags);
}

static void
answer(char *line)
{
    const char *fields[4] = {"", "", "", ""};
    struct pexcz_arena arena = {0};
    char *rest = line;

    for (size_t i = 0; i < 4 && rest != NULL; i++) {
        fields[i] = strsep(&rest, "\t");
    }
    if (strcmp(fields[0], "compare") == 0) {
        compare(fields[1], fields[2]);
    }
    else if (strcmp(fields[0], "contains") == 0) {
        contains(&arena, fields[1], fields[2]);
    }
    else if (strcmp(fields[0], "includes") == 0) {
        includes(&arena, fields[1], fields[2]);
    }
    else if (strcmp(fields[0], "marker") == 0) {
        marker(&arena, fields[1], fields[2]);
    }
    else if (strcmp(fields[0], "requirement") == 0) {
        requirement(&arena, fields[1]);
    }
    else if (strcmp(fields[0], "tags") == 0) {
        supported(&arena, fields[1], fields[2], fields[3]);
    }
    else if (strcmp(fields[0], "wheel") == 0) {
        wheel(&arena, fields[1]);
    }
    else {
        (void)puts("unknown question");
    }
    pexcz_arena_done(&arena);
}

int
main(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    while ((n = getline(&line, &cap, stdin)) > 0) {
        if (line[n - 1] == '\n') {
            line[n - 1] = '\0';
        }
        answer(line);
    }
    free(line);
    return fflush(stdout) == 0 ? 0 : 1;
}
