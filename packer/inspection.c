/* SPDX-License-Identifier: Apache-2.0 */
#include "inspection.h"

#include "record.h"
#include "tree_walk.h"

#include <stdlib.h>

#define INFO_SUFFIX ".dist-info"

/* By record number of one blob. */
struct numbers {
    uint32_t *module_of; /* entry -> module + 1, 0: none */
    bool *seen;          /* payload */
};

struct reading {
    struct pexcz_inspection *in;
    struct pexcz_tree tree;
    struct numbers numbers[PEXCZ_PART_COUNT];
    struct pexcz_strings search_path;
    struct pexcz_buf scratch;
};

/* --- tables ------------------------------------------------------------- */

static int
read_numbers(struct reading *r, const struct pexcz_blob *blob,
             struct pexcz_error *err)
{
    struct numbers *n = &r->numbers[pexcz_packed_file_part(r->in->file, blob)];
    uint32_t count = pexcz_blob_module_count(blob);

    n->module_of
        = pexcz_arena_alloc(&r->in->arena, pexcz_blob_entry_count(blob),
                            sizeof(*n->module_of), err);
    n->seen = pexcz_arena_alloc(&r->in->arena, pexcz_blob_payload_count(blob),
                                sizeof(*n->seen), err);
    if (n->module_of == NULL || n->seen == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct pexcz_module m;
        int rc = pexcz_blob_module(blob, i, &m, err);

        if (rc < 0) {
            return rc;
        }
        n->module_of[m.entry] = i + 1;
    }
    return PEXCZ_OK;
}

static int
read_search_path(struct reading *r, const struct pexcz_blob *blob,
                 struct pexcz_error *err)
{
    static const char *const tails[] = {"", "/lib-dynload"};
    struct pexcz_arena *arena = &r->in->arena;
    struct pexcz_slice value;
    uint32_t cursor = 0;
    uint32_t key;
    int rc = PEXCZ_OK;

    while (rc == PEXCZ_OK
           && pexcz_blob_boot_next(blob, &cursor, &key, &value)) {
        if (key == PEXCZ_BOOT_SEARCH_PATH) {
            rc = pexcz_strings_add(&r->search_path, arena, value, err);
        }
    }
    for (size_t i = 0; rc == PEXCZ_OK && i < 2; i++) {
        const char *path = pexcz_arena_printf(arena, err, "lib/python%u.%u%s",
                                              blob->python_major,
                                              blob->python_minor, tails[i]);

        rc = path == NULL ? PEXCZ_E_NOMEM
                          : pexcz_strings_add(&r->search_path, arena,
                                              pexcz_slice_str(path), err);
    }
    return rc;
}

/* --- entries ------------------------------------------------------------ */

static int
read_stored(struct reading *r, const struct pexcz_node *node, uint32_t payload,
            struct pexcz_stored *ret, struct pexcz_error *err)
{
    enum pexcz_part part = pexcz_packed_file_part(r->in->file, node->blob);
    struct pexcz_payload p;
    int rc = pexcz_blob_payload(node->blob, payload, &p, err);

    if (rc < 0) {
        return rc;
    }
    *ret = (struct pexcz_stored){
        .size = p.size,
        .stored = p.stored.len,
        .storage = p.storage,
        .again = r->numbers[part].seen[payload],
    };
    r->numbers[part].seen[payload] = true;
    return PEXCZ_OK;
}

/*
 * The rest of `path` behind the longest folder of sys.path that leaves a name
 * when the last `suffix` bytes are cut; NULL: none.
 */
static const char *
below_search_path(const struct reading *r, const char *path, size_t suffix)
{
    size_t size = strlen(path);
    const char *best = NULL;

    for (size_t i = 0; i < r->search_path.count; i++) {
        const char *folder = r->search_path.items[i];
        size_t len = strlen(folder);
        size_t skip = len == 0 ? 0 : len + 1;

        if (strncmp(path, folder, len) == 0 && size > skip + suffix
            && (len == 0 || path[len] == '/')
            && (best == NULL || path + skip > best)) {
            best = path + skip;
        }
    }
    return best;
}

