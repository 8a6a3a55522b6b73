/* SPDX-License-Identifier: Apache-2.0 */
#include "pex_reader.h"

#include "utf8.h"
#include "wheel_layout.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define DEPS ".deps/"

/* The first file whose path is not below `path` in byte order. */
static size_t
lower_bound(const struct pexcz_file_list *list, const char *path)
{
    size_t low = 0;
    size_t high = list->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (strcmp(list->items[mid].path, path) < 0) {
            low = mid + 1;
        }
        else {
            high = mid;
        }
    }
    return low;
}

const struct pexcz_file *
pexcz_file_list_find(const struct pexcz_file_list *list, const char *path)
{
    size_t i = lower_bound(list, path);

    return i < list->count && strcmp(list->items[i].path, path) == 0
               ? &list->items[i]
               : NULL;
}

static struct pexcz_file
file_of_member(const struct pexcz_zip *zip, const struct pexcz_zip_member *m)
{
    return (struct pexcz_file){
        .path = m->name,
        .is_dir = m->is_dir,
        .executable = (m->mode & 0111) != 0,
        .mtime = m->mtime,
        .content = pexcz_content_member(zip, m),
    };
}

/* Every member. */
static int
list_members(const struct pexcz_zip *zip, struct pexcz_arena *arena,
             struct pexcz_file_list *ret, struct pexcz_error *err)
{
    size_t n = pexcz_zip_count(zip);
    struct pexcz_file *items
        = pexcz_arena_alloc(arena, n, sizeof(*items), err);

    if (items == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        items[i] = file_of_member(zip, pexcz_zip_get(zip, i));
    }
    *ret = (struct pexcz_file_list){items, n};
    return PEXCZ_OK;
}

/* Every file below a folder; times are not those of whoever made it. */
static int
list_folder(const char *path, struct pexcz_arena *arena,
            struct pexcz_file_list *ret, struct pexcz_error *err)
{
    struct pexcz_folder folder;
    struct pexcz_file *items;
    int rc = pexcz_folder_read(path, arena, &folder, err);

    if (rc < 0) {
        return rc;
    }
    items = pexcz_arena_alloc(arena, folder.count, sizeof(*items), err);
    if (items == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (size_t i = 0; i < folder.count; i++) {
        const struct pexcz_folder_entry *e = &folder.items[i];

        items[i] = (struct pexcz_file){
            .path = e->name,
            .is_dir = e->is_dir,
            .executable = e->executable,
            .mtime = PEXCZ_DEFAULT_MTIME,
            .content = pexcz_content_file(e->path, e->size),
        };
    }
    *ret = (struct pexcz_file_list){items, folder.count};
    return PEXCZ_OK;
}

/* The files below `prefix` ("a/b/"), relative to it. */
static int
list_below(const struct pexcz_file_list *all, const char *prefix,
           struct pexcz_arena *arena, struct pexcz_file_list *ret,
           struct pexcz_error *err)
{
    size_t prefix_len = strlen(prefix);
    size_t first = lower_bound(all, prefix);
    size_t end = first;
    struct pexcz_file *items;

    while (end < all->count
           && strncmp(all->items[end].path, prefix, prefix_len) == 0) {
        end++;
    }
    items = pexcz_arena_alloc(arena, end - first, sizeof(*items), err);
    if (items == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (size_t i = first; i < end; i++) {
        items[i - first] = all->items[i];
        items[i - first].path += prefix_len;
    }
    *ret = (struct pexcz_file_list){items, end - first};
    return PEXCZ_OK;
}

/* What lies at the root of a PEX and is not user code (pex/venv/installer.py,
 * class PEXSources). */
static bool
is_pex_internal(const char *path)
{
    static const char *const names[] = {
        "__main__.py", "__pex__",    "__pycache__", "pex",         "PEX-INFO",
        "PEX-LAYOUT",  ".bootstrap", ".deps",       ".last-access"};
    size_t n = strcspn(path, "/");

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i]) == n && memcmp(names[i], path, n) == 0) {
            return true;
        }
    }
    return false;
}

static int
list_user_code(struct pexcz_pex *pex, const struct pexcz_file_list *all,
               struct pexcz_error *err)
{
    struct pexcz_file *items
        = pexcz_arena_alloc(&pex->arena, all->count, sizeof(*items), err);
    size_t count = 0;

