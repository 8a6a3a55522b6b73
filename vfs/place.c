/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include "cwd.h"
#include "handle.h"
#include "libc_next.h"
#include "mount.h"
#include "trace.h"

#include <errno.h>
#include <fcntl.h>

/* PEXCZ_PREFIX in two: the directory that holds the mount, and its name. */
#define MOUNT_PARENT "/proc"
#define MOUNT_NAME "pexcz"
static_assert(sizeof(PEXCZ_PREFIX) == sizeof(MOUNT_PARENT "/" MOUNT_NAME),
              "the prefix is MOUNT_PARENT/MOUNT_NAME");

/* As in the kernel. */
#define MAX_LINKS 40u

#define PREFIX_SIZE (sizeof(PEXCZ_PREFIX) - 1)
#define NAME_SIZE (sizeof(MOUNT_NAME) - 1)

struct walk {
    const char *todo;      /* components still to be walked */
    unsigned links;        /* followed so far */
    char buffer[PATH_MAX]; /* where todo lies once it is not the caller's */
};

enum step {
    STEP_DONE, /* the place is filled */
    STEP_LEFT, /* the walk left the tree: walk.buffer has the absolute path */
};

static bool
find(struct pexcz_place *place)
{
    return pexcz_tree_find(pexcz_vfs_tree(),
                           pexcz_slice_make(place->path, place->size),
                           &place->node);
}

/* To the root of the tree.  Every blob has a root; an unreadable one is an
 * absent mount. */
static void
go_to_root(struct pexcz_place *place)
{
    place->size = 0;
    place->path[0] = '\0';
    place->error = find(place) ? 0 : ENOENT;
}

static enum step
fail(struct pexcz_place *place, int error)
{
    place->error = error;
    return STEP_DONE;
}

/* todo = head + "/" + rest (which may lie in the buffer itself). */
static bool
rewrite_todo(struct walk *w, const char *head, size_t head_size,
             const char *rest)
{
    size_t rest_size = strlen(rest);

    if (head_size + 1 + rest_size + 1 > sizeof(w->buffer)) {
        return false;
    }
    memmove(w->buffer + head_size + 1, rest, rest_size + 1);
    memcpy(w->buffer, head, head_size);
    /* A doubled slash is none too many; a slash where there was none would
     * be one. */
    w->buffer[head_size] = '/';
    if (rest_size == 0) {
        w->buffer[head_size] = '\0';
    }
    w->todo = w->buffer;
    return true;
}

static void
cut_last(struct pexcz_place *place)
{
    while (place->size != 0 && place->path[--place->size] != '/') {
    }
    place->path[place->size] = '\0';
}

/* The node is a link and is to be followed; `rest` is what comes behind. */
static enum step
follow_link(struct walk *w, struct pexcz_place *place, const char *rest,
            bool *ret_again)
{
    const struct pexcz_entry *link = &place->node.entry;
    char target[PATH_MAX];

    *ret_again = false;
    if (++w->links > MAX_LINKS) {
        return fail(place, ELOOP);
    }
    if (link->size >= sizeof(target)) {
        return fail(place, ENAMETOOLONG);
    }
    if (pexcz_blob_content_into(place->node.blob, link->payload, target,
                                (size_t)link->size, NULL)
        < 0) {
        return fail(place, EIO);
    }
    if (!rewrite_todo(w, target, (size_t)link->size, rest)) {
        return fail(place, ENAMETOOLONG);
    }
    if (target[0] == '/') {
        return STEP_LEFT;
    }
    cut_last(place);
    if (!find(place)) {
        return fail(place, ENOENT);
    }
    *ret_again = true;
    return STEP_DONE;
}

/* Appends a component; 0 or an errno. */
static int
append_name(struct pexcz_place *place, const char *name, size_t size)
{
    if (size > PEXCZ_MAX_NAME
        || place->size + 1 + size + 1 > sizeof(place->path)) {
        return ENAMETOOLONG;
    }
    if (place->size != 0) {
        place->path[place->size++] = '/';
    }
    memcpy(place->path + place->size, name, size);
    place->size += size;
    place->path[place->size] = '\0';
    return find(place) ? 0 : ENOENT;
}