static int
read_module(struct reading *r, const struct pexcz_node *node,
            struct pexcz_inspected *e, struct pexcz_error *err)
{
    uint32_t module = r->numbers[e->part].module_of[node->entry.index];
    const char *tail;
    char *name;
    int rc;

    if (module == 0) {
        return PEXCZ_OK;
    }
    e->is_module = true;
    rc = pexcz_blob_module(node->blob, module - 1, &e->module, err);
    if (rc == PEXCZ_OK && e->module.code != PEXCZ_NONE) {
        e->has_code = true;
        rc = read_stored(r, node, e->module.code, &e->code, err);
    }
    tail = below_search_path(r, e->path, e->module.suffix_size);
    if (rc < 0 || tail == NULL) {
        return rc;
    }
    name = pexcz_arena_dup(
        &r->in->arena,
        pexcz_slice_make(tail, strlen(tail) - e->module.suffix_size), err);
    if (name == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (char *c = name; *c != '\0'; c++) {
        *c = *c == '/' ? '.' : *c;
    }
    e->module_name = name;
    return PEXCZ_OK;
}

static int
read_content(struct reading *r, const struct pexcz_node *node,
             struct pexcz_inspected *e, struct pexcz_error *err)
{
    struct pexcz_slice target;
    int rc;

    if (node->entry.kind == PEXCZ_KIND_SELF) {
        e->content.size = r->in->file->bytes.len;
    }
    if (node->entry.payload == PEXCZ_NONE) {
        return PEXCZ_OK;
    }
    rc = read_stored(r, node, node->entry.payload, &e->content, err);
    if (rc < 0 || node->entry.kind != PEXCZ_KIND_SYMLINK) {
        return rc;
    }
    rc = pexcz_blob_content(node->blob, node->entry.payload, &r->scratch,
                            &target, err);
    if (rc == PEXCZ_OK) {
        e->link = pexcz_arena_dup(&r->in->arena, target, err);
        rc = e->link == NULL ? PEXCZ_E_NOMEM : PEXCZ_OK;
    }
    return rc;
}

static int
read_entry(void *context, enum pexcz_walk_event event, const char *path,
           const struct pexcz_node *node, struct pexcz_error *err)
{
    struct reading *r = context;
    struct pexcz_inspection *in = r->in;
    struct pexcz_inspected *e;
    void *entries = in->entries;
    int rc;

    if (event == PEXCZ_WALK_LEAVE || path[0] == '\0') {
        return PEXCZ_OK;
    }
    rc = pexcz_arena_grow(&in->arena, &entries, in->entry_count,
                          &in->entry_cap, sizeof(*in->entries), err);
    if (rc < 0) {
        return rc;
    }
    in->entries = entries;
    e = &in->entries[in->entry_count];
    *e = (struct pexcz_inspected){
        .path = pexcz_arena_dup(&in->arena, pexcz_slice_str(path), err),
        .entry = node->entry,
        .part = pexcz_packed_file_part(in->file, node->blob),
        .distribution = PEXCZ_NO_DISTRIBUTION,
    };
    if (e->path == NULL) {
        return PEXCZ_E_NOMEM;
    }
    rc = read_content(r, node, e, err);
    if (rc == PEXCZ_OK) {
        rc = read_module(r, node, e, err);
    }
    if (rc == PEXCZ_OK) {
        in->entry_count++;
    }
    return rc;
}

/* --- distributions ------------------------------------------------------ */

static bool
is_info(const struct pexcz_inspected *e)
{
    size_t len = strlen(e->path);
    size_t suffix = sizeof(INFO_SUFFIX) - 1;

    return e->entry.kind == PEXCZ_KIND_DIR && len > suffix
           && strcmp(e->path + len - suffix, INFO_SUFFIX) == 0;
}

/* The path of a row of RECORD: "../" leaves `folder`, at most to the root. */
static const char *
row_path(struct reading *r, struct pexcz_slice folder, const char *row,
         struct pexcz_error *err)
{
    size_t len = folder.len;

