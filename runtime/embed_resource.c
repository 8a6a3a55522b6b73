/* SPDX-License-Identifier: Apache-2.0 */
#include "embed.h"

#include "exe_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pexcz_embed_resource {
    struct pexcz_embed_resource *next;
    const struct pexcz_blob *blob;
    uint32_t payload;
    struct pexcz_buf content;
};

static bool
find_file(const struct pexcz_runtime *rt, const char *inner,
          struct pexcz_node *ret)
{
    return pexcz_tree_find(&rt->file.tree, pexcz_slice_str(inner), ret)
           && ret->entry.kind == PEXCZ_KIND_FILE;
}

/* The file `name` beside the application's modules. */
static bool
find_on_path(const struct pexcz_runtime *rt, const char *name,
             struct pexcz_node *ret)
{
    char inner[PEXCZ_MAX_PATH + 1];
    uint32_t cursor = 0;
    uint32_t key;
    struct pexcz_slice dir;

    while (rt->app != NULL
           && pexcz_blob_boot_next(rt->app, &cursor, &key, &dir)) {
        int n;

        if (key != PEXCZ_BOOT_SEARCH_PATH) {
            continue;
        }
        n = snprintf(inner, sizeof(inner), "%.*s/%s", (int)dir.len,
                     (const char *)dir.ptr, name);
        if (n > 0 && (size_t)n < sizeof(inner) && find_file(rt, inner, ret)) {
            return true;
        }
    }
    return false;
}

/* The decompressed content of a payload, kept until close; the lock is held.
 */
static int
unpack(struct pexcz_runtime *rt, const struct pexcz_blob *blob,
       uint32_t payload, struct pexcz_slice *ret, struct pexcz_error *err)
{
    struct pexcz_embed_resource *r = rt->resources;
    int rc;

    while (r != NULL && (r->blob != blob || r->payload != payload)) {
        r = r->next;
    }
    if (r == NULL) {
        r = calloc(1, sizeof(*r));
        if (r == NULL) {
            return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
        }
        rc = pexcz_blob_content(blob, payload, &r->content, ret, err);
        if (rc < 0) {
            pexcz_buf_done(&r->content);
            free(r);
            return rc;
        }
        r->blob = blob;
        r->payload = payload;
        r->next = rt->resources;
        rt->resources = r;
    }
    *ret = pexcz_buf_slice(&r->content);
    return PEXCZ_OK;
}

static int
content(struct pexcz_runtime *rt, const struct pexcz_node *node,
        struct pexcz_slice *ret, struct pexcz_error *err)
{
    struct pexcz_payload payload;
    int rc;

    if (node->entry.payload == PEXCZ_NONE) {
        *ret = pexcz_slice_make("", 0);
        return PEXCZ_OK;
    }
    rc = pexcz_blob_payload(node->blob, node->entry.payload, &payload, err);
    if (rc < 0) {
        return rc;
    }
    if (payload.storage == PEXCZ_STORAGE_RAW) {
        *ret = payload.stored;
        return PEXCZ_OK;
    }
    (void)pthread_mutex_lock(&rt->lock);
    rc = unpack(rt, node->blob, node->entry.payload, ret, err);
    (void)pthread_mutex_unlock(&rt->lock);
    return rc;
}

int
pexcz_embed_resource(struct pexcz_runtime *rt, const char *name,
                     struct pexcz_slice *ret, struct pexcz_runtime_error *err)
{
    size_t prefix = strlen(PEXCZ_PREFIX "/");
    struct pexcz_error cause;
    struct pexcz_node node;
    bool found;

    found = strncmp(name, PEXCZ_PREFIX "/", prefix) == 0
                ? find_file(rt, name + prefix, &node)
                : name[0] != '/' && find_on_path(rt, name, &node);
    if (!found) {
        return pexcz_embed_fail(err, PEXCZ_RUNTIME_E_NOT_FOUND,
                                "%s: no such packed file", name);
    }
    return content(rt, &node, ret, &cause) == PEXCZ_OK
               ? PEXCZ_RUNTIME_OK
               : pexcz_embed_fail_with(err, &cause);
}

void
pexcz_embed_resources_free(struct pexcz_runtime *rt)
{
    while (rt->resources != NULL) {
        struct pexcz_embed_resource *r = rt->resources;

        rt->resources = r->next;
        pexcz_buf_done(&r->content);
        free(r);
    }
}