static enum pexcz_last
last_of(const char *name, size_t size)
{
    if (size == 1 && name[0] == '.') {
        return PEXCZ_LAST_DOT;
    }
    return size == 2 && name[0] == '.' && name[1] == '.' ? PEXCZ_LAST_DOTDOT
                                                         : PEXCZ_LAST_NAME;
}

/* Walks w->todo from the directory in *place. */
static enum step
walk_inside(struct walk *w, enum pexcz_follow follow,
            struct pexcz_place *place)
{
    while (place->error == 0) {
        const char *name = w->todo + strspn(w->todo, "/");
        size_t size = strcspn(name, "/");
        bool final = name[size + strspn(name + size, "/")] == '\0';

        if (*name == '\0') {
            place->slash = name != w->todo;
            return place->slash && place->node.entry.kind != PEXCZ_KIND_DIR
                       ? fail(place, ENOTDIR)
                       : STEP_DONE;
        }
        if (place->node.entry.kind != PEXCZ_KIND_DIR) {
            return fail(place, ENOTDIR);
        }
        w->todo = name + size;
        place->last = last_of(name, size);
        if (place->last == PEXCZ_LAST_DOT) {
            continue;
        }
        if (place->last == PEXCZ_LAST_DOTDOT) {
            if (place->size == 0) {
                return rewrite_todo(w, MOUNT_PARENT, sizeof(MOUNT_PARENT) - 1,
                                    w->todo)
                           ? STEP_LEFT
                           : fail(place, ENAMETOOLONG);
            }
            cut_last(place);
            if (!find(place)) {
                return fail(place, ENOENT);
            }
            continue;
        }
        if (final && *w->todo == '/') {
            place->name_slash = true;
        }
        place->error = append_name(place, name, size);
        if (place->error != 0 || (final && follow == PEXCZ_PARENT)) {
            place->creatable = place->error != 0 && final;
            place->slash = *w->todo == '/';
            return STEP_DONE;
        }
        if (place->node.entry.kind == PEXCZ_KIND_SYMLINK
            && (follow == PEXCZ_FOLLOW || *w->todo == '/')) {
            bool again = false;
            enum step step = follow_link(w, place, w->todo, &again);

            if (!again) {
                return step;
            }
        }
    }
    return STEP_DONE;
}

/*
 * Whether path[0 .. size), as the kernel sees it, is MOUNT_PARENT.  An
 * absolute path that does not even mention it is not asked about, for the sake
 * of who works in a directory with the mount's name.
 */
static bool
is_mount_parent(int dirfd, const char *path, size_t size, char *scratch)
{
    struct stat a;
    struct stat b;
    int saved = errno;
    bool same;

    if (size == sizeof(MOUNT_PARENT)
        && memcmp(path, MOUNT_PARENT "/", size) == 0) {
        return true;
    }
    if (size + 2 > PATH_MAX) {
        return false;
    }
    memcpy(scratch, size != 0 ? path : ".", size != 0 ? size : 1);
    scratch[size != 0 ? size : 1] = '\0';
    if (path[0] == '/' && strstr(scratch, MOUNT_PARENT) == NULL) {
        return false;
    }
    same = pexcz_next_fstatat(dirfd, scratch, &a, 0) == 0 && S_ISDIR(a.st_mode)
           && pexcz_next_fstatat(AT_FDCWD, MOUNT_PARENT, &b, 0) == 0
           && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
    errno = saved;
    return same;
}

/*
 * The first component of `path` that is the mount: what comes behind it, or
 * NULL.  The kernel resolves what comes before it, with its links and dots.
 */
static const char *
behind_mount(int dirfd, const char *path, char *scratch)
{
    const char *p = path;

    while ((p = strstr(p, MOUNT_NAME)) != NULL) {
        bool component = (p == path || p[-1] == '/')
                         && (p[NAME_SIZE] == '/' || p[NAME_SIZE] == '\0');

        if (component
            && is_mount_parent(dirfd, path, (size_t)(p - path), scratch)) {
            return p + NAME_SIZE;
        }
        p += NAME_SIZE;
    }
    return NULL;
}

/* from_place: the path is relative to the directory in *place. */
static __attribute__((noinline)) bool
resolve_slowly(int dirfd, const char **path, enum pexcz_follow follow,
               struct pexcz_place *place, bool from_place)
{
    struct walk w;

