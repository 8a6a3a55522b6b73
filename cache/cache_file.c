/* SPDX-License-Identifier: Apache-2.0 */
#include "cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* How often a folder's time of last use is brought up to date, seconds. */
#define USE_INTERVAL (24 * 60 * 60)

/* While another process writes a file: how often to look, and for how long
 * that file may stay as it is. */
#define POLL_NANOSECONDS 2000000L
#define MAX_IDLE_POLLS 1500u /* 3 s */

#define MAX_ATTEMPTS 8u

#define READ_SIZE ((size_t)256 << 10)

void
pexcz_cache_group_name(const uint8_t group[16], char ret[33])
{
    for (size_t i = 0; i < 16; i++) {
        (void)snprintf(ret + 2 * i, 3, "%02x", group[i]);
    }
}

/* Never 0, and whole microseconds: finer than some file systems keep. */
long
pexcz_cache_stamp(uint64_t hash)
{
    return 1000 * (1 + (long)(hash % 999999));
}

static bool
is_owner(const struct pexcz_cache *cache, const struct stat *st)
{
    return st->st_uid == geteuid() || st->st_uid == cache->owner;
}

/* The folder `name` below `parent`.  What is no folder of ours there makes
 * room for one. */
static int
enter(const struct pexcz_cache *cache, int parent, const char *name)
{
    int fd = openat(parent, name, OPEN_DIR);

    if (fd >= 0 || cache->read_only) {
        return fd;
    }
    if (errno == ENOTDIR || errno == ELOOP) {
        (void)unlinkat(parent, name, 0);
    }
    /* Whatever the umask. */
    if (mkdirat(parent, name, 0700) == 0
            ? fchmodat(parent, name, cache->for_all ? 0755 : 0700, 0) != 0
            : errno != EEXIST) {
        return -1;
    }
    return openat(parent, name, OPEN_DIR);
}

/* Its modification time says when it was last used. */
static void
note_use(int dir, const struct stat *st)
{
    time_t now = time(NULL);

    if (now - st->st_mtime > USE_INTERVAL
        || st->st_mtime - now > USE_INTERVAL) {
        (void)futimens(dir, NULL);
    }
}

int
pexcz_cache_group_open(const struct pexcz_cache *cache,
                       const uint8_t group[16], struct pexcz_cache_group *ret,
                       struct pexcz_error *err)
{
    char name[33];
    struct stat st;
    int so = open(cache->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int n;

    pexcz_cache_group_name(group, name);
    n = snprintf(ret->path, sizeof(ret->path), "%s/%s", cache->path, name);
    ret->cache = cache;
    ret->dir = so >= 0 ? enter(cache, so, name) : -1;
    if (so >= 0) {
        int saved = errno;

        (void)close(so);
        errno = saved;
    }
    if (ret->dir < 0 || n < 0 || (size_t)n >= sizeof(ret->path)
        || fstat(ret->dir, &st) != 0) {
        int saved = errno;

        pexcz_cache_group_close(ret);
        return pexcz_fail(err, PEXCZ_E_IO, saved, "%s", ret->path);
    }
    if (!is_owner(cache, &st) || (st.st_mode & 022) != 0) {
        pexcz_cache_group_close(ret);
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "%s: not this user's alone", ret->path);
    }
    if (!cache->read_only) {
        note_use(ret->dir, &st);
    }
    return PEXCZ_OK;
}

void
pexcz_cache_group_close(struct pexcz_cache_group *group)
{
    if (group->dir >= 0) {
        (void)close(group->dir);
    }
    group->dir = -1;
}

/* --- files that are there ----------------------------------------------- */

/* File systems that keep whole seconds show 0. */
static bool
looks_right(const struct pexcz_cache *cache,
            const struct pexcz_cache_file *file, const struct stat *st)
{
    return S_ISREG(st->st_mode) && is_owner(cache, st)
           && (st->st_mode & 022) == 0 && (uint64_t)st->st_size == file->size
           && (st->st_mtim.tv_nsec == 0
               || st->st_mtim.tv_nsec == pexcz_cache_stamp(file->hash));
}

bool
pexcz_cache_has(const struct pexcz_cache_group *group,
                const struct pexcz_cache_file *file)
{
    struct stat st;

    return fstatat(group->dir, file->path, &st, AT_SYMLINK_NOFOLLOW) == 0
           && looks_right(group->cache, file, &st);
}

