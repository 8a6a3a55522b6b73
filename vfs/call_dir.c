/* SPDX-License-Identifier: Apache-2.0 */
#include "handle.h"
#include "mount.h"
#include "place.h"
#include "vfs_calls.h"
#include "vfs_stat.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>

/* glibc's DIR begins with its descriptor, which is never negative. */
#define STREAM_MARK (-0x7078637a)

struct stream {
    int mark;
    int fd; /* given to fdopendir() or made for dirfd(); -1: none */
    pthread_mutex_t lock;
    struct pexcz_place place;
    struct pexcz_children children;
    long position; /* entries handed out since the start */
    struct dirent entry;
};

/* NULL when the stream is libc's. */
static struct stream *
ours(DIR *dir)
{
    int first;

    memcpy(&first, dir, sizeof(first));
    return first == STREAM_MARK ? (struct stream *)(void *)dir : NULL;
}

static void
rewind_stream(struct stream *s)
{
    s->position = 0;
    pexcz_tree_children(pexcz_vfs_tree(),
                        pexcz_slice_make(s->place.path, s->place.size),
                        &s->children);
}

static DIR *
new_stream(const struct pexcz_place *place, int fd)
{
    struct stream *s;

    if (place->error != 0 || place->node.entry.kind != PEXCZ_KIND_DIR) {
        errno = place->error != 0 ? place->error : ENOTDIR;
        return NULL;
    }
    s = malloc(sizeof(*s));
    if (s == NULL) {
        return NULL;
    }
    s->mark = STREAM_MARK;
    s->fd = fd;
    s->place = *place;
    (void)pthread_mutex_init(&s->lock, NULL);
    rewind_stream(s);
    return (DIR *)(void *)s;
}

DIR *
pexcz_vfs_opendir(const char *path)
{
    struct pexcz_place place;

    return pexcz_resolve(AT_FDCWD, &path, PEXCZ_FOLLOW, &place)
               ? new_stream(&place, -1)
               : pexcz_next()->opendir(path);
}

DIR *
pexcz_vfs_fdopendir(int fd)
{
    struct pexcz_place place;
    struct pexcz_node node;

    if (!pexcz_handle_of_fd(fd, &node)) {
        return pexcz_next()->fdopendir(fd);
    }
    pexcz_place_of(&node, &place);
    return new_stream(&place, fd);
}

/* The parent of the stream's directory; the root's is the real /proc. */
static ino_t
parent_ino(const struct stream *s)
{
    struct pexcz_node parent = s->place.node;
    struct stat st;

    if (s->place.size == 0) {
        return pexcz_next_stat("/proc", &st) == 0 ? st.st_ino : 1;
    }
    if (pexcz_blob_entry(parent.blob, parent.entry.parent, &parent.entry, NULL)
        < 0) {
        return 1;
    }
    return pexcz_node_ino(&parent);
}

static void
set_entry(struct stream *s, ino_t ino, unsigned char type, const void *name,
          size_t size)
{
    s->entry.d_ino = ino;
    s->entry.d_off = s->position;
    s->entry.d_type = type;
    s->entry.d_reclen = sizeof(s->entry);
    memcpy(s->entry.d_name, name, size);
    s->entry.d_name[size] = '\0';
}

static bool
next_entry(struct stream *s)
{
    struct pexcz_node node;

    if (s->position == 0) {
        s->position++;
        set_entry(s, pexcz_node_ino(&s->place.node), DT_DIR, ".", 1);
        return true;
    }
    if (s->position == 1) {
        s->position++;
        set_entry(s, parent_ino(s), DT_DIR, "..", 2);
        return true;
    }
    if (!pexcz_tree_children_next(&s->children, &node)) {
        return false;
    }
    s->position++;
    set_entry(s, pexcz_node_ino(&node), pexcz_node_dirent_type(&node),
              node.entry.name.ptr, node.entry.name.len);
    return true;
}

/* To the entry behind the first `position` ones. */
static void
seek_stream(struct stream *s, long position)
{
    rewind_stream(s);
    while (s->position < position && next_entry(s)) {
    }
}

