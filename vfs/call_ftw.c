/* SPDX-License-Identifier: Apache-2.0 */
/* ftw() and nftw() of a packed directory: libc's open it by themselves. */
#include "exe_layout.h"
#include "place.h"
#include "vfs_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

typedef int old_visitor(const char *, const struct stat *, int);
typedef int new_visitor(const char *, const struct stat *, int, struct FTW *);

struct tour {
    old_visitor *visit_old; /* one of the two is NULL */
    new_visitor *visit_new;
    int flags; /* FTW_* of nftw() */
    size_t size;
    char path[PATH_MAX]; /* where the tour is, as the caller spelled it */
};

static int
visit(struct tour *t, const struct stat *st, int type, int level, int base)
{
    struct FTW where = {.base = base, .level = level};

    return t->visit_new != NULL ? t->visit_new(t->path, st, type, &where)
                                : t->visit_old(t->path, st, type);
}

static bool
wanted(int action)
{
    return action == FTW_CONTINUE || action == FTW_SKIP_SUBTREE;
}

static int walk(struct tour *t, int level, int base);

/* The entries of the directory that the tour is at. */
static int
walk_children(struct tour *t, int level)
{
    DIR *dir = pexcz_vfs_opendir(t->path);
    size_t size = t->size;
    const struct dirent *entry;
    int rc = 0;

    if (dir == NULL) {
        return -1;
    }
    while (rc == 0 && (entry = pexcz_vfs_readdir(dir)) != NULL) {
        size_t name_size = strlen(entry->d_name);

        if (strcmp(entry->d_name, ".") == 0
            || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (size + 1 + name_size >= sizeof(t->path)) {
            rc = pexcz_vfs_refuse(ENAMETOOLONG);
            break;
        }
        t->path[size] = '/';
        memcpy(t->path + size + 1, entry->d_name, name_size + 1);
        t->size = size + 1 + name_size;
        rc = walk(t, level + 1, (int)size + 1);
        if ((t->flags & FTW_ACTIONRETVAL) != 0 && rc == FTW_SKIP_SIBLINGS) {
            rc = 0;
            break;
        }
    }
    t->path[size] = '\0';
    t->size = size;
    (void)pexcz_vfs_closedir(dir);
    return rc;
}

/* The entry that the tour is at; not 0 ends the tour. */
static int
walk(struct tour *t, int level, int base)
{
    bool physical = (t->flags & FTW_PHYS) != 0;
    bool actions = (t->flags & FTW_ACTIONRETVAL) != 0;
    struct stat st;
    int type = FTW_F;
    int rc;

    if ((physical ? pexcz_vfs_lstat(t->path, &st)
                  : pexcz_vfs_stat(t->path, &st))
        < 0) {
        if (level == 0 || pexcz_vfs_lstat(t->path, &st) < 0) {
            return -1;
        }
        type = t->visit_new != NULL ? FTW_SLN : FTW_NS;
    }
    else if (S_ISLNK(st.st_mode)) {
        type = FTW_SL;
    }
    else if (S_ISDIR(st.st_mode)) {
        type = (t->flags & FTW_DEPTH) != 0 ? FTW_DP : FTW_D;
    }
    if (type == FTW_DP) {
        rc = walk_children(t, level);
        return rc != 0 ? rc : visit(t, &st, type, level, base);
    }
    rc = visit(t, &st, type, level, base);
    if (type != FTW_D || (rc != 0 && !(actions && wanted(rc)))) {
        return actions && rc == FTW_SKIP_SUBTREE ? 0 : rc;
    }
    return actions && rc == FTW_SKIP_SUBTREE ? 0 : walk_children(t, level);
}

static int
start(const char *path, old_visitor *visit_old, new_visitor *visit_new,
      int flags)
{
    struct tour t
        = {.visit_old = visit_old, .visit_new = visit_new, .flags = flags};
    const char *name;

    t.size = strlen(path);
    if (t.size >= sizeof(t.path)) {
        return pexcz_vfs_refuse(ENAMETOOLONG);
    }
    memcpy(t.path, path, t.size + 1);
    while (t.size > 1 && t.path[t.size - 1] == '/') {
        t.path[--t.size] = '\0';
    }
    name = strrchr(t.path, '/');
    return walk(&t, 0, name != NULL ? (int)(name + 1 - t.path) : 0);
}

int
pexcz_vfs_ftw(const char *path, old_visitor *visit_old, int fd_limit)
{
    struct pexcz_place place;
    const char *real = path;

    return pexcz_resolve(AT_FDCWD, &real, PEXCZ_FOLLOW, &place)
               ? start(path, visit_old, NULL, 0)
               : pexcz_rare()->ftw(real, visit_old, fd_limit);
}

int
pexcz_vfs_nftw(const char *path, new_visitor *visit_new, int fd_limit,
               int flags)
{
    struct pexcz_place place;
    const char *real = path;

    /* FTW_CHDIR is not kept: the visitor gets paths that hold anyway. */
    return pexcz_resolve(AT_FDCWD, &real, PEXCZ_FOLLOW, &place)
               ? start(path, NULL, visit_new, flags)
               : pexcz_rare()->nftw(real, visit_new, fd_limit, flags);
}
