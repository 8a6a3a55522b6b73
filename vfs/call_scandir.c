/* SPDX-License-Identifier: Apache-2.0 */
#include "buf.h"
#include "place.h"
#include "vfs_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>

struct list {
    struct dirent **items;
    size_t count;
    size_t cap;
};

static int
list_add(struct list *list, const struct dirent *entry)
{
    size_t size = offsetof(struct dirent, d_name) + strlen(entry->d_name) + 1;
    void *items = list->items;
    struct dirent *copy;

    if (pexcz_grow_array(&items, list->count, &list->cap, sizeof(*list->items),
                         NULL)
        < 0) {
        return pexcz_vfs_refuse(ENOMEM);
    }
    list->items = items;
    copy = malloc(size);
    if (copy == NULL) {
        return -1;
    }
    memcpy(copy, entry, size);
    copy->d_reclen = (unsigned short)size;
    list->items[list->count++] = copy;
    return 0;
}

static void
list_done(struct list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i]);
    }
    free(list->items);
}

/* Reads all of `dir` and closes it. */
static int
collect(DIR *dir, struct list *list, pexcz_dirent_filter *filter)
{
    const struct dirent *entry;
    int rc = 0;
    int saved = errno;

    while (rc == 0 && (entry = pexcz_vfs_readdir(dir)) != NULL) {
        if (filter == NULL || filter(entry) != 0) {
            rc = list_add(list, entry);
        }
    }
    saved = rc < 0 ? errno : saved;
    (void)pexcz_vfs_closedir(dir);
    errno = saved;
    return rc;
}

int
pexcz_vfs_scandirat(int dirfd, const char *path, struct dirent ***ret,
                    pexcz_dirent_filter *filter, pexcz_dirent_compare *compare)
{
    struct pexcz_place place;
    struct list list = {0};
    const char *real = path;
    DIR *dir;
    int fd;

    if (!pexcz_resolve(dirfd, &real, PEXCZ_FOLLOW, &place)) {
        return pexcz_rare()->scandirat(dirfd, real, ret, filter, compare);
    }
    fd = pexcz_vfs_openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    dir = pexcz_vfs_fdopendir(fd);
    if (dir == NULL) {
        int saved = errno;

        (void)close(fd);
        return pexcz_vfs_refuse(saved);
    }
    if (collect(dir, &list, filter) < 0) {
        list_done(&list);
        return -1;
    }
    if (compare != NULL && list.count > 1) {
        /* Both take two pointers to elements, which are pointers. */
        qsort(list.items, list.count, sizeof(*list.items),
              (int (*)(const void *, const void *))(void (*)(void))compare);
    }
    *ret = list.items;
    return (int)list.count;
}

int
pexcz_vfs_scandir(const char *path, struct dirent ***ret,
                  pexcz_dirent_filter *filter, pexcz_dirent_compare *compare)
{
    struct pexcz_place place;
    const char *real = path;

    /* Names that are none of ours go to the name that was called. */
    return pexcz_resolve(AT_FDCWD, &real, PEXCZ_FOLLOW, &place)
               ? pexcz_vfs_scandirat(AT_FDCWD, path, ret, filter, compare)
               : pexcz_rare()->scandir(real, ret, filter, compare);
}