    w.todo = *path;
    w.links = 0;
    if (strlen(*path) >= PATH_MAX) {
        /* libc says so, too, but only of paths that it gets to see. */
        place->error = ENAMETOOLONG;
        return from_place
               || strncmp(*path, PEXCZ_PREFIX "/", PREFIX_SIZE + 1) == 0;
    }
    if (!from_place) {
        w.todo = behind_mount(dirfd, *path, place->path);
        if (w.todo == NULL) {
            return false;
        }
        go_to_root(place);
        place->name_slash
            = w.todo[0] == '/' && w.todo[strspn(w.todo, "/")] == '\0';
    }
    while (walk_inside(&w, follow, place) == STEP_LEFT) {
        const char *rest = behind_mount(AT_FDCWD, w.buffer, place->path);

        if (rest == NULL) {
            memcpy(place->path, w.buffer, strlen(w.buffer) + 1);
            *path = place->path;
            return false;
        }
        w.todo = rest;
        go_to_root(place);
    }
    return true;
}

void
pexcz_place_of(const struct pexcz_node *node, struct pexcz_place *place)
{
    int size = pexcz_blob_path(node->blob, node->entry.index, place->path,
                               sizeof(place->path), NULL);

    place->creatable = false;
    place->slash = false;
    place->name_slash = false;
    place->last = PEXCZ_LAST_NAME;
    place->error = size < 0 ? EIO : 0;
    place->size = size < 0 ? 0 : (size_t)size;
    place->node = *node;
}

static bool
resolve(int dirfd, const char **pathp, enum pexcz_follow follow,
        struct pexcz_place *place)
{
    const char *path = *pathp;
    struct pexcz_node base;
    bool from_base = false;

    if (path == NULL || path[0] == '\0' || pexcz_vfs_tree() == NULL) {
        return false;
    }
    if (path[0] == '/') {
        /* Every spelling of the prefix has its name in it, hardly any other
         * path that name's last letter. */
        if (strchr(path, MOUNT_NAME[NAME_SIZE - 1]) == NULL
            || strstr(path, "/" MOUNT_NAME) == NULL) {
            return false;
        }
    }
    else {
        from_base = dirfd == AT_FDCWD ? pexcz_cwd_get(&base)
                                      : pexcz_handle_of_dirfd(dirfd, &base);
        if (!from_base && strncmp(path, MOUNT_NAME, NAME_SIZE) != 0
            && strstr(path, "/" MOUNT_NAME) == NULL) {
            return false;
        }
    }
    place->error = 0;
    place->creatable = false;
    place->slash = false;
    place->name_slash = false;
    place->last = PEXCZ_LAST_NAME;
    if (from_base) {
        pexcz_place_of(&base, place);
    }
    /* The usual case: spelled plainly, and no link at the end. */
    else if (strncmp(path, PEXCZ_PREFIX "/", PREFIX_SIZE + 1) == 0) {
        size_t size = strlen(path + PREFIX_SIZE + 1);

        if (size < sizeof(place->path)) {
            memcpy(place->path, path + PREFIX_SIZE + 1, size + 1);
            place->size = size;
            place->slash = size == 0;
            place->name_slash = size == 0;
            if (find(place)
                && (follow != PEXCZ_FOLLOW
                    || place->node.entry.kind != PEXCZ_KIND_SYMLINK)) {
                return true;
            }
        }
    }
    return resolve_slowly(dirfd, pathp, follow, place, from_base);
}

bool
pexcz_resolve(int dirfd, const char **path, enum pexcz_follow follow,
              struct pexcz_place *place)
{
    const char *given = *path;
    bool inside = resolve(dirfd, path, follow, place);

    if (inside && place->error != 0 && pexcz_trace_on) {
        pexcz_trace_failure(given, place->error);
    }
    return inside;
}

size_t
pexcz_place_full_path(const struct pexcz_place *place, char *dst, size_t cap)
{
    size_t size = PREFIX_SIZE + (place->size != 0 ? 1 + place->size : 0);

    if (cap <= size) {
        return 0;
    }
    memcpy(dst, PEXCZ_PREFIX "/", PREFIX_SIZE + 1);
    if (place->size != 0) {
        memcpy(dst + PREFIX_SIZE + 1, place->path, place->size);
    }
    dst[size] = '\0';
    return size;
}
