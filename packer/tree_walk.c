/* SPDX-License-Identifier: Apache-2.0 */
#include "tree_walk.h"

struct walk {
    const struct pexcz_tree *tree;
    pexcz_walk_visit *visit;
    void *context;
    struct pexcz_error *err;
    size_t len; /* of path */
    char path[PEXCZ_MAX_PATH + 1];
};

/* Appends to the path; false when it gets too long. */
static bool
push(struct walk *w, struct pexcz_slice name)
{
    size_t slash = w->len != 0 ? 1 : 0;

    if (name.len + slash > PEXCZ_MAX_PATH - w->len) {
        return false;
    }
    if (slash != 0) {
        w->path[w->len++] = '/';
    }
    memcpy(w->path + w->len, name.ptr, name.len);
    w->len += name.len;
    w->path[w->len] = '\0';
    return true;
}

static void
pop(struct walk *w, size_t len)
{
    w->len = len;
    w->path[len] = '\0';
}

static int
visit_node(struct walk *w, const struct pexcz_node *node, unsigned int depth)
{
    struct pexcz_children children;
    struct pexcz_node child;
    size_t len = w->len;
    int rc = w->visit(w->context, PEXCZ_WALK_ENTRY, w->path, node, w->err);

    if (rc < 0 || node->entry.kind != PEXCZ_KIND_DIR) {
        return rc;
    }
    if (depth == PEXCZ_MAX_DEPTH) {
        return pexcz_fail(w->err, PEXCZ_E_TOO_BIG, 0, "%s: too deep", w->path);
    }
    pexcz_tree_children(w->tree, pexcz_slice_make(w->path, w->len), &children);
    while (rc == PEXCZ_OK && pexcz_tree_children_next(&children, &child)) {
        if (!push(w, child.entry.name)) {
            return pexcz_fail(w->err, PEXCZ_E_TOO_BIG, 0,
                              "%s: a path in it is too long", w->path);
        }
        rc = visit_node(w, &child, depth + 1);
        pop(w, len);
    }
    return rc < 0
               ? rc
               : w->visit(w->context, PEXCZ_WALK_LEAVE, w->path, node, w->err);
}

int
pexcz_tree_walk(const struct pexcz_tree *tree, pexcz_walk_visit *visit,
                void *context, struct pexcz_error *err)
{
    struct walk w = {
        .tree = tree,
        .visit = visit,
        .context = context,
        .err = err,
    };
    struct pexcz_node root;

    if (!pexcz_tree_find(tree, pexcz_slice_make("", 0), &root)) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0, "the tree has no root");
    }
    return visit_node(&w, &root, 0);
}