bool
pexcz_cache_matches(const struct pexcz_cache_group *group,
                    const struct pexcz_cache_file *file)
{
    int fd = openat(group->dir, file->path,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    uint8_t *chunk = malloc(READ_SIZE);
    XXH3_state_t state;
    struct stat st;
    bool same = false;

    (void)XXH3_64bits_reset(&state);
    if (fd >= 0 && chunk != NULL && fstat(fd, &st) == 0
        && looks_right(group->cache, file, &st)) {
        ssize_t n;

        while ((n = read(fd, chunk, READ_SIZE)) > 0
               || (n < 0 && errno == EINTR)) {
            (void)XXH3_64bits_update(&state, chunk, n > 0 ? (size_t)n : 0);
        }
        same = n == 0 && XXH3_64bits_digest(&state) == file->hash;
    }
    free(chunk);
    if (fd >= 0) {
        (void)close(fd);
    }
    return same;
}

void
pexcz_cache_drop(const struct pexcz_cache_group *group,
                 const struct pexcz_cache_file *file)
{
    (void)unlinkat(group->dir, file->path, 0);
}

/* --- files that are made ------------------------------------------------ */

/* A file on its way into the cache. */
struct making {
    const struct pexcz_cache_group *group;
    const struct pexcz_cache_file *file;
    int dir;
    const char *name; /* in dir */
    char temp[NAME_MAX + 1];
    int fd; /* of temp, locked */
};

/* The folder of the file, whose last component becomes m->name. */
static bool
enter_parents(struct making *m)
{
    const char *path = m->file->path;
    const char *slash;

    m->dir = fcntl(m->group->dir, F_DUPFD_CLOEXEC, 3);
    while (m->dir >= 0 && (slash = strchr(path, '/')) != NULL) {
        char name[NAME_MAX + 1];
        int next;
        int saved;

        if ((size_t)(slash - path) >= sizeof(name)) {
            errno = ENAMETOOLONG;
            return false;
        }
        memcpy(name, path, (size_t)(slash - path));
        name[slash - path] = '\0';
        next = enter(m->group->cache, m->dir, name);
        saved = errno;
        (void)close(m->dir);
        errno = saved;
        m->dir = next;
        path = slash + 1;
    }
    m->name = path;
    return m->dir >= 0;
}

static bool
is_still_temp(const struct making *m)
{
    struct stat mine;
    struct stat st;

    return fstat(m->fd, &mine) == 0
           && fstatat(m->dir, m->temp, &st, AT_SYMLINK_NOFOLLOW) == 0
           && mine.st_ino == st.st_ino && mine.st_dev == st.st_dev;
}

/* The temporary file; what else has its name is removed. */
static bool
open_temp(struct making *m)
{
    const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    struct stat st;

    for (unsigned int i = 0; i < 2; i++) {
        m->fd = openat(m->dir, m->temp, flags, 0600);
        if (m->fd >= 0) {
            if (fstat(m->fd, &st) == 0 && S_ISREG(st.st_mode)
                && st.st_uid == geteuid() && st.st_nlink <= 1) {
                return true;
            }
            (void)close(m->fd);
            m->fd = -1;
            errno = EEXIST;
        }
        if (errno != ELOOP && errno != EEXIST && errno != ENXIO
            && errno != EISDIR && errno != EACCES) {
            return false;
        }
        if (unlinkat(m->dir, m->temp, 0) != 0
            && unlinkat(m->dir, m->temp, AT_REMOVEDIR) != 0) {
            return false;
        }
    }
    return false;
}

/* True: the lock is ours.  False, errno EWOULDBLOCK: whoever has it stands
 * still. */
static bool
wait_for_lock(const struct making *m)
{
    const struct timespec pause = {.tv_nsec = POLL_NANOSECONDS};
    off_t last = -1;

    for (unsigned int idle = 0; idle < MAX_IDLE_POLLS; idle++) {
        struct stat st;

        if (flock(m->fd, LOCK_EX | LOCK_NB) == 0) {
            return true;
        }
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return false;
        }
        if (fstat(m->fd, &st) == 0 && st.st_size != last) {
            last = st.st_size;
            idle = 0;
        }
        (void)nanosleep(&pause, NULL);
    }
    errno = EWOULDBLOCK;
    return false;
}

