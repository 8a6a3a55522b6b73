/* SPDX-License-Identifier: Apache-2.0 */
#include "extract.h"

#include "interrupt.h"
#include "out_file.h"
#include "packed_file.h"
#include "progress.h"
#include "tree_walk.h"
#include "utf8.h"
#include "write_at.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct extraction {
    const char *dir; /* the target */
    char *temp;      /* path of the temporary folder */
    int root;        /* the same, open */
    mode_t umask;
    struct pexcz_slice self; /* content of PEXCZ_KIND_SELF */
    char *self_path;         /* where it was written first, or NULL */
    struct pexcz_buf scratch;
    struct pexcz_progress progress;
    uint64_t done; /* entries */
    uint64_t total;
    uint64_t files;
    uint64_t size;
};

/* `path` comes from the file: it may hold anything. */
static int
fail_at(const struct extraction *x, const char *path, int error,
        const char *what, struct pexcz_error *err)
{
    char shown[1024];

    pexcz_utf8_escape(pexcz_slice_str(path), shown, sizeof(shown));
    return pexcz_fail(err, error != 0 ? PEXCZ_E_IO : PEXCZ_E_CORRUPT, error,
                      "%s: %s: %s", x->dir, shown, what);
}

static mode_t
permissions(const struct extraction *x, const struct pexcz_entry *e)
{
    return (mode_t)(e->mode & 0777u) & ~x->umask;
}

static void
times_of(const struct pexcz_entry *e, struct timespec ret[2])
{
    ret[0] = ret[1] = (struct timespec){
        .tv_sec = e->mtime,
        .tv_nsec = e->mtime_nsec,
    };
}

static int
write_file(struct extraction *x, const char *path, const struct pexcz_entry *e,
           struct pexcz_slice content, struct pexcz_error *err)
{
    struct timespec times[2];
    int fd
        = openat(x->root, path,
                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int rc;

    if (fd < 0) {
        return fail_at(x, path, errno, "cannot write", err);
    }
    rc = pexcz_write_at(fd, content.ptr, content.len, 0, err);
    times_of(e, times);
    if (rc < 0) {
        rc = fail_at(x, path, err->sys_errno, "cannot write", err);
    }
    else if (fchmod(fd, permissions(x, e)) != 0 || futimens(fd, times) != 0) {
        rc = fail_at(x, path, errno, "cannot write", err);
    }
    if (close(fd) != 0 && rc == PEXCZ_OK) {
        rc = fail_at(x, path, errno, "cannot write", err);
    }
    x->files++;
    x->size += content.len;
    return rc;
}

/* The executable itself; under its other names a link to the first copy. */
static int
write_self(struct extraction *x, const char *path, const struct pexcz_entry *e,
           struct pexcz_error *err)
{
    if (x->self_path != NULL
        && linkat(x->root, x->self_path, x->root, path, 0) == 0) {
        x->files++;
        return PEXCZ_OK;
    }
    if (x->self_path == NULL) {
        x->self_path = strdup(path);
    }
    return write_file(x, path, e, x->self, err);
}

bool
pexcz_link_stays_inside(const char *path, const char *target)
{
    size_t depth = 0;

    if (target[0] == '/') {
        return false;
    }
    for (; *path != '\0'; path++) {
        depth += *path == '/' ? 1 : 0;
    }
    while (strncmp(target, "..", 2) == 0
           && (target[2] == '/' || target[2] == '\0')) {
        if (depth-- == 0) {
            return false;
        }
        target += target[2] == '/' ? 3 : 2;
    }
    for (; target != NULL; target = strchr(target, '/')) {
        target += target[0] == '/' ? 1 : 0;
        if (strcmp(target, "..") == 0 || strncmp(target, "../", 3) == 0) {
            return false;
        }
    }
    return true;
}

static int
write_link(const struct extraction *x, const char *path,
           const struct pexcz_entry *e, struct pexcz_slice content,
           struct pexcz_error *err)
{
    char *target = pexcz_slice_dup(content);
    struct timespec times[2];
    int rc = PEXCZ_OK;

