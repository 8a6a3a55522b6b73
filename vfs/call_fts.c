/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fts(3) over trees of which one at least lies under the prefix.  libc's own
 * calls its own directory functions.  As with FTS_NOCHDIR: the working
 * directory stays, and fts_accpath is fts_path.
 */
#include "place.h"
#include "vfs_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>

/* fts_rfd of a tour of ours; libc's is a descriptor or -1. */
#define TOUR_MARK (-0x7078637a)

/* Of fts_options; libc uses these two, which programs do not see, so, too. */
#define STOP 0x0200

static bool
is_ours(const FTS *fts)
{
    return fts->fts_rfd == TOUR_MARK;
}

static bool
has(const FTS *fts, int option)
{
    return (fts->fts_options & option) != 0;
}

static unsigned short
info_of(const FTSENT *entry, const struct stat *st)
{
    if (S_ISDIR(st->st_mode)) {
        for (const FTSENT *p = entry->fts_parent; p->fts_level >= 0;
             p = p->fts_parent) {
            if (p->fts_ino == st->st_ino && p->fts_dev == st->st_dev) {
                return FTS_DC;
            }
        }
        return FTS_D;
    }
    if (S_ISLNK(st->st_mode)) {
        return FTS_SL;
    }
    return S_ISREG(st->st_mode) ? FTS_F : FTS_DEFAULT;
}

/* Fills what is known of the file itself. */
static void
look_at(const FTS *fts, FTSENT *entry, bool follow)
{
    struct stat *st = entry->fts_statp;
    const char *name = entry->fts_name;

    entry->fts_errno = 0;
    if ((follow || has(fts, FTS_LOGICAL))
        && pexcz_vfs_stat(entry->fts_path, st) < 0) {
        if (pexcz_vfs_lstat(entry->fts_path, st) == 0) {
            entry->fts_info = FTS_SLNONE;
            return;
        }
        entry->fts_errno = errno;
    }
    else if (!follow && !has(fts, FTS_LOGICAL)
             && pexcz_vfs_lstat(entry->fts_path, st) < 0) {
        entry->fts_errno = errno;
    }
    if (entry->fts_errno != 0) {
        memset(st, 0, sizeof(*st));
        entry->fts_info = FTS_NS;
        return;
    }
    entry->fts_dev = st->st_dev;
    entry->fts_ino = st->st_ino;
    entry->fts_nlink = st->st_nlink;
    entry->fts_info = info_of(entry, st);
    if (entry->fts_level > 0
        && (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)) {
        entry->fts_info = FTS_DOT;
    }
}

/* An entry with its name, stat buffer and path in one block. */
static FTSENT *
new_entry(FTSENT *parent, const char *dir, size_t dir_size, const char *name)
{
    size_t name_size = strlen(name);
    size_t slash = dir_size != 0 && dir[dir_size - 1] != '/' ? 1 : 0;
    size_t head
        = (offsetof(FTSENT, fts_name) + name_size + 1 + 15) & ~(size_t)15;
    size_t path_size = dir_size + slash + name_size;
    FTSENT *e;

    if (name_size > UINT16_MAX || path_size > UINT16_MAX) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    e = calloc(1, head + sizeof(struct stat) + path_size + 1);
    if (e == NULL) {
        return NULL;
    }
    e->fts_statp = (struct stat *)(void *)((char *)e + head);
    e->fts_path = (char *)(e->fts_statp + 1);
    memcpy(e->fts_path, dir, dir_size);
    e->fts_path[dir_size] = '/';
    memcpy(e->fts_path + dir_size + slash, name, name_size + 1);
    e->fts_accpath = e->fts_path;
    e->fts_pathlen = (unsigned short)path_size;
    memcpy(e->fts_name, name, name_size + 1);
    e->fts_namelen = (unsigned short)name_size;
    e->fts_parent = parent;
    e->fts_level = (short)(parent != NULL ? parent->fts_level + 1 : -1);
    e->fts_instr = FTS_NOINSTR;
    return e;
}

static void
free_list(FTSENT *entry)
{
    while (entry != NULL) {
        FTSENT *next = entry->fts_link;

        free(entry);
        entry = next;
    }
}

