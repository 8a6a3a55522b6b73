/* SPDX-License-Identifier: Apache-2.0 */
#include "wheel_layout.h"

#include <jansson.h>

#define LAYOUT_FILE ".layout.json"
#define LAYOUT_MAX_SIZE ((size_t)1 << 20)
#define METADATA_MAX_SIZE ((size_t)64 << 20)

/* A safe relative path: what .layout.json names is looked up with it. */
static bool
is_relative_path(const char *path)
{
    while (*path != '\0') {
        size_t n = strcspn(path, "/");

        if (n == 0 || (n == 2 && memcmp(path, "..", 2) == 0)
            || (n == 1 && path[0] == '.')) {
            return false;
        }
        path += n;
        path += *path == '/' ? 1 : 0;
        if (*path == '\0' && path[-1] == '/') {
            return false;
        }
    }
    return true;
}

static int
read_small(const struct pexcz_file *file, const char *where, size_t limit,
           struct pexcz_buf *buf, struct pexcz_slice *ret,
           struct pexcz_error *err)
{
    buf->len = 0;
    if (pexcz_content_size(&file->content) > limit) {
        return pexcz_fail(err, PEXCZ_E_TOO_BIG, 0,
                          "%s/%s: more than %zu bytes", where, file->path,
                          limit);
    }
    return pexcz_content_read(&file->content, buf, ret, err);
}

/*
 * .layout.json of a chroot.  Like Pex, takes one without stash directory and
 * RECORD path for none: *ret_found stays false.
 */
static int
parse_layout(struct pexcz_dist *dist, struct pexcz_slice text,
             const char *where, struct pexcz_arena *arena, bool *ret_found,
             bool *ret_purelib_known, struct pexcz_error *err)
{
    json_error_t jerr;
    json_t *root = json_loadb((const char *)text.ptr, text.len,
                              JSON_REJECT_DUPLICATES, &jerr);
    const char *stash;
    const char *record;
    const json_t *purelib;
    int rc = PEXCZ_OK;

    if (root == NULL || !json_is_object(root)) {
        rc = pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                        "%s/" LAYOUT_FILE ": not a JSON object", where);
        goto out;
    }
    stash = json_string_value(json_object_get(root, "stash_dir"));
    record = json_string_value(json_object_get(root, "record_relpath"));
    if (stash == NULL || record == NULL || stash[0] == '\0'
        || record[0] == '\0') {
        goto out;
    }
    if (!is_relative_path(stash) || !is_relative_path(record)) {
        rc = pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                        "%s/" LAYOUT_FILE ": a path leads out of the "
                        "distribution",
                        where);
        goto out;
    }
    dist->stash_dir = pexcz_arena_dup(arena, pexcz_slice_str(stash), err);
    dist->record_path = pexcz_arena_dup(arena, pexcz_slice_str(record), err);
    if (dist->stash_dir == NULL || dist->record_path == NULL) {
        rc = PEXCZ_E_NOMEM;
        goto out;
    }
    dist->stash_is_typed = json_object_get(root, "sys_path_entries") != NULL;
    purelib = json_object_get(root, "root_is_purelib");
    if (purelib != NULL && json_is_boolean(purelib)) {
        dist->metadata.root_is_purelib = json_is_true(purelib);
        *ret_purelib_known = true;
    }
    *ret_found = true;

out:
    json_decref(root);
    return rc;
}

/* Whether `path` is "NAME.dist-info/METADATA"; *ret_len is the directory's. */
static bool
is_metadata_path(const char *path, size_t *ret_len)
{
    static const char tail[] = ".dist-info/METADATA";
    size_t n = strcspn(path, "/");
    size_t dir = strlen(".dist-info");

    if (n <= dir || strcmp(path + n - dir, tail) != 0) {
        return false;
    }
    *ret_len = n;
    return true;
}

/*
 * The .dist-info directory: the only one, or the one of the project that the
 * file name tells.
 */
static int
find_dist_info(struct pexcz_dist *dist, const char *where,
               struct pexcz_arena *arena, struct pexcz_error *err)
{
    const char *wanted = NULL;
    size_t count = 0;

    if (dist->has_wheel_name) {
        wanted = pexcz_name_canonical(pexcz_slice_str(dist->wheel.name), arena,
                                      err);
        if (wanted == NULL) {
            return PEXCZ_E_NOMEM;
        }
    }
    for (size_t i = 0; i < dist->files.count; i++) {
        const char *path = dist->files.items[i].path;
        const char *key;
        size_t len;
        size_t name_len;
        bool matches;

        if (!is_metadata_path(path, &len)) {
            continue;
        }
        count++;
        name_len = len - strlen(".dist-info");
        for (size_t k = 0; k < len; k++) {
            if (path[k] == '-') {
                name_len = k;
                break;
            }
        }
        key = pexcz_name_canonical(pexcz_slice_make(path, name_len), arena,
                                   err);
        if (key == NULL) {
            return PEXCZ_E_NOMEM;
        }
        matches = wanted != NULL && strcmp(key, wanted) == 0;
        if (dist->dist_info == NULL || matches) {
            dist->dist_info
                = pexcz_arena_dup(arena, pexcz_slice_make(path, len), err);
            if (dist->dist_info == NULL) {
                return PEXCZ_E_NOMEM;
            }
            if (matches) {
                return PEXCZ_OK;
            }
        }
    }
    if (count == 0) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: no .dist-info directory with METADATA: not an "
                          "installed wheel or wheel file",
                          where);
    }
    if (count > 1) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: several .dist-info directories, none of them "
                          "its own",
                          where);
    }
    return PEXCZ_OK;
}

