/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_builder.h"

#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Out of memory is an error like any other, not an exit. */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(slot) ((slot)->path = NULL)
#include <uthash.h>

struct pexcz_plan_slot {
    const char *path; /* NULL: could not be added */
    size_t index;     /* of the entry */
    UT_hash_handle hh;
};

void
pexcz_builder_done(struct pexcz_plan_builder *b)
{
    struct pexcz_plan_slot *slot;
    struct pexcz_plan_slot *next;

    HASH_ITER(hh, b->by_path, slot, next)
    {
        HASH_DEL(b->by_path, slot);
        free(slot);
    }
}

static struct pexcz_plan_slot *
find_slot(const struct pexcz_plan_builder *b, const char *path, size_t len)
{
    struct pexcz_plan_slot *slot;

    HASH_FIND(hh, b->by_path, path, len, slot);
    return slot;
}

struct pexcz_plan_entry *
pexcz_builder_find(const struct pexcz_plan_builder *b, const char *path)
{
    struct pexcz_plan_slot *slot = find_slot(b, path, strlen(path));

    return slot == NULL ? NULL : &b->plan->entries[slot->index];
}

int
pexcz_builder_warn(struct pexcz_plan_builder *b, const char *fmt, ...)
{
    char text[1024];
    char shown[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    pexcz_utf8_escape(pexcz_slice_str(text), shown, sizeof(shown));
    return pexcz_strings_add(&b->plan->warnings, &b->plan->arena,
                             pexcz_slice_str(shown), b->err);
}

static const char *
show_origin(const char *origin)
{
    return origin == NULL ? "user code" : origin;
}

/* `path` lives in the arena and is not there yet. */
static int
insert(struct pexcz_plan_builder *b, const struct pexcz_plan_entry *entry)
{
    void *entries = b->plan->entries;
    struct pexcz_plan_slot *slot;
    int rc = pexcz_arena_grow(&b->plan->arena, &entries, b->plan->entry_count,
                              &b->entry_cap, sizeof(*entry), b->err);

    if (rc < 0) {
        return rc;
    }
    b->plan->entries = entries;
    slot = calloc(1, sizeof(*slot));
    if (slot != NULL) {
        slot->path = entry->path;
        slot->index = b->plan->entry_count;
        HASH_ADD_KEYPTR(hh, b->by_path, entry->path, strlen(entry->path),
                        slot);
        if (slot->path == NULL) {
            free(slot);
            slot = NULL;
        }
    }
    if (slot == NULL) {
        return pexcz_fail(b->err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    b->plan->entries[b->plan->entry_count++] = *entry;
    return PEXCZ_OK;
}

static int
conflict(struct pexcz_plan_builder *b, const char *path, const char *origin,
         const char *what)
{
    char shown[300];

    pexcz_utf8_escape(pexcz_slice_str(path), shown, sizeof(shown));
    return pexcz_fail(b->err, PEXCZ_E_CONFLICT, 0,
                      "%s: %s: %s wants it as a %s, but it is a %s",
                      b->pex_name, shown, show_origin(origin), what,
                      strcmp(what, "file") == 0 ? "directory" : "file");
}

static int
add_parents(struct pexcz_plan_builder *b, const char *path, const char *origin)
{
    const char *slash = strchr(path, '/');

    for (; slash != NULL; slash = strchr(slash + 1, '/')) {
        size_t len = (size_t)(slash - path);
        const struct pexcz_plan_slot *slot = find_slot(b, path, len);
        struct pexcz_plan_entry entry = {
            .kind = PEXCZ_KIND_DIR,
            .mode = 0755,
            .mtime = PEXCZ_DEFAULT_MTIME,
        };
        int rc;

        if (slot != NULL) {
            if (b->plan->entries[slot->index].kind != PEXCZ_KIND_DIR) {
                return conflict(b, b->plan->entries[slot->index].path, origin,
                                "directory");
            }
            continue;
        }
        entry.path = pexcz_arena_dup(&b->plan->arena,
                                     pexcz_slice_make(path, len), b->err);
        if (entry.path == NULL) {
            return PEXCZ_E_NOMEM;
        }
        rc = insert(b, &entry);
        if (rc < 0) {
            return rc;
        }
    }
    return PEXCZ_OK;
}

static int
check_path(struct pexcz_plan_builder *b, const char *path, const char *origin)
{
    size_t depth = 1;

    for (const char *p = path; *p != '\0'; p++) {
        depth += *p == '/' ? 1 : 0;
    }
    if (strlen(path) > PEXCZ_MAX_PATH || depth > PEXCZ_MAX_DEPTH) {
        return pexcz_fail(b->err, PEXCZ_E_TOO_BIG, 0,
                          "%s: %s: path is too long: %.200s…", b->pex_name,
                          show_origin(origin), path);
    }
    return PEXCZ_OK;
}

/* Warns when the two contents differ. */
static int
compare(struct pexcz_plan_builder *b, const struct pexcz_plan_entry *old,
        const struct pexcz_content *content, const char *origin)
{
    struct pexcz_buf buf_a = {0};
    struct pexcz_buf buf_b = {0};
    struct pexcz_slice x;
    struct pexcz_slice y;
    bool same
        = pexcz_content_size(&old->content) == pexcz_content_size(content);
    int rc = PEXCZ_OK;

    if (same) {
        rc = pexcz_content_read(&old->content, &buf_a, &x, b->err);
        if (rc == PEXCZ_OK) {
            rc = pexcz_content_read(content, &buf_b, &y, b->err);
        }
        same = rc == PEXCZ_OK && pexcz_slice_eq(x, y);
    }
    pexcz_buf_done(&buf_a);
    pexcz_buf_done(&buf_b);
    if (rc == PEXCZ_OK && !same) {
        rc = pexcz_builder_warn(b,
                                "%s: provided by both %s and %s, not alike: "
                                "the former is used",
                                old->path, show_origin(old->origin),
                                show_origin(origin));
    }
    return rc;
}

/* `path`, of which there is nothing yet, as `entry`, which gets the path. */
static int
add_new(struct pexcz_plan_builder *b, const char *path,
        struct pexcz_plan_entry *entry, const char *origin)
{
    int rc = check_path(b, path, origin);

    if (rc == PEXCZ_OK) {
        rc = add_parents(b, path, origin);
    }
    if (rc < 0) {
        return rc;
    }
    entry->path
        = pexcz_arena_dup(&b->plan->arena, pexcz_slice_str(path), b->err);
    return entry->path == NULL ? PEXCZ_E_NOMEM : insert(b, entry);
}

int
pexcz_builder_add_file(struct pexcz_plan_builder *b, const char *path,
                       const struct pexcz_content *content, bool executable,
                       int64_t mtime, const char *origin)
{
    const struct pexcz_plan_entry *old = pexcz_builder_find(b, path);
    size_t len = strlen(path);
    struct pexcz_plan_entry entry = {
        .kind = PEXCZ_KIND_FILE,
        .mode = executable ? 0755 : 0644,
        .mtime = mtime,
        .content = *content,
        .origin = origin,
        .compile = len > 3 && strcmp(path + len - 3, ".py") == 0,
    };

    if (old != NULL) {
        return old->kind == PEXCZ_KIND_DIR ? conflict(b, path, origin, "file")
                                           : compare(b, old, content, origin);
    }
    return add_new(b, path, &entry, origin);
}

int
pexcz_builder_add_dir(struct pexcz_plan_builder *b, const char *path,
                      int64_t mtime, const char *origin)
{
    const struct pexcz_plan_entry *old = pexcz_builder_find(b, path);
    struct pexcz_plan_entry entry = {
        .kind = PEXCZ_KIND_DIR,
        .mode = 0755,
        .mtime = mtime,
    };

    if (old != NULL) {
        return old->kind == PEXCZ_KIND_DIR
                   ? PEXCZ_OK
                   : conflict(b, path, origin, "directory");
    }
    return add_new(b, path, &entry, origin);
}

/*
 * The source that bytecode at `path` was compiled from: beside it, or above
 * its __pycache__.  False when `path` is not bytecode.
 */
static bool
source_of(const char *path, char *ret, size_t size)
{
    static const char cache[] = "__pycache__/";
    size_t len = strlen(path);
    const char *name = basename(path);
    size_t dir = (size_t)(name - path);
    size_t cache_len = strlen(cache);
    int n;

    if (len < 5 || strcmp(path + len - 4, ".pyc") != 0) {
        return false;
    }
    if (dir >= cache_len
        && strncmp(path + dir - cache_len, cache, cache_len) == 0
        && (dir == cache_len || path[dir - cache_len - 1] == '/')) {
        n = snprintf(ret, size, "%.*s%.*s.py", (int)(dir - cache_len), path,
                     (int)strcspn(name, "."), name);
    }
    else {
        n = snprintf(ret, size, "%.*s", (int)len - 1, path);
    }
    return n > 0 && (size_t)n < size;
}

static bool
is_cache_dir(const struct pexcz_plan_entry *e)
{
    return e->kind == PEXCZ_KIND_DIR
           && strcmp(basename(e->path), "__pycache__") == 0;
}

static int
compare_entries(const void *a, const void *b)
{
    const struct pexcz_plan_entry *x = a;
    const struct pexcz_plan_entry *y = b;

    return strcmp(x->path, y->path);
}

int
pexcz_builder_finish(struct pexcz_plan_builder *b)
{
    struct pexcz_plan *plan = b->plan;
    size_t kept = 0;

    for (size_t i = 0; i < plan->entry_count; i++) {
        const struct pexcz_plan_entry *e = &plan->entries[i];
        char source[PEXCZ_MAX_PATH + 8];

        if (e->kind == PEXCZ_KIND_FILE
            && source_of(e->path, source, sizeof(source))
            && find_slot(b, source, strlen(source)) != NULL) {
            continue;
        }
        plan->entries[kept++] = *e;
    }
    plan->entry_count = kept;
    pexcz_builder_done(b);
    qsort(plan->entries, kept, sizeof(*plan->entries), compare_entries);
    /* From the end: a directory is empty if nothing behind it is below it.
     * "a" may be followed by "a-b" before "a/b", so look for "a/". */
    kept = 0;
    for (size_t i = 0; i < plan->entry_count; i++) {
        const struct pexcz_plan_entry *e = &plan->entries[i];

        if (is_cache_dir(e)) {
            size_t len = strlen(e->path);
            bool used = false;

            for (size_t k = i + 1; k < plan->entry_count && !used; k++) {
                const char *path = plan->entries[k].path;

                if (strncmp(path, e->path, len) != 0) {
                    break;
                }
                used = path[len] == '/';
            }
            if (!used) {
                continue;
            }
        }
        plan->entries[kept++] = *e;
    }
    plan->entry_count = kept;
    return PEXCZ_OK;
}
