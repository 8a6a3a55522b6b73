/* SPDX-License-Identifier: Apache-2.0 */
#include "tree_walk.h"

#include <stdio.h>
#include <string.h>

/* Deeper trees cannot be written: PEXCZ_MAX_PATH bounds them. */
struct walk {
    const struct pexcz_tree *tree;
    pexcz_tree_visit visit;
    void *context;
    char path[PEXCZ_MAX_PATH + 1];
    struct pexcz_error *err;
};

static int
walk_dir(struct walk *w, size_t len)
{
    struct pexcz_children children;
    struct pexcz_node node;
    int rc = PEXCZ_OK;

    pexcz_tree_children(w->tree, pexcz_slice_make(w->path, len), &children);
    while (rc == PEXCZ_OK && pexcz_tree_children_next(&children, &node)) {
        int n = snprintf(w->path + len, sizeof(w->path) - len, "%s%.*s",
                         len != 0 ? "/" : "", (int)node.entry.name.len,
                         (const char *)node.entry.name.ptr);

        if (n < 0 || (size_t)n >= sizeof(w->path) - len) {
            return pexcz_fail(w->err, PEXCZ_E_CORRUPT, 0,
                              "%s: a path is too long", node.blob->name);
        }
        rc = w->visit(w->context, w->path, &node, w->err);
        if (rc == PEXCZ_OK && node.entry.kind == PEXCZ_KIND_DIR) {
            rc = walk_dir(w, len + (size_t)n);
        }
        w->path[len] = '\0';
    }
    return rc;
}

int
pexcz_tree_walk(const struct pexcz_tree *tree, pexcz_tree_visit visit,
                void *context, struct pexcz_error *err)
{
    struct walk w = {
        .tree = tree,
        .visit = visit,
        .context = context,
        .err = err,
    };

    return walk_dir(&w, 0);
}

void
pexcz_tree_of(const struct pexcz_packed_file *file, bool all,
              struct pexcz_tree *ret)
{
    const struct pexcz_packed_blob *app
        = &file->parts[PEXCZ_PART_APPLICATION];

    *ret = file->tree;
    if (!all && app->present) {
        *ret = (struct pexcz_tree){0};
        (void)pexcz_tree_add(ret, &app->blob);
    }
}