/* Reads "DIST_INFO/name"; an empty slice, and *ret_path NULL, if missing. */
static int
read_metadata_file(const struct pexcz_dist *dist, const char *name,
                   const char *where, struct pexcz_arena *arena,
                   struct pexcz_buf *buf, struct pexcz_slice *ret,
                   const char **ret_path, struct pexcz_error *err)
{
    const struct pexcz_file *file;
    char *path = pexcz_arena_printf(arena, err, "%s/%s/%s", where,
                                    dist->dist_info, name);

    if (path == NULL) {
        return PEXCZ_E_NOMEM;
    }
    *ret = pexcz_slice_make(NULL, 0);
    *ret_path = NULL;
    file = pexcz_file_list_find(&dist->files, path + strlen(where) + 1);
    if (file == NULL || file->is_dir) {
        return PEXCZ_OK;
    }
    *ret_path = path;
    return read_small(file, where, METADATA_MAX_SIZE, buf, ret, err);
}

static int
read_metadata(struct pexcz_dist *dist, const char *where, bool purelib_known,
              struct pexcz_arena *arena, struct pexcz_buf *buf,
              struct pexcz_error *err)
{
    struct pexcz_slice text;
    const char *path;
    bool purelib = dist->metadata.root_is_purelib;
    int rc = read_metadata_file(dist, "METADATA", where, arena, buf, &text,
                                &path, err);

    if (rc == PEXCZ_OK) {
        rc = pexcz_metadata_parse(text, path, arena, &dist->metadata, err);
    }
    if (rc == PEXCZ_OK) {
        rc = read_metadata_file(dist, "WHEEL", where, arena, buf, &text, &path,
                                err);
    }
    if (rc == PEXCZ_OK && path != NULL) {
        rc = pexcz_wheel_file_parse(text, path, &dist->metadata, err);
    }
    else if (rc == PEXCZ_OK && dist->form == PEXCZ_DIST_WHEEL) {
        rc = pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                        "%s: not a wheel file: no %s/WHEEL", where,
                        dist->dist_info);
    }
    if (rc == PEXCZ_OK) {
        rc = read_metadata_file(dist, "entry_points.txt", where, arena, buf,
                                &text, &path, err);
    }
    if (rc == PEXCZ_OK && path != NULL) {
        rc = pexcz_entry_points_parse(text, path, arena, &dist->metadata, err);
    }
    if (purelib_known) {
        dist->metadata.root_is_purelib = purelib;
    }
    return rc;
}

int
pexcz_wheel_layout_read(struct pexcz_dist *dist, const char *where,
                        bool is_archive, struct pexcz_arena *arena,
                        struct pexcz_error *err)
{
    const struct pexcz_file *layout
        = pexcz_file_list_find(&dist->files, LAYOUT_FILE);
    struct pexcz_buf buf = {0};
    struct pexcz_slice text;
    bool found = false;
    bool purelib_known = false;
    size_t len = strlen(dist->file_name);
    int rc = PEXCZ_OK;

    if (len > 4 && strcmp(dist->file_name + len - 4, ".whl") == 0) {
        rc = pexcz_wheel_name_parse(dist->file_name, arena, &dist->wheel, err);
        if (rc < 0) {
            rc = pexcz_wrap(err, "%s", where);
            goto out;
        }
        dist->has_wheel_name = true;
    }
    if (layout != NULL && !layout->is_dir) {
        rc = read_small(layout, where, LAYOUT_MAX_SIZE, &buf, &text, err);
        if (rc == PEXCZ_OK) {
            rc = parse_layout(dist, text, where, arena, &found, &purelib_known,
                              err);
        }
        if (rc < 0) {
            goto out;
        }
    }
    dist->form = found        ? PEXCZ_DIST_CHROOT
                 : is_archive ? PEXCZ_DIST_WHEEL
                              : PEXCZ_DIST_LEGACY;
    rc = find_dist_info(dist, where, arena, err);
    if (rc == PEXCZ_OK) {
        rc = read_metadata(dist, where, purelib_known, arena, &buf, err);
    }

out:
    pexcz_buf_done(&buf);
    return rc;
}
