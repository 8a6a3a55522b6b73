/* SPDX-License-Identifier: Apache-2.0 */
/* Files with names made up from a template: none can be made in the tree. */
#include "place.h"
#include "vfs_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define MARK "XXXXXX"
#define MARK_SIZE (sizeof(MARK) - 1)

static bool
is_template(const char *template, int suffix)
{
    size_t size = strlen(template);

    return suffix >= 0 && size >= MARK_SIZE + (size_t)suffix
           && memcmp(template + size - MARK_SIZE - (size_t)suffix, MARK,
                     MARK_SIZE)
                  == 0;
}

enum target {
    TARGET_NEXT,    /* libc's, with the caller's template */
    TARGET_LEFT,    /* libc's, with what links in the tree lead to */
    TARGET_REFUSED, /* errno is set */
};

static enum target
target_of(const char *template, int suffix, struct pexcz_place *place)
{
    const char *path = template;

    if (!pexcz_resolve(AT_FDCWD, &path, PEXCZ_PARENT, place)) {
        return path == template ? TARGET_NEXT : TARGET_LEFT;
    }
    errno = EROFS;
    if (!is_template(template, suffix)) {
        errno = EINVAL;
    }
    else if (place->error != 0
             && !(place->error == ENOENT && place->creatable)) {
        errno = place->error;
    }
    return TARGET_REFUSED;
}

/* Puts the name that was found into the caller's template. */
static void
copy_name(char *template, int suffix, const struct pexcz_place *made)
{
    size_t tail = MARK_SIZE + (size_t)suffix;
    size_t from = strlen(made->path) - tail;

    memcpy(template + strlen(template) - tail, made->path + from, tail);
}

int
pexcz_vfs_mkostemps(char *template, int suffix, int flags)
{
    struct pexcz_place place;
    int fd = -1;

    switch (target_of(template, suffix, &place)) {
    case TARGET_NEXT:
        return pexcz_rare()->mkostemps(template, suffix, flags);
    case TARGET_LEFT:
        fd = pexcz_rare()->mkostemps(place.path, suffix, flags);
        if (fd >= 0) {
            copy_name(template, suffix, &place);
        }
        return fd;
    case TARGET_REFUSED:
        break;
    }
    return -1;
}

char *
pexcz_vfs_mkdtemp(char *template)
{
    struct pexcz_place place;

    switch (target_of(template, 0, &place)) {
    case TARGET_NEXT:
        return pexcz_rare()->mkdtemp(template);
    case TARGET_LEFT:
        if (pexcz_rare()->mkdtemp(place.path) == NULL) {
            return NULL;
        }
        copy_name(template, 0, &place);
        return template;
    case TARGET_REFUSED:
        break;
    }
    return NULL;
}