    times_of(e, times);
    if (target == NULL) {
        rc = pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    else if (!pexcz_link_stays_inside(path, target)) {
        rc = fail_at(x, path, 0, "the link leads out of the tree", err);
    }
    else if (symlinkat(target, x->root, path) != 0
             || utimensat(x->root, path, times, AT_SYMLINK_NOFOLLOW) != 0) {
        rc = fail_at(x, path, errno, "cannot write", err);
    }
    free(target);
    return rc;
}

/* A folder's mode may forbid writing, and what is written changes its time:
 * both come last. */
static int
finish_dir(const struct extraction *x, const char *path,
           const struct pexcz_entry *e, struct pexcz_error *err)
{
    const char *name = path[0] != '\0' ? path : ".";
    struct timespec times[2];

    times_of(e, times);
    if (fchmodat(x->root, name, permissions(x, e), 0) != 0
        || utimensat(x->root, name, times, 0) != 0) {
        return fail_at(x, name, errno, "cannot write", err);
    }
    return PEXCZ_OK;
}

static int
write_entry(struct extraction *x, const char *path,
            const struct pexcz_node *node, struct pexcz_error *err)
{
    const struct pexcz_entry *e = &node->entry;
    struct pexcz_slice content = {0};
    int rc = PEXCZ_OK;

    if (e->payload != PEXCZ_NONE) {
        rc = pexcz_blob_content(node->blob, e->payload, &x->scratch, &content,
                                err);
    }
    if (rc < 0) {
        return rc;
    }
    switch (e->kind) {
    case PEXCZ_KIND_DIR:
        if (path[0] != '\0' && mkdirat(x->root, path, 0700) != 0) {
            rc = fail_at(x, path, errno, "cannot write", err);
        }
        break;
    case PEXCZ_KIND_FILE:
        rc = write_file(x, path, e, content, err);
        break;
    case PEXCZ_KIND_SYMLINK:
        rc = write_link(x, path, e, content, err);
        break;
    case PEXCZ_KIND_SELF:
        rc = write_self(x, path, e, err);
        break;
    }
    return rc;
}

static int
visit(void *context, enum pexcz_walk_event event, const char *path,
      const struct pexcz_node *node, struct pexcz_error *err)
{
    struct extraction *x = context;

    if (event == PEXCZ_WALK_LEAVE) {
        return finish_dir(x, path, &node->entry, err);
    }
    if (pexcz_interrupt_pending()) {
        return pexcz_fail(err, PEXCZ_E_IO, EINTR, "%s", x->dir);
    }
    pexcz_progress_update(&x->progress, ++x->done, x->total);
    return write_entry(x, path, node, err);
}

/* --- the target --------------------------------------------------------- */

static bool
is_empty(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *item;
    bool empty = d != NULL;

    while (empty && (item = readdir(d)) != NULL) {
        empty = strcmp(item->d_name, ".") == 0
                || strcmp(item->d_name, "..") == 0;
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    return empty;
}

/* Early: nothing is written for a target that cannot be. */
static int
check_target(const char *dir, struct pexcz_error *err)
{
    const char *name = basename(dir);
    struct stat st;

    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return pexcz_fail(err, PEXCZ_E_CONFLICT, 0,
                          "'%s' cannot be replaced: name a new directory",
                          dir);
    }
    if (lstat(dir, &st) != 0) {
        return errno == ENOENT ? PEXCZ_OK
                               : pexcz_fail(err, PEXCZ_E_IO, errno, "%s", dir);
    }
    if (!S_ISDIR(st.st_mode)) {
        return pexcz_fail(err, PEXCZ_E_CONFLICT, 0,
                          "%s: exists and is not a directory", dir);
    }
    if (!is_empty(dir)) {
        return pexcz_fail(err, PEXCZ_E_CONFLICT, 0,
                          "%s: exists and is not empty", dir);
    }
    return PEXCZ_OK;
}

static int
open_temp(struct extraction *x, struct pexcz_error *err)
{
    const char *slash = strrchr(x->dir, '/');
    int parent = slash != NULL ? (int)(slash - x->dir) + 1 : 0;

    if (asprintf(&x->temp, "%.*s.pexcz-XXXXXX", parent, x->dir) < 0) {
        x->temp = NULL;
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    if (mkdtemp(x->temp) == NULL) {
        free(x->temp);
        x->temp = NULL;
        return pexcz_fail(err, PEXCZ_E_IO, errno,
                          "%s: cannot write to its parent directory", x->dir);
    }
    x->root = open(x->temp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return x->root >= 0 ? PEXCZ_OK
                        : pexcz_fail(err, PEXCZ_E_IO, errno, "%s", x->dir);
}

static void
remove_tree(char *path)
{
    char *const roots[] = {path, NULL};
    FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    const FTSENT *item;

    while (fts != NULL && (item = fts_read(fts)) != NULL) {
        if (item->fts_info == FTS_D) {
            (void)chmod(item->fts_accpath, 0700);
        }
        else if (item->fts_info == FTS_DP) {
            (void)rmdir(item->fts_accpath);
        }
        else {
            (void)unlink(item->fts_accpath);
        }
    }
    if (fts != NULL) {
        (void)fts_close(fts);
    }
}

/* With signals blocked. */
static int
write_tree(struct extraction *x, const struct pexcz_tree *tree,
           struct pexcz_error *err)
{
    int rc = open_temp(x, err);

    if (rc == PEXCZ_OK) {
        rc = pexcz_tree_walk(tree, visit, x, err);
    }
    /* Replaces an empty directory, too, but nothing else. */
    if (rc == PEXCZ_OK && rename(x->temp, x->dir) != 0) {
        rc = pexcz_fail(err, PEXCZ_E_IO, errno, "%s", x->dir);
    }
    if (x->root >= 0) {
        (void)close(x->root);
    }
    if (rc < 0 && x->temp != NULL) {
        remove_tree(x->temp);
    }
    return rc;
}

static int
extract(const struct pexcz_packed_file *file, const char *dir,
        const struct pexcz_file_options *options, struct pexcz_error *err)
{
    struct extraction x = {
        .dir = dir,
        .root = -1,
        .umask = pexcz_umask(),
        .self = file->bytes,
    };
    struct pexcz_tree tree;
    char size[16];
    int rc = PEXCZ_OK;

    pexcz_progress_init(&x.progress, options->verbosity);
    pexcz_packed_file_tree(file, options->all, &tree);
    pexcz_progress_step(&x.progress, "verifying", PEXCZ_UNIT_FILES);
    for (uint32_t i = 0; rc == PEXCZ_OK && i < tree.layer_count; i++) {
        x.total += pexcz_blob_entry_count(tree.layers[i]);
        rc = pexcz_blob_verify(tree.layers[i], err);
        if (rc < 0) {
            (void)pexcz_wrap(err, "%s", file->path);
        }
    }
    if (rc == PEXCZ_OK) {
        pexcz_progress_step(&x.progress, "extracting", PEXCZ_UNIT_FILES);
        pexcz_interrupt_block();
        rc = write_tree(&x, &tree, err);
        pexcz_interrupt_unblock();
    }
    pexcz_progress_clear(&x.progress);
    if (rc == PEXCZ_OK) {
        pexcz_format_size(x.size, size);
        pexcz_progress_say(&x.progress, 0, "%s: %llu files, %s", dir,
                           (unsigned long long)x.files, size);
    }
    pexcz_buf_done(&x.scratch);
    free(x.self_path);
    free(x.temp);
    return rc;
}

int
pexcz_extract(const struct pexcz_file_options *options,
              struct pexcz_error *err)
{
    struct pexcz_packed_file file;
    struct pexcz_slice dir = pexcz_slice_str(options->directory);
    char *trimmed;
    int rc;

    while (dir.len > 1 && dir.ptr[dir.len - 1] == '/') {
        dir.len--;
    }
    trimmed = pexcz_slice_dup(dir);
    if (trimmed == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    rc = check_target(trimmed, err);
    if (rc == PEXCZ_OK) {
        rc = pexcz_packed_file_open(&file, options->file, err);
    }
    if (rc == PEXCZ_OK) {
        rc = extract(&file, trimmed, options, err);
        pexcz_packed_file_close(&file);
    }
    free(trimmed);
    return rc;
}