    while (strncmp(row, "../", 3) == 0) {
        while (len != 0 && folder.ptr[len - 1] != '/') {
            len--;
        }
        len -= len != 0 ? 1 : 0;
        row += 3;
    }
    return pexcz_arena_printf(&r->in->arena, err, "%.*s%s%s", (int)len,
                              (const char *)folder.ptr, len != 0 ? "/" : "",
                              row);
}

static int
add_recorded(struct pexcz_inspection *in, const char *path, const char *hash,
             size_t dist, struct pexcz_error *err)
{
    void *rows = in->recorded;
    int rc = pexcz_arena_grow(&in->arena, &rows, in->recorded_count,
                              &in->recorded_cap, sizeof(*in->recorded), err);

    if (rc == PEXCZ_OK) {
        in->recorded = rows;
        in->recorded[in->recorded_count++]
            = (struct pexcz_recorded){path, hash, dist};
    }
    return rc;
}

/* A RECORD that cannot be parsed owns nothing, and an inspection is no place
 * to complain about it. */
static int
read_record(struct reading *r, size_t dist, struct pexcz_error *err)
{
    struct pexcz_arena *arena = &r->in->arena;
    const char *info = r->in->dists[dist].info;
    const char *name = basename(info);
    struct pexcz_slice folder
        = pexcz_slice_make(info, name == info ? 0 : (size_t)(name - info - 1));
    const char *path = pexcz_arena_printf(arena, err, "%s/RECORD", info);
    struct pexcz_record record = {0};
    struct pexcz_node node;
    struct pexcz_slice text;
    int rc;

    if (path == NULL) {
        return PEXCZ_E_NOMEM;
    }
    if (!pexcz_tree_find(&r->tree, pexcz_slice_str(path), &node)
        || node.entry.kind != PEXCZ_KIND_FILE) {
        return PEXCZ_OK;
    }
    rc = pexcz_blob_content(node.blob, node.entry.payload, &r->scratch, &text,
                            err);
    if (rc == PEXCZ_OK) {
        rc = pexcz_record_parse(text, path, arena, &record, err);
        rc = rc == PEXCZ_E_CORRUPT ? PEXCZ_OK : rc;
    }
    for (size_t i = 0; rc == PEXCZ_OK && i < record.count; i++) {
        const char *row = row_path(r, folder, record.rows[i].path, err);

        rc = row == NULL
                 ? PEXCZ_E_NOMEM
                 : add_recorded(r->in, row, record.rows[i].hash, dist, err);
    }
    return rc;
}

/* "NAME-VERSION.dist-info" */
static int
read_dist(struct reading *r, const char *info, struct pexcz_error *err)
{
    struct pexcz_inspection *in = r->in;
    const char *name = basename(info);
    int stem = (int)(strlen(name) - (sizeof(INFO_SUFFIX) - 1));
    const char *dash = memchr(name, '-', (size_t)stem);
    int name_len = dash != NULL ? (int)(dash - name) : stem;
    int version_len = dash != NULL ? stem - name_len - 1 : 0;
    struct pexcz_inspected_dist dist = {
        .info = info,
        .name = pexcz_arena_printf(&in->arena, err, "%.*s", name_len, name),
        .version = pexcz_arena_printf(&in->arena, err, "%.*s", version_len,
                                      dash != NULL ? dash + 1 : ""),
    };
    void *dists = in->dists;
    int rc;

    if (dist.name == NULL || dist.version == NULL) {
        return PEXCZ_E_NOMEM;
    }
    rc = pexcz_arena_grow(&in->arena, &dists, in->dist_count, &in->dist_cap,
                          sizeof(*in->dists), err);
    if (rc == PEXCZ_OK) {
        in->dists = dists;
        in->dists[in->dist_count++] = dist;
        rc = read_record(r, in->dist_count - 1, err);
    }
    return rc;
}

static int
compare_recorded(const void *a, const void *b)
{
    return strcmp(((const struct pexcz_recorded *)a)->path,
                  ((const struct pexcz_recorded *)b)->path);
}

/* What RECORD files name, and everything in the .dist-info folders. */
static int
read_dists(struct reading *r, struct pexcz_error *err)
{
    struct pexcz_inspection *in = r->in;
    const char *info = NULL;
    int rc = PEXCZ_OK;

    for (size_t i = 0; rc == PEXCZ_OK && i < in->entry_count; i++) {
        struct pexcz_inspected *e = &in->entries[i];

        if (is_info(e)) {
            info = e->path;
            rc = read_dist(r, info, err);
        }
        if (info != NULL && strncmp(e->path, info, strlen(info)) == 0
            && (e->path[strlen(info)] == '/' || e->path == info)) {
            e->distribution = in->dist_count - 1;
        }
    }
    if (rc < 0 || in->recorded_count == 0) {
        return rc;
    }
    qsort(in->recorded, in->recorded_count, sizeof(*in->recorded),
          compare_recorded);
    for (size_t i = 0; i < in->entry_count; i++) {
        struct pexcz_inspected *e = &in->entries[i];
        struct pexcz_recorded key = {.path = e->path};
        const struct pexcz_recorded *found
            = bsearch(&key, in->recorded, in->recorded_count,
                      sizeof(*in->recorded), compare_recorded);

        if (found != NULL && e->distribution == PEXCZ_NO_DISTRIBUTION) {
            e->distribution = found->dist;
        }
    }
    return PEXCZ_OK;
}

/* --- sums --------------------------------------------------------------- */

static void
add_stored(struct pexcz_sums *sums, const struct pexcz_stored *s)
{
    sums->size += s->size;
    sums->stored += s->again ? 0 : s->stored;
}

static void
add_entry(struct pexcz_sums *sums, const struct pexcz_inspected *e)
{
    sums->files += e->entry.kind != PEXCZ_KIND_DIR ? 1 : 0;
    sums->modules += e->is_module ? 1 : 0;
    if (e->entry.kind != PEXCZ_KIND_SELF) {
        add_stored(sums, &e->content);
    }
    add_stored(sums, &e->code);
}

static void
sum_up(struct pexcz_inspection *in)
{
    for (size_t i = 0; i < in->entry_count; i++) {
        const struct pexcz_inspected *e = &in->entries[i];

        add_entry(&in->total, e);
        add_entry(e->distribution == PEXCZ_NO_DISTRIBUTION
                      ? &in->other
                      : &in->dists[e->distribution].sums,
                  e);
    }
    in->program = in->file->bytes.len;
    for (int i = 0; i < PEXCZ_PART_COUNT; i++) {
        in->program
            -= in->file->parts[i].present ? in->file->parts[i].size : 0;
    }
}

int
pexcz_inspection_read(const struct pexcz_packed_file *file, bool all,
                      struct pexcz_inspection *ret, struct pexcz_error *err)
{
    struct reading r = {.in = ret};
    int rc = PEXCZ_OK;

    *ret = (struct pexcz_inspection){.file = file};
    pexcz_packed_file_tree(file, all, &r.tree);
    for (uint32_t i = 0; rc == PEXCZ_OK && i < r.tree.layer_count; i++) {
        const struct pexcz_blob *blob = r.tree.layers[i];

        rc = pexcz_blob_verify(blob, err);
        if (rc < 0) {
            (void)pexcz_wrap(err, "%s", file->path);
        }
        else {
            rc = read_numbers(&r, blob, err);
        }
        if (rc == PEXCZ_OK) {
            rc = read_search_path(&r, blob, err);
        }
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_tree_walk(&r.tree, read_entry, &r, err);
    }
    if (rc == PEXCZ_OK) {
        rc = read_dists(&r, err);
    }
    if (rc == PEXCZ_OK) {
        sum_up(ret);
    }
    pexcz_buf_done(&r.scratch);
    return rc;
}

void
pexcz_inspection_done(struct pexcz_inspection *inspection)
{
    pexcz_arena_done(&inspection->arena);
    *inspection = (struct pexcz_inspection){0};
}