    if (items == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (size_t i = 0; i < all->count; i++) {
        if (!is_pex_internal(all->items[i].path)) {
            items[count++] = all->items[i];
        }
    }
    pex->user = (struct pexcz_file_list){items, count};
    return PEXCZ_OK;
}

/* The zip is closed with the PEX from here on. */
static int
keep_zip(struct pexcz_pex *pex, struct pexcz_zip *zip, struct pexcz_error *err)
{
    void *zips = pex->zips;
    int rc = pexcz_grow_array(&zips, pex->zip_count, &pex->zip_cap,
                              sizeof(struct pexcz_zip *), err);

    if (rc < 0) {
        pexcz_zip_close(zip);
        return rc;
    }
    pex->zips = zips;
    pex->zips[pex->zip_count++] = zip;
    return PEXCZ_OK;
}

/* A distribution that is one file: a zip on disk, or inside the zip, read in
 * place where it is stored, else from memory. */
static int
open_nested(struct pexcz_pex *pex, const struct pexcz_file *file,
            struct pexcz_zip **ret, struct pexcz_error *err)
{
    struct pexcz_buf buf = {0};
    struct pexcz_slice bytes;
    struct pexcz_zip *zip;
    char *name;
    int rc;

    if (file->content.path != NULL) {
        rc = pexcz_zip_open(file->content.path, &zip, err);
    }
    else {
        name = pexcz_arena_printf(&pex->arena, err, "%s: %s", pex->name,
                                  file->path);
        rc = name == NULL
                 ? PEXCZ_E_NOMEM
                 : pexcz_content_read(&file->content, &buf, &bytes, err);
        if (rc == PEXCZ_OK) {
            rc = buf.ptr != NULL
                     ? pexcz_zip_open_buf(&buf, name, &zip, err)
                     : pexcz_zip_open_slice(bytes, name, &zip, err);
        }
        pexcz_buf_done(&buf);
    }
    if (rc == PEXCZ_OK) {
        rc = keep_zip(pex, zip, err);
    }
    if (rc == PEXCZ_OK) {
        *ret = zip;
    }
    return rc;
}

static bool
is_plain_name(const char *name)
{
    size_t len = strlen(name);

    return len != 0 && len <= PEXCZ_ZIP_MAX_PART && strchr(name, '/') == NULL
           && strchr(name, '\\') == NULL && strcmp(name, ".") != 0
           && strcmp(name, "..") != 0;
}

/* What pip calls an sdist: code that still has to be built. */
static bool
is_source(const char *name)
{
    static const char *const suffixes[]
        = {".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar", ".zip"};
    size_t len = strlen(name);

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        size_t n = strlen(suffixes[i]);

        if (len > n && strcmp(name + len - n, suffixes[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int
read_dist(struct pexcz_pex *pex, const struct pexcz_file_list *all,
          const struct pexcz_pair *listed, struct pexcz_dist *dist,
          struct pexcz_error *err)
{
    const struct pexcz_file *file;
    struct pexcz_zip *nested;
    char shown[300];
    char *path;
    char *where;
    int rc;

    pexcz_utf8_escape(pexcz_slice_str(listed->name), shown, sizeof(shown));
    if (!is_plain_name(listed->name)) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: PEX-INFO: '%s' is not the name of a "
                          "distribution",
                          pex->name, shown);
    }
    if (is_source(listed->name)) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "%s: " DEPS "%s: a source distribution cannot be "
                          "packed: build the PEX with wheels",
                          pex->name, shown);
    }
    dist->file_name = listed->name;
    dist->fingerprint = listed->value;
    path = pexcz_arena_printf(&pex->arena, err, DEPS "%s/", listed->name);
    where = pexcz_arena_printf(&pex->arena, err, "%s: " DEPS "%s", pex->name,
                               shown);
    if (path == NULL || where == NULL) {
        return PEXCZ_E_NOMEM;
    }
    path[strlen(path) - 1] = '\0';
    file = pexcz_file_list_find(all, path);
    if (file != NULL && !file->is_dir) {
        rc = open_nested(pex, file, &nested, err);
        if (rc == PEXCZ_OK) {
            rc = list_members(nested, &pex->arena, &dist->files, err);
        }
    }
    else {
        path[strlen(path)] = '/';
        rc = list_below(all, path, &pex->arena, &dist->files, err);
        if (rc == PEXCZ_OK && dist->files.count == 0) {
            rc = pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                            "%s: PEX-INFO lists it, but the PEX does not "
                            "have it",
                            where);
        }
        file = NULL;
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_wheel_layout_read(dist, where, file != NULL, &pex->arena,
                                     err);
    }
    return rc;
}

static int
read_info(struct pexcz_pex *pex, const struct pexcz_file_list *all,
          struct pexcz_error *err)
{
    const struct pexcz_file *file = pexcz_file_list_find(all, "PEX-INFO");
    struct pexcz_buf buf = {0};
    struct pexcz_slice text;
    char *where;
    char *copy;
    int rc;

