/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect.h"

#include "out_file.h"
#include "packed_file.h"
#include "tree_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct extraction {
    int root; /* the temporary folder */
};

static int
write_file(const struct extraction *x, const char *path,
           const struct pexcz_node *node, struct pexcz_error *err)
{
    struct pexcz_buf scratch = {0};
    struct pexcz_slice content;
    struct timespec times[2] = {
        {.tv_sec = node->entry.mtime},
        {.tv_sec = node->entry.mtime, .tv_nsec = node->entry.mtime_nsec},
    };
    int rc = pexcz_blob_content(node->blob, node->entry.payload, &scratch,
                                &content, err);
    int fd = -1;

    if (rc == PEXCZ_OK) {
        fd = openat(x->root, path,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    (mode_t)node->entry.mode);
        rc = fd < 0 ? pexcz_fail(err, PEXCZ_E_IO, errno, "%s", path)
                    : pexcz_write_at(fd, content.ptr, content.len, 0, err);
    }
    if (rc == PEXCZ_OK && futimens(fd, times) != 0) {
        rc = pexcz_fail(err, PEXCZ_E_IO, errno, "%s", path);
    }
    if (fd >= 0 && close(fd) != 0 && rc == PEXCZ_OK) {
        rc = pexcz_fail(err, PEXCZ_E_IO, errno, "%s", path);
    }
    pexcz_buf_done(&scratch);
    return rc;
}

static int
write_link(const struct extraction *x, const char *path,
           const struct pexcz_node *node, struct pexcz_error *err)
{
    struct pexcz_buf scratch = {0};
    struct pexcz_slice content;
    char *target = NULL;
    int rc = pexcz_blob_content(node->blob, node->entry.payload, &scratch,
                                &content, err);

    if (rc == PEXCZ_OK) {
        target = pexcz_slice_dup(content);
        if (target == NULL || symlinkat(target, x->root, path) != 0) {
            rc = pexcz_fail(err, PEXCZ_E_IO, errno, "%s", path);
        }
    }
    free(target);
    pexcz_buf_done(&scratch);
    return rc;
}

/* The entry that is the executable itself has no content to write. */
static int
extract_entry(void *context, const char *path, const struct pexcz_node *node,
              struct pexcz_error *err)
{
    const struct extraction *x = context;

    switch (node->entry.kind) {
    case PEXCZ_KIND_DIR:
        if (mkdirat(x->root, path, 0755) != 0) {
            return pexcz_fail(err, PEXCZ_E_IO, errno, "%s", path);
        }
        return PEXCZ_OK;
    case PEXCZ_KIND_FILE:
        return write_file(x, path, node, err);
    case PEXCZ_KIND_SYMLINK:
        return write_link(x, path, node, err);
    case PEXCZ_KIND_SELF:
        break;
    }
    return PEXCZ_OK;
}

static int
set_dir_time(void *context, const char *path, const struct pexcz_node *node,
             struct pexcz_error *err)
{
    const struct extraction *x = context;
    struct timespec times[2] = {
        {.tv_sec = node->entry.mtime},
        {.tv_sec = node->entry.mtime, .tv_nsec = node->entry.mtime_nsec},
    };

    if (node->entry.kind == PEXCZ_KIND_DIR
        && utimensat(x->root, path, times, 0) != 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s", path);
    }
    return PEXCZ_OK;
}

static void
remove_tree(char *path)
{
    char *const roots[] = {path, NULL};
    FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    const FTSENT *item;

    while (fts != NULL && (item = fts_read(fts)) != NULL) {
        if (item->fts_info != FTS_D) {
            (void)(item->fts_info == FTS_DP ? rmdir(item->fts_accpath)
                                            : unlink(item->fts_accpath));
        }
    }
    if (fts != NULL) {
        (void)fts_close(fts);
    }
}

static int
extract_to(const struct pexcz_tree *tree, char *temp, const char *dir,
           struct pexcz_error *err)
{
    struct extraction x = {.root = -1};
    int rc;

    if (mkdtemp(temp) == NULL) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s", dir);
    }
    x.root = open(temp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rc = x.root < 0 || fchmod(x.root, 0755) != 0
             ? pexcz_fail(err, PEXCZ_E_IO, errno, "%s", temp)
             : PEXCZ_OK;
    if (rc == PEXCZ_OK) {
        rc = pexcz_tree_walk(tree, extract_entry, &x, err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_tree_walk(tree, set_dir_time, &x, err);
    }
    /* Over an empty folder, too, as rename() allows. */
    if (rc == PEXCZ_OK && rename(temp, dir) != 0) {
        rc = pexcz_fail(err, PEXCZ_E_IO, errno, "%s", dir);
    }
    if (x.root >= 0) {
        (void)close(x.root);
    }
    if (rc < 0) {
        remove_tree(temp);
    }
    return rc;
}

int
pexcz_extract(const char *path, const char *dir, bool all,
              struct pexcz_error *err)
{
    struct pexcz_packed_file file;
    struct pexcz_tree tree;
    char *temp = NULL;
    size_t len = strlen(dir);
    int rc = pexcz_packed_file_open(&file, path, err);

    if (rc < 0) {
        return rc;
    }
    while (len > 1 && dir[len - 1] == '/') {
        len--;
    }
    pexcz_tree_of(&file, all, &tree);
    if (asprintf(&temp, "%.*s.XXXXXX", (int)len, dir) < 0) {
        rc = pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
        temp = NULL;
    }
    else {
        rc = extract_to(&tree, temp, dir, err);
    }
    free(temp);
    pexcz_packed_file_close(&file);
    return rc;
}