/* Sorts a list of `count` entries. */
static FTSENT *
sorted(FTS *fts, FTSENT *first, size_t count)
{
    FTSENT **items;
    FTSENT **where;

    if (fts->fts_compar == NULL || count < 2) {
        return first;
    }
    items = calloc(count, sizeof(FTSENT *));
    if (items == NULL) {
        return first;
    }
    where = items;
    for (FTSENT *e = first; e != NULL; e = e->fts_link) {
        *where++ = e;
    }
    qsort(items, count, sizeof(FTSENT *), fts->fts_compar);
    for (size_t i = 0; i < count; i++) {
        items[i]->fts_link = i + 1 < count ? items[i + 1] : NULL;
    }
    first = items[0];
    free(items);
    return first;
}

/* The entries of a directory; NULL and errno 0 for an empty one. */
static FTSENT *
read_children(FTS *fts, FTSENT *parent)
{
    DIR *dir = pexcz_vfs_opendir(parent->fts_path);
    FTSENT *first = NULL;
    FTSENT **last = &first;
    const struct dirent *d;
    size_t count = 0;

    if (dir == NULL) {
        return NULL;
    }
    while ((d = pexcz_vfs_readdir(dir)) != NULL) {
        FTSENT *e;

        if (!has(fts, FTS_SEEDOT)
            && (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)) {
            continue;
        }
        e = new_entry(parent, parent->fts_path, parent->fts_pathlen,
                      d->d_name);
        if (e == NULL) {
            int saved = errno;

            free_list(first);
            (void)pexcz_vfs_closedir(dir);
            errno = saved;
            return NULL;
        }
        if (has(fts, FTS_NOSTAT) && d->d_type != DT_DIR
            && d->d_type != DT_UNKNOWN
            && (d->d_type != DT_LNK || has(fts, FTS_PHYSICAL))) {
            e->fts_info = FTS_NSOK;
        }
        else {
            look_at(fts, e, false);
        }
        *last = e;
        last = &e->fts_link;
        count++;
    }
    (void)pexcz_vfs_closedir(dir);
    errno = 0;
    return sorted(fts, first, count);
}

static bool
any_inside(char *const *paths)
{
    struct pexcz_place place;

    for (; *paths != NULL; paths++) {
        const char *path = *paths;

        if (pexcz_resolve(AT_FDCWD, &path, PEXCZ_FOLLOW, &place)) {
            return true;
        }
    }
    return false;
}

/* The paths of the call, as children of an entry of level -1. */
static bool
add_roots(FTS *fts, FTSENT *top, char *const *paths)
{
    FTSENT **last = &fts->fts_child;
    size_t count = 0;

    for (; *paths != NULL; paths++) {
        FTSENT *e = new_entry(top, "", 0, *paths);

        if (e == NULL) {
            return false;
        }
        look_at(fts, e, has(fts, FTS_COMFOLLOW));
        *last = e;
        last = &e->fts_link;
        count++;
    }
    fts->fts_child = sorted(fts, fts->fts_child, count);
    return true;
}

FTS *
pexcz_vfs_fts_open(char *const *paths, int options, pexcz_fts_compare *compare)
{
    FTSENT *top;
    FTS *fts;

    if (!any_inside(paths)) {
        return pexcz_rare()->fts_open(paths, options, compare);
    }
    if ((options & ~FTS_OPTIONMASK) != 0) {
        errno = EINVAL;
        return NULL;
    }
    fts = calloc(1, sizeof(*fts));
    top = new_entry(NULL, "", 0, "");
    if (fts == NULL || top == NULL) {
        free(fts);
        free(top);
        return NULL;
    }
    fts->fts_rfd = TOUR_MARK;
    fts->fts_options = options | FTS_NOCHDIR;
    /* What the member's type says is what qsort() takes. */
    fts->fts_compar
        = (int (*)(const void *, const void *))(void (*)(void))compare;
    fts->fts_cur = top;
    if (!add_roots(fts, top, paths)) {
        (void)pexcz_vfs_fts_close(fts);
        return NULL;
    }
    return fts;
}

/* Goes to `entry`, which is handed out. */
static FTSENT *
go_to(FTS *fts, FTSENT *entry)
{
    fts->fts_cur = entry;
    if (entry->fts_level == 0) {
        fts->fts_dev = entry->fts_dev;
    }
    if (entry->fts_instr == FTS_FOLLOW) {
        entry->fts_instr = FTS_NOINSTR;
        look_at(fts, entry, true);
    }
    return entry;
}

