/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lays one distribution out as Pex 2.105 does in a venv (pex/pep_427.py): a
 * wheel file by its schemes, a chroot by its stash, scripts from the entry
 * points, RECORD, INSTALLER and REQUESTED written anew.
 */
#include "plan_builder.h"

#include "record.h"
#include "script_text.h"
#include "sha256.h"
#include "utf8.h"

#include <stdio.h>

#define RECORD_MAX_SIZE (UINT64_C(256) << 20)

enum place {
    PLACE_SKIP,
    PLACE_LIB, /* site-packages */
    PLACE_BIN,
    PLACE_OTHER, /* data and headers */
};

struct installer {
    struct pexcz_plan_builder *b;
    const struct pexcz_dist *dist;
    struct pexcz_arena *arena;
    struct pexcz_error *err;
    const char *stem;   /* "click-8.1.7", of the .dist-info directory */
    const char *record; /* path of RECORD in the distribution */
    /* What becomes of dist->files[i]. */
    struct installed {
        enum place place;
        const char *path; /* in the tree */
        bool rewritten;
        struct pexcz_slice text; /* if rewritten */
    } * installed;
};

/* `path` without `prefix` (whole parts), NULL when it is not below it. */
static const char *
below(const char *path, const char *prefix)
{
    size_t n = strlen(prefix);

    return strncmp(path, prefix, n) == 0 && path[n] == '/' ? path + n + 1
                                                           : NULL;
}