/* Some mounts and security modules allow files but no programs in them. */
static bool
can_be_mapped(int fd)
{
    void *p = mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

    if (p == MAP_FAILED) {
        return false;
    }
    (void)munmap(p, 1);
    return true;
}

/* Not only over a file: what stands at the final name must go. */
static bool
put_in_place(const struct making *m)
{
    if (renameat(m->dir, m->temp, m->dir, m->name) == 0) {
        return true;
    }
    return errno == EISDIR && unlinkat(m->dir, m->name, AT_REMOVEDIR) == 0
           && renameat(m->dir, m->temp, m->dir, m->name) == 0;
}

static int
write_file(const struct making *m, pexcz_cache_writer writer, void *context,
           struct pexcz_error *err)
{
    struct timespec times[2] = {
        {.tv_nsec = UTIME_NOW},
        {.tv_sec = time(NULL), .tv_nsec = pexcz_cache_stamp(m->file->hash)},
    };
    int rc = PEXCZ_OK;

    if (ftruncate(m->fd, 0) != 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s/%s", m->group->path,
                          m->file->path);
    }
    rc = writer(context, m->fd, err);
    if (rc == PEXCZ_OK && !can_be_mapped(m->fd)) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, errno,
                          "%s: programs cannot be mapped", m->group->path);
    }
    if (rc == PEXCZ_OK
        && (fchmod(m->fd, m->group->cache->for_all ? 0555 : 0500) != 0
            || fsync(m->fd) != 0 || futimens(m->fd, times) != 0
            || !put_in_place(m))) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s/%s", m->group->path,
                          m->file->path);
    }
    return rc;
}

/* One attempt; *ret_again when another process was quicker to lock. */
static int
try_make(struct making *m, pexcz_cache_writer writer, void *context,
         bool *ret_again, struct pexcz_error *err)
{
    int rc = PEXCZ_OK;

    *ret_again = false;
    if (!open_temp(m) || !wait_for_lock(m)) {
        rc = pexcz_fail(err, PEXCZ_E_IO, errno, "%s/%s", m->group->path,
                        m->file->path);
        /* Without locks nobody writes to it. */
        if (m->fd >= 0 && err->sys_errno != EWOULDBLOCK) {
            (void)unlinkat(m->dir, m->temp, 0);
        }
    }
    else if (!is_still_temp(m)) {
        *ret_again = true;
    }
    else if (pexcz_cache_has(m->group, m->file)) {
        (void)unlinkat(m->dir, m->temp, 0);
    }
    else {
        rc = write_file(m, writer, context, err);
        if (rc < 0) {
            (void)unlinkat(m->dir, m->temp, 0);
        }
    }
    if (m->fd >= 0) {
        (void)close(m->fd);
        m->fd = -1;
    }
    return rc;
}

int
pexcz_cache_fill(const struct pexcz_cache_group *group,
                 const struct pexcz_cache_file *file,
                 pexcz_cache_writer writer, void *context,
                 struct pexcz_error *err)
{
    struct making m = {.group = group, .file = file, .dir = -1, .fd = -1};
    bool again = true;
    int rc = PEXCZ_OK;

    if (group->cache->read_only || !enter_parents(&m)) {
        rc = pexcz_fail(err, PEXCZ_E_IO,
                        group->cache->read_only ? EROFS : errno, "%s/%s",
                        group->path, file->path);
    }
    else if ((size_t)snprintf(m.temp, sizeof(m.temp), "%s%s", PEXCZ_CACHE_TEMP,
                              m.name)
             >= sizeof(m.temp)) {
        rc = pexcz_fail(err, PEXCZ_E_IO, ENAMETOOLONG, "%s", file->path);
    }
    for (unsigned int i = 0; rc == PEXCZ_OK && again && i < MAX_ATTEMPTS
                             && !pexcz_cache_has(group, file);
         i++) {
        rc = try_make(&m, writer, context, &again, err);
    }
    if (m.dir >= 0) {
        (void)close(m.dir);
    }
    if (rc == PEXCZ_OK && !pexcz_cache_has(group, file)) {
        rc = pexcz_fail(err, PEXCZ_E_IO, 0, "%s/%s: changed by others",
                        group->path, file->path);
    }
    return rc;
}