/* Into the directory that was just handed out; NULL: it is at its end. */
static FTSENT *
descend(FTS *fts, FTSENT *entry)
{
    FTSENT *first = fts->fts_child;

    fts->fts_child = NULL;
    if (entry->fts_instr == FTS_SKIP
        || (has(fts, FTS_XDEV) && entry->fts_dev != fts->fts_dev)) {
        free_list(first);
        first = NULL;
        errno = 0;
    }
    else if (first == NULL) {
        first = read_children(fts, entry);
    }
    if (first == NULL && errno != 0) {
        entry->fts_errno = errno;
        entry->fts_info = FTS_DNR;
        return NULL;
    }
    if (first == NULL) {
        entry->fts_info = FTS_DP;
    }
    return first;
}

FTSENT *
pexcz_vfs_fts_read(FTS *fts)
{
    FTSENT *entry;
    FTSENT *next;

    if (!is_ours(fts)) {
        return pexcz_rare()->fts_read(fts);
    }
    entry = fts->fts_cur;
    if (entry == NULL || has(fts, STOP)) {
        return NULL;
    }
    if (entry->fts_level < 0) { /* nothing was handed out yet */
        next = fts->fts_child;
        fts->fts_child = NULL;
    }
    else {
        if (entry->fts_instr == FTS_AGAIN || entry->fts_instr == FTS_FOLLOW) {
            bool follow = entry->fts_instr == FTS_FOLLOW;

            entry->fts_instr = FTS_NOINSTR;
            look_at(fts, entry, follow);
            return entry;
        }
        if (entry->fts_info == FTS_D) {
            next = descend(fts, entry);
            return next != NULL ? go_to(fts, next) : entry;
        }
        next = entry->fts_link;
    }
    while (next != NULL && next->fts_instr == FTS_SKIP) {
        entry->fts_link = next->fts_link;
        free(next);
        next = entry->fts_link;
    }
    if (next == NULL) {
        next = entry->fts_parent;
    }
    if (next == NULL || next->fts_level < 0) {
        fts->fts_options |= STOP;
        errno = 0;
        return NULL;
    }
    if (next == entry->fts_parent) {
        next->fts_info = next->fts_errno != 0 ? FTS_ERR : FTS_DP;
    }
    if (entry->fts_level >= 0) {
        free(entry);
        return go_to(fts, next);
    }
    return go_to(fts, next);
}

FTSENT *
pexcz_vfs_fts_children(FTS *fts, int options)
{
    FTSENT *entry;

    if (!is_ours(fts)) {
        return pexcz_rare()->fts_children(fts, options);
    }
    errno = 0;
    if (options != 0 && options != FTS_NAMEONLY) {
        errno = EINVAL;
        return NULL;
    }
    entry = fts->fts_cur;
    if (has(fts, STOP)
        || (entry->fts_level >= 0 && entry->fts_info != FTS_D)) {
        return NULL;
    }
    if (fts->fts_child == NULL && entry->fts_level >= 0) {
        fts->fts_child = read_children(fts, entry);
    }
    return fts->fts_child;
}

int
pexcz_vfs_fts_set(FTS *fts, FTSENT *entry, int instruction)
{
    if (!is_ours(fts)) {
        return pexcz_rare()->fts_set(fts, entry, instruction);
    }
    if (instruction != 0 && instruction != FTS_AGAIN
        && instruction != FTS_FOLLOW && instruction != FTS_NOINSTR
        && instruction != FTS_SKIP) {
        errno = EINVAL;
        return 1;
    }
    entry->fts_instr = (unsigned short)instruction;
    return 0;
}

int
pexcz_vfs_fts_close(FTS *fts)
{
    FTSENT *entry;

    if (!is_ours(fts)) {
        return pexcz_rare()->fts_close(fts);
    }
    free_list(fts->fts_child);
    /* What was not handed out yet, up to the entry of level -1. */
    entry = fts->fts_cur;
    while (entry != NULL) {
        FTSENT *next
            = entry->fts_link != NULL ? entry->fts_link : entry->fts_parent;

        free(entry);
        entry = next;
    }
    free(fts);
    return 0;
}
