/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Message catalogues, which libc opens by itself.  Those of the domain are put
 * where shared objects are put; libc gets the folder that mirrors the tree's.
 * Where files have no such place, the domain has no translations.
 */
#include "mount.h"
#include "place.h"
#include "vfs_calls.h"

#include <fcntl.h>

/* Puts DIR/LANGUAGE/LC_MESSAGES/DOMAIN.mo there; the folder that stands for
 * DIR, in buf[cap], or NULL. */
static const char *
mirror(const struct pexcz_place *dir, const struct pexcz_node *language,
       const char *domain, char *buf, size_t cap)
{
    char inner[PATH_MAX];
    struct pexcz_node node;
    const char *real;
    size_t inner_size;
    size_t real_size;
    int n = snprintf(inner, sizeof(inner), "%s/%.*s/LC_MESSAGES/%s.mo",
                     dir->path, (int)language->entry.name.len,
                     (const char *)language->entry.name.ptr, domain);

    if (n < 0 || (size_t)n >= sizeof(inner)
        || !pexcz_tree_find(pexcz_vfs_tree(), pexcz_slice_str(inner), &node)
        || node.entry.kind != PEXCZ_KIND_FILE) {
        return NULL;
    }
    inner_size = (size_t)n;
    real = pexcz_vfs_libraries()->place(inner, buf, cap);
    real_size = real != NULL ? strlen(real) : 0;
    if (real_size <= inner_size
        || strcmp(real + real_size - inner_size, inner) != 0) {
        return NULL;
    }
    memmove(buf, real, real_size + 1);
    buf[real_size - inner_size + dir->size] = '\0';
    return buf;
}

char *
pexcz_vfs_bindtextdomain(const char *domain, const char *directory)
{
    struct pexcz_place place;
    struct pexcz_children children;
    struct pexcz_node language;
    const char *path = directory;
    char buf[PATH_MAX];
    char found[PATH_MAX];

    if (!pexcz_resolve(AT_FDCWD, &path, PEXCZ_FOLLOW, &place)) {
        return pexcz_rare()->bindtextdomain(domain, path);
    }
    if (domain == NULL || place.error != 0 || pexcz_vfs_libraries() == NULL) {
        return pexcz_rare()->bindtextdomain(domain, directory);
    }
    found[0] = '\0';
    pexcz_tree_children(pexcz_vfs_tree(),
                        pexcz_slice_make(place.path, place.size), &children);
    while (pexcz_tree_children_next(&children, &language)) {
        if (mirror(&place, &language, domain, buf, sizeof(buf)) != NULL) {
            memcpy(found, buf, strlen(buf) + 1);
        }
    }
    return pexcz_rare()->bindtextdomain(domain,
                                        found[0] != '\0' ? found : directory);
}