static bool
is_generated_script(const struct installer *in, const char *name)
{
    const struct pexcz_dist_metadata *md = &in->dist->metadata;

    for (size_t i = 0; i < md->script_count; i++) {
        if (strcmp(md->scripts[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static const char *
tree_path(const struct installer *in, enum place place, const char *rest)
{
    switch (place) {
    case PLACE_LIB:
        return pexcz_arena_printf(in->arena, in->err, "%s/%s",
                                  in->b->plan->site_packages, rest);
    case PLACE_BIN:
        return pexcz_arena_printf(in->arena, in->err, "bin/%s", rest);
    case PLACE_OTHER:
        return rest;
    case PLACE_SKIP:
        break;
    }
    return NULL;
}

/* "include/site/pythonX.Y/PROJECT/rest", for the target's Python. */
static const char *
header_path(const struct installer *in, const char *project, const char *rest)
{
    return pexcz_arena_printf(in->arena, in->err,
                              "include/site/python%d.%d/%s%s%s",
                              in->b->target->major, in->b->target->minor,
                              project, project[0] == '\0' ? "" : "/", rest);
}

static int
put(struct installer *in, size_t i, enum place place, const char *path)
{
    if (path == NULL) {
        return PEXCZ_E_NOMEM;
    }
    in->installed[i].place = place;
    in->installed[i].path = path;
    return PEXCZ_OK;
}

static int
place_script(struct installer *in, size_t i, const char *rest)
{
    if (is_generated_script(in, basename(rest))) {
        in->installed[i].place = PLACE_SKIP;
        return PEXCZ_OK;
    }
    return put(in, i, PLACE_BIN, tree_path(in, PLACE_BIN, rest));
}

static int
place_lib(struct installer *in, size_t i, const char *rest)
{
    return put(in, i, PLACE_LIB, tree_path(in, PLACE_LIB, rest));
}

/* A file below the stash of a chroot. */
static int
place_stashed(struct installer *in, size_t i, const char *path)
{
    const char *rest = below(path, "bin");

    if (rest != NULL) {
        return place_script(in, i, rest);
    }
    rest = below(path, "include/site");
    if (rest != NULL && strncmp(rest, "python", 6) == 0
        && strchr(rest, '/') != NULL) {
        return put(in, i, PLACE_OTHER,
                   header_path(in, "", strchr(rest, '/') + 1));
    }
    if (in->dist->stash_is_typed) {
        rest = below(path, "purelib");
        if (rest == NULL) {
            rest = below(path, "platlib");
        }
        if (rest != NULL) {
            return place_lib(in, i, rest);
        }
        rest = below(path, "data");
        if (rest != NULL) {
            return put(in, i, PLACE_OTHER, rest);
        }
    }
    return put(in, i, PLACE_OTHER, path);
}

/* A file below NAME-VERSION.data of a wheel. */
static int
place_data(struct installer *in, size_t i, const char *path)
{
    const char *rest = below(path, "purelib");
    char shown[300];

    if (rest == NULL) {
        rest = below(path, "platlib");
    }
    if (rest != NULL) {
        return place_lib(in, i, rest);
    }
    rest = below(path, "scripts");
    if (rest != NULL) {
        return place_script(in, i, rest);
    }
    rest = below(path, "headers");
    if (rest != NULL) {
        return put(in, i, PLACE_OTHER,
                   header_path(in, in->dist->metadata.name, rest));
    }
    rest = below(path, "data");
    if (rest != NULL) {
        return put(in, i, PLACE_OTHER, rest);
    }
    pexcz_utf8_escape(pexcz_slice_str(in->dist->files.items[i].path), shown,
                      sizeof(shown));
    return pexcz_fail(in->err, PEXCZ_E_UNSUPPORTED, 0,
                      "%s: .deps/%s/%s: no such installation scheme",
                      in->b->pex_name, in->dist->file_name, shown);
}

/* Files that an installer writes itself, or that are none of its business. */
static bool
is_bookkeeping(const struct installer *in, const char *path)
{
    static const char *const names[] = {"RECORD", "INSTALLER", "REQUESTED",
                                        "uv_build.json", "uv_cache.json"};
    const char *rest = below(path, in->dist->dist_info);
    size_t n = strlen(in->stem);

    for (size_t i = 0; rest != NULL && i < sizeof(names) / sizeof(names[0]);
         i++) {
        if (strcmp(rest, names[i]) == 0) {
            return true;
        }
    }
    return strcmp(path, ".layout.json") == 0
           || (strncmp(path, in->stem, n) == 0
               && strcmp(path + n, ".pex-info/original-whl-info.json") == 0);
}

static int
place_file(struct installer *in, size_t i)
{
    const char *path = in->dist->files.items[i].path;
    const char *rest;
    char *data;

    if (in->dist->files.items[i].is_dir
        || (in->dist->form != PEXCZ_DIST_LEGACY && is_bookkeeping(in, path))) {
        return PEXCZ_OK;
    }
    switch (in->dist->form) {
    case PEXCZ_DIST_CHROOT:
        rest = below(path, in->dist->stash_dir);
        if (rest != NULL) {
            return place_stashed(in, i, rest);
        }
        break;
    case PEXCZ_DIST_WHEEL:
        data = pexcz_arena_printf(in->arena, in->err, "%s.data", in->stem);
        if (data == NULL) {
            return PEXCZ_E_NOMEM;
        }
        rest = below(path, data);
        if (rest != NULL) {
            return place_data(in, i, rest);
        }
        break;
    case PEXCZ_DIST_LEGACY:
        rest = below(path, "bin");
        if (rest != NULL) {
            return put(in, i, PLACE_BIN, tree_path(in, PLACE_BIN, rest));
        }
        if (below(path, "__pycache__") != NULL) {
            return PEXCZ_OK;
        }
        break;
    }
    return place_lib(in, i, path);
}

/* Gives Python scripts the tree's own shebang. */
static int
rewrite_script(struct installer *in, size_t i)
{
    const struct pexcz_file *file = &in->dist->files.items[i];
    struct pexcz_buf buf = {0};
    struct pexcz_slice text;
    int rc = pexcz_content_read(&file->content, &buf, &text, in->err);

    if (rc == PEXCZ_OK && pexcz_is_python_script(text)) {
        rc = pexcz_script_rewrite(text, in->arena, &in->installed[i].text,
                                  in->err);
        in->installed[i].rewritten = rc == PEXCZ_OK;
    }
    pexcz_buf_done(&buf);
    return rc;
}

static int
add_file(struct installer *in, size_t i)
{
    const struct pexcz_file *file = &in->dist->files.items[i];
    const struct installed *to = &in->installed[i];
    struct pexcz_content content
        = to->rewritten ? pexcz_content_literal(to->text) : file->content;
    /* What Pex installs from a wheel gets this time too: a PEX is the same
     * whether its wheels were installed before or come as files. */
    int64_t mtime = in->dist->form == PEXCZ_DIST_WHEEL ? PEXCZ_DEFAULT_MTIME
                                                       : file->mtime;

    return pexcz_builder_add_file(in->b, to->path, &content,
                                  file->executable || to->place == PLACE_BIN,
                                  mtime, in->dist->file_name);
}

static int
install_files(struct installer *in)
{
    size_t n = in->dist->files.count;

    in->installed
        = pexcz_arena_alloc(in->arena, n, sizeof(*in->installed), in->err);
    if (in->installed == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        int rc = place_file(in, i);

        if (rc == PEXCZ_OK && in->installed[i].place == PLACE_BIN) {
            rc = rewrite_script(in, i);
        }
        if (rc == PEXCZ_OK && in->installed[i].place != PLACE_SKIP) {
            rc = add_file(in, i);
        }
        if (rc < 0) {
            return rc;
        }
    }
    return PEXCZ_OK;
}

/* A path of the tree as RECORD has it: relative to site-packages. */
static const char *
record_path(const struct installer *in, const char *path)
{
    const char *rest = below(path, in->b->plan->site_packages);

    return rest != NULL
               ? rest
               : pexcz_arena_printf(in->arena, in->err, "../../../%s", path);
}

static int
add_row(struct installer *in, struct pexcz_record *out, const char *path,
        struct pexcz_slice text)
{
    char *hash
        = pexcz_arena_alloc(in->arena, PEXCZ_RECORD_HASH_SIZE, 1, in->err);
    char *size = pexcz_arena_printf(in->arena, in->err, "%zu", text.len);
    const char *shown = record_path(in, path);

    if (hash == NULL || size == NULL || shown == NULL) {
        return PEXCZ_E_NOMEM;
    }
    pexcz_record_hash(text, hash);
    return pexcz_record_add(out, in->arena, shown, hash, size, in->err);
}

/* A file with these bytes in the .dist-info directory. */
static int
add_metadata_file(struct installer *in, const char *name, const char *text,
                  struct pexcz_record *out)
{
    char *path = pexcz_arena_printf(in->arena, in->err, "%s/%s/%s",
                                    in->b->plan->site_packages,
                                    in->dist->dist_info, name);
    struct pexcz_content content
        = pexcz_content_literal(pexcz_slice_str(text));
    int rc;

    if (path == NULL) {
        return PEXCZ_E_NOMEM;
    }
    rc = pexcz_builder_add_file(in->b, path, &content, false,
                                PEXCZ_DEFAULT_MTIME, in->dist->file_name);
    return rc < 0 ? rc : add_row(in, out, path, content.literal);
}

static int
add_scripts(struct installer *in, struct pexcz_record *out)
{
    const struct pexcz_dist_metadata *md = &in->dist->metadata;

    for (size_t i = 0; i < md->script_count; i++) {
        const char *path = tree_path(in, PLACE_BIN, md->scripts[i].name);
        struct pexcz_content content = {0};
        int rc = path == NULL
                     ? PEXCZ_E_NOMEM
                     : pexcz_script_generate(&md->scripts[i], in->arena,
                                             &content.literal, in->err);

        if (rc == PEXCZ_OK) {
            rc = pexcz_builder_add_file(in->b, path, &content, true,
                                        PEXCZ_DEFAULT_MTIME,
                                        in->dist->file_name);
        }
        if (rc == PEXCZ_OK) {
            rc = add_row(in, out, path, content.literal);
        }
        if (rc < 0) {
            return rc;
        }
    }
    return PEXCZ_OK;
}

/* The distribution's RECORD, or one made from its files where it has none or
 * one with absolute paths. */
static int
read_record(struct installer *in, struct pexcz_record *ret)
{
    const struct pexcz_file_list *files = &in->dist->files;
    const struct pexcz_file *file = pexcz_file_list_find(files, in->record);
    struct pexcz_buf buf = {0};
    struct pexcz_slice text;
    bool usable = false;
    int rc = PEXCZ_OK;

    if (file != NULL && !file->is_dir) {
        char *where = pexcz_arena_printf(in->arena, in->err, "%s: .deps/%s/%s",
                                         in->b->pex_name, in->dist->file_name,
                                         in->record);

        if (where == NULL) {
            return PEXCZ_E_NOMEM;
        }
        if (pexcz_content_size(&file->content) > RECORD_MAX_SIZE) {
            return pexcz_fail(in->err, PEXCZ_E_TOO_BIG, 0,
                              "%s: more than %llu bytes", where,
                              (unsigned long long)RECORD_MAX_SIZE);
        }
        rc = pexcz_content_read(&file->content, &buf, &text, in->err);
        if (rc == PEXCZ_OK) {
            rc = pexcz_record_parse(text, where, in->arena, ret, in->err);
        }
        usable = rc == PEXCZ_OK && ret->count != 0;
        for (size_t i = 0; usable && i < ret->count; i++) {
            usable = ret->rows[i].path[0] != '/';
        }
    }
    pexcz_buf_done(&buf);
    if (rc < 0 || usable) {
        return rc;
    }
    ret->count = 0;
    for (size_t i = 0; rc == PEXCZ_OK && i < files->count; i++) {
        if (!files->items[i].is_dir
            && strcmp(files->items[i].path, in->record) != 0) {
            rc = pexcz_record_add(ret, in->arena, files->items[i].path, "", "",
                                  in->err);
        }
    }
    return rc < 0
               ? rc
               : pexcz_record_add(ret, in->arena, in->record, "", "", in->err);
}

/* Where another input gave the file, it has its own RECORD. */
static void
note_recorded(const struct installer *in, const char *path, const char *hash)
{
    struct pexcz_plan_entry *e = pexcz_builder_find(in->b, path);

    if (e != NULL && e->origin == in->dist->file_name) {
        e->recorded = hash;
    }
}

/* The row of the new RECORD for one of the old; *missing counts rows without
 * a file. */
static int
convert_row(struct installer *in, const struct pexcz_record_row *row,
            struct pexcz_record *out, const char **missing)
{
    const struct pexcz_file *file;
    const struct installed *to;
    size_t len = strlen(row->path);

    if (strcmp(row->path, in->record) == 0) {
        return pexcz_record_add(out, in->arena, row->path, "", "", in->err);
    }
    if (len != 0 && row->path[len - 1] == '/') {
        return pexcz_record_add(out, in->arena, row->path, row->hash,
                                row->size, in->err);
    }
    if (is_bookkeeping(in, row->path)
        || (len > 4 && strcmp(row->path + len - 4, ".pyc") == 0)) {
        return PEXCZ_OK;
    }
    file = pexcz_file_list_find(&in->dist->files, row->path);
    if (file == NULL || file->is_dir) {
        *missing = *missing == NULL ? row->path : *missing;
        return PEXCZ_OK;
    }
    to = &in->installed[file - in->dist->files.items];
    if (to->place == PLACE_SKIP) {
        return PEXCZ_OK;
    }
    if (to->rewritten) {
        return add_row(in, out, to->path, to->text);
    }
    if (strncmp(row->hash, "sha256=", strlen("sha256=")) == 0) {
        note_recorded(in, to->path, row->hash);
    }
    return pexcz_record_add(out, in->arena, record_path(in, to->path),
                            row->hash, row->size, in->err);
}

static int
write_record(struct installer *in)
{
    struct pexcz_record old = {0};
    struct pexcz_record out = {0};
    struct pexcz_content content = {0};
    const char *missing = NULL;
    const char *path;
    int rc = read_record(in, &old);

    out.crlf = old.crlf;
    for (size_t i = 0; rc == PEXCZ_OK && i < old.count; i++) {
        rc = convert_row(in, &old.rows[i], &out, &missing);
    }
    if (rc == PEXCZ_OK && missing != NULL) {
        rc = pexcz_builder_warn(in->b,
                                "%s: RECORD lists %s, which is not "
                                "there",
                                in->dist->file_name, missing);
    }
    if (rc == PEXCZ_OK) {
        rc = add_scripts(in, &out);
    }
    if (rc == PEXCZ_OK) {
        rc = add_metadata_file(in, "INSTALLER", "pex\n", &out);
    }
    if (rc == PEXCZ_OK) {
        rc = add_metadata_file(in, "REQUESTED", "", &out);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_record_format(&out, in->arena, &content.literal, in->err);
    }
    if (rc < 0) {
        return rc;
    }
    path = tree_path(in, PLACE_LIB, in->record);
    return path == NULL ? PEXCZ_E_NOMEM
                        : pexcz_builder_add_file(in->b, path, &content, false,
                                                 PEXCZ_DEFAULT_MTIME,
                                                 in->dist->file_name);
}

int
pexcz_wheel_install(struct pexcz_plan_builder *b,
                    const struct pexcz_dist *dist)
{
    struct installer in = {
        .b = b,
        .dist = dist,
        .arena = &b->plan->arena,
        .err = b->err,
        .record = dist->record_path,
    };
    int rc;

    in.stem = pexcz_arena_dup(
        in.arena,
        pexcz_slice_make(dist->dist_info,
                         strlen(dist->dist_info) - strlen(".dist-info")),
        in.err);
    if (in.stem == NULL) {
        return PEXCZ_E_NOMEM;
    }
    if (in.record == NULL) {
        in.record = pexcz_arena_printf(in.arena, in.err, "%s/RECORD",
                                       dist->dist_info);
        if (in.record == NULL) {
            return PEXCZ_E_NOMEM;
        }
    }
    rc = install_files(&in);
    if (rc == PEXCZ_OK && dist->form != PEXCZ_DIST_LEGACY) {
        rc = write_record(&in);
    }
    return rc;
}