struct dirent *
pexcz_vfs_readdir(DIR *dir)
{
    struct stream *s = ours(dir);
    bool more;

    if (s == NULL) {
        return pexcz_next()->readdir(dir);
    }
    (void)pthread_mutex_lock(&s->lock);
    more = next_entry(s);
    (void)pthread_mutex_unlock(&s->lock);
    return more ? &s->entry : NULL;
}

int
pexcz_vfs_readdir_r(DIR *dir, struct dirent *entry, struct dirent **result)
{
    struct stream *s = ours(dir);

    if (s == NULL) {
        return pexcz_rare()->readdir_r(dir, entry, result);
    }
    (void)pthread_mutex_lock(&s->lock);
    *result = NULL;
    if (next_entry(s)) {
        *entry = s->entry;
        *result = entry;
    }
    (void)pthread_mutex_unlock(&s->lock);
    return 0;
}

int
pexcz_vfs_closedir(DIR *dir)
{
    struct stream *s;
    int rc = 0;

    if (dir == NULL) {
        return pexcz_vfs_refuse(EINVAL);
    }
    s = ours(dir);
    if (s == NULL) {
        return pexcz_next()->closedir(dir);
    }
    if (s->fd >= 0) {
        rc = close(s->fd);
    }
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
    return rc;
}

void
pexcz_vfs_rewinddir(DIR *dir)
{
    struct stream *s = ours(dir);

    if (s == NULL) {
        pexcz_rare()->rewinddir(dir);
        return;
    }
    (void)pthread_mutex_lock(&s->lock);
    rewind_stream(s);
    (void)pthread_mutex_unlock(&s->lock);
}

long
pexcz_vfs_telldir(DIR *dir)
{
    struct stream *s = ours(dir);

    return s != NULL ? s->position : pexcz_rare()->telldir(dir);
}

void
pexcz_vfs_seekdir(DIR *dir, long position)
{
    struct stream *s = ours(dir);

    if (s == NULL) {
        pexcz_rare()->seekdir(dir, position);
        return;
    }
    (void)pthread_mutex_lock(&s->lock);
    seek_stream(s, position);
    (void)pthread_mutex_unlock(&s->lock);
}

int
pexcz_vfs_dirfd(DIR *dir)
{
    struct stream *s = ours(dir);

    if (s == NULL) {
        return pexcz_next()->dirfd(dir);
    }
    (void)pthread_mutex_lock(&s->lock);
    if (s->fd < 0) {
        s->fd = pexcz_handle_open(&s->place.node, O_CLOEXEC);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return s->fd;
}

/* As many entries as fit; *ret_next counts those handed out by then. */
static ssize_t
fill_entries(struct stream *s, void *buf, size_t size, long *ret_next)
{
    size_t head = offsetof(struct dirent, d_name);
    size_t used = 0;

    *ret_next = s->position;
    while (next_entry(s)) {
        size_t full = (head + strlen(s->entry.d_name) + 1 + 7) & ~(size_t)7;

        if (full > size - used) {
            return used != 0 ? (ssize_t)used : pexcz_vfs_refuse(EINVAL);
        }
        s->entry.d_reclen = (unsigned short)full;
        memcpy((char *)buf + used, &s->entry, full);
        used += full;
        *ret_next = s->position;
    }
    return (ssize_t)used;
}

/* The descriptor's offset says how many entries were handed out. */
ssize_t
pexcz_vfs_getdents64(int fd, void *buf, size_t size)
{
    struct pexcz_node node;
    struct stream s;
    long next;
    off_t position;
    ssize_t n;

    if (!pexcz_handle_of_fd(fd, &node)) {
        return pexcz_next()->syscall(SYS_getdents64, fd, buf, size);
    }
    if (node.entry.kind != PEXCZ_KIND_DIR) {
        return pexcz_vfs_refuse(ENOTDIR);
    }
    position = lseek(fd, 0, SEEK_CUR);
    if (position < 0) {
        return -1;
    }
    pexcz_place_of(&node, &s.place);
    seek_stream(&s, position);
    n = fill_entries(&s, buf, size, &next);
    if (n > 0 && lseek(fd, next, SEEK_SET) < 0) {
        return -1;
    }
    return n;
}