    if (file == NULL || file->is_dir) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: not a PEX: it has no PEX-INFO", pex->name);
    }
    if (pexcz_content_size(&file->content) > PEXCZ_PEX_INFO_MAX_SIZE) {
        return pexcz_fail(
            err, PEXCZ_E_TOO_BIG, 0,
            "%s: PEX-INFO: %llu bytes are over the limit of "
            "%zu",
            pex->name, (unsigned long long)pexcz_content_size(&file->content),
            PEXCZ_PEX_INFO_MAX_SIZE);
    }
    rc = pexcz_content_read(&file->content, &buf, &text, err);
    if (rc < 0) {
        goto out;
    }
    where = pexcz_arena_printf(&pex->arena, err, "%s: PEX-INFO", pex->name);
    copy = pexcz_arena_dup(&pex->arena, text, err);
    if (where == NULL || copy == NULL) {
        rc = PEXCZ_E_NOMEM;
        goto out;
    }
    pex->info_text = pexcz_slice_make(copy, text.len);
    rc = pexcz_pex_info_parse(pex->info_text, where, &pex->arena, &pex->info,
                              err);

out:
    pexcz_buf_done(&buf);
    return rc;
}

/* Every file of the PEX, whatever its layout. */
static int
list_pex(struct pexcz_pex *pex, const char *path, struct pexcz_file_list *ret,
         struct pexcz_error *err)
{
    struct pexcz_zip *zip;
    int rc;

    if (pexcz_is_folder(path)) {
        return list_folder(path, &pex->arena, ret, err);
    }
    rc = pexcz_zip_open(path, &zip, err);
    if (rc == PEXCZ_OK) {
        rc = keep_zip(pex, zip, err);
    }
    return rc == PEXCZ_OK ? list_members(zip, &pex->arena, ret, err) : rc;
}

/* The first line is the file's own, or that of a folder's __main__.py. */
static int
read_shebang(struct pexcz_pex *pex, const struct pexcz_file_list *all,
             struct pexcz_error *err)
{
    const struct pexcz_file *main = pexcz_file_list_find(all, "__main__.py");
    const char *path = pex->name;
    char text[PEXCZ_SHEBANG_TEXT_MAX];
    ssize_t n;
    int fd;

    if (main != NULL && main->content.path != NULL) {
        path = main->content.path;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return PEXCZ_OK;
    }
    n = read(fd, text, sizeof(text));
    (void)close(fd);
    return n <= 0 ? PEXCZ_OK
                  : pexcz_shebang_parse(
                      pexcz_slice_make((const uint8_t *)text, (size_t)n),
                      &pex->arena, &pex->shebang, err);
}

/* Without the slashes at its end. */
static char *
copy_path(struct pexcz_pex *pex, const char *path, struct pexcz_error *err)
{
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/') {
        len--;
    }
    return pexcz_arena_dup(&pex->arena,
                           pexcz_slice_make((const uint8_t *)path, len), err);
}

static int
read_pex(struct pexcz_pex *pex, const char *path, struct pexcz_error *err)
{
    struct pexcz_file_list all = {0};
    char shown[512];
    char *copy = copy_path(pex, path, err);
    size_t n;
    int rc;

    if (copy == NULL) {
        return PEXCZ_E_NOMEM;
    }
    pexcz_utf8_escape(pexcz_slice_str(copy), shown, sizeof(shown));
    pex->name = pexcz_arena_dup(&pex->arena, pexcz_slice_str(shown), err);
    if (pex->name == NULL) {
        return PEXCZ_E_NOMEM;
    }
    rc = list_pex(pex, copy, &all, err);
    if (rc == PEXCZ_OK) {
        rc = read_info(pex, &all, err);
    }
    if (rc == PEXCZ_OK) {
        rc = read_shebang(pex, &all, err);
    }
    if (rc == PEXCZ_OK) {
        rc = list_user_code(pex, &all, err);
    }
    if (rc < 0) {
        return rc;
    }
    n = pex->info.distributions.count;
    pex->dists = pexcz_arena_alloc(&pex->arena, n, sizeof(*pex->dists), err);
    if (pex->dists == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        rc = read_dist(pex, &all, &pex->info.distributions.items[i],
                       &pex->dists[i], err);
        if (rc < 0) {
            return rc;
        }
        pex->dist_count++;
    }
    return PEXCZ_OK;
}

int
pexcz_pex_open(const char *path, struct pexcz_pex *ret,
               struct pexcz_error *err)
{
    struct pexcz_pex pex = {0};
    int rc = read_pex(&pex, path, err);

    if (rc < 0) {
        pexcz_pex_close(&pex);
        return rc;
    }
    *ret = pex;
    return PEXCZ_OK;
}

void
pexcz_pex_close(struct pexcz_pex *pex)
{
    for (size_t i = pex->zip_count; i-- > 0;) {
        pexcz_zip_close(pex->zips[i]);
    }
    free(pex->zips);
    pexcz_arena_done(&pex->arena);
    *pex = (struct pexcz_pex){0};
}
