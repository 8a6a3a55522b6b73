/* SPDX-License-Identifier: Apache-2.0 */
#include "cache_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define GROUP_NAME_SIZE 32u
#define GONE ".gone-" /* how names of groups begin that are removed */
#define MAX_REMOVALS 100u
#define READ_SIZE ((size_t)256 << 10)

/* One file or folder on the way. */
struct visit {
    int dir;
    const char *name;
    const char *path; /* below the cache's folder */
    const struct stat *st;
    bool leave; /* a folder, after what is in it */
};

typedef void visit_fn(void *context, const struct visit *visit);

static void
walk(int dir, char path[PATH_MAX], visit_fn *fn, void *context)
{
    size_t len = strlen(path);
    DIR *stream = fdopendir(dir);
    const struct dirent *e;

    if (stream == NULL) {
        (void)close(dir);
        return;
    }
    while ((e = readdir(stream)) != NULL) {
        struct stat st;
        struct visit v = {dirfd(stream), e->d_name, path, &st, false};

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0
            || fstatat(v.dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0
            || (size_t)snprintf(path + len, PATH_MAX - len, "/%s", e->d_name)
                   >= PATH_MAX - len) {
            continue;
        }
        if (S_ISDIR(st.st_mode)) {
            int below = openat(v.dir, e->d_name, OPEN_DIR);

            if (below >= 0) {
                walk(below, path, fn, context);
                v.leave = true;
            }
        }
        fn(context, &v);
        path[len] = '\0';
    }
    (void)closedir(stream);
}

static int
open_cache(const struct pexcz_cache *cache, struct pexcz_error *err)
{
    int fd = open(cache->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        (void)pexcz_fail(err, PEXCZ_E_IO, errno, "%s", cache->path);
    }
    return fd;
}

/* --- what there is ------------------------------------------------------ */

static void
measure(void *context, const struct visit *v)
{
    static const char site[] = "/site-packages/";
    struct pexcz_cache_use *use = context;
    const char *at = strstr(v->path, site);

    if (!S_ISREG(v->st->st_mode)) {
        return;
    }
    use->files++;
    use->bytes += (uint64_t)v->st->st_size;
    if (at != NULL) {
        size_t len;

        at += strlen(site);
        len = strcspn(at, "/");
        /* The shortest tells most: numpy, not numpy.libs. */
        if (len < sizeof(use->first)
            && (use->first[0] == '\0' || len < strlen(use->first))) {
            memcpy(use->first, at, len);
            use->first[len] = '\0';
        }
    }
}

static bool
is_group_name(const char *name)
{
    return strlen(name) == GROUP_NAME_SIZE
           && strspn(name, "0123456789abcdef") == GROUP_NAME_SIZE;
}

static int
compare_uses(const void *pa, const void *pb)
{
    const struct pexcz_cache_use *a = pa;
    const struct pexcz_cache_use *b = pb;

    if (a->last != b->last) {
        return a->last > b->last ? -1 : 1;
    }
    return strcmp(a->name, b->name);
}

static bool
read_use(int so, const char *name, struct pexcz_cache_use *ret)
{
    char path[PATH_MAX] = "";
    struct stat st;
    int fd = openat(so, name, OPEN_DIR);

    if (fd < 0 || fstat(fd, &st) != 0) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return false;
    }
    *ret = (struct pexcz_cache_use){.last = st.st_mtime};
    memcpy(ret->name, name, GROUP_NAME_SIZE + 1);
    walk(fd, path, measure, ret);
    return true;
}

int
pexcz_cache_list(const struct pexcz_cache *cache, struct pexcz_cache_use **ret,
                 size_t *ret_count, struct pexcz_error *err)
{
    struct pexcz_cache_use *uses = NULL;
    size_t count = 0;
    const struct dirent *e;
    int fd = open_cache(cache, err);
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;

    if (stream == NULL) {
        return PEXCZ_E_IO;
    }
    while ((e = readdir(stream)) != NULL) {
        struct pexcz_cache_use *grown;

        if (!is_group_name(e->d_name)) {
            continue;
        }
        grown = realloc(uses, (count + 1) * sizeof(*uses));
        if (grown == NULL) {
            free(uses);
            (void)closedir(stream);
            return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
        }
        uses = grown;
        count += read_use(dirfd(stream), e->d_name, &uses[count]);
    }
    (void)closedir(stream);
    if (count > 1) {
        qsort(uses, count, sizeof(*uses), compare_uses);
    }
    *ret = uses;
    *ret_count = count;
    return PEXCZ_OK;
}

/* --- removing ----------------------------------------------------------- */

static void
remove_one(void *context, const struct visit *v)
{
    (void)context;
    (void)unlinkat(v->dir, v->name, v->leave ? AT_REMOVEDIR : 0);
}

/* A program that was about to put a file there may still do so. */
static int
remove_folder(int so, const char *name)
{
    for (unsigned int i = 0;; i++) {
        char path[PATH_MAX] = "";
        int fd = openat(so, name, OPEN_DIR);

        if (fd >= 0) {
            walk(fd, path, remove_one, NULL);
        }
        if (unlinkat(so, name, AT_REMOVEDIR) == 0) {
            return 0;
        }
        if (errno != ENOTEMPTY || i == MAX_REMOVALS) {
            return -1;
        }
    }
}

/* Under another name first: whoever fills the group meanwhile does so in a new
 * folder, and a program that has the path finds all of it gone, not a part. */
int
pexcz_cache_remove(const struct pexcz_cache *cache, const char *name,
                   struct pexcz_error *err)
{
    char gone[NAME_MAX + 1];
    int so = open_cache(cache, err);
    int rc = PEXCZ_OK;

    if (so < 0) {
        return PEXCZ_E_IO;
    }
    (void)snprintf(gone, sizeof(gone), "%s%ld-%s", GONE, (long)getpid(), name);
    if ((renameat(so, name, so, gone) != 0 || remove_folder(so, gone) != 0)
        && errno != ENOENT) {
        rc = pexcz_fail(err, PEXCZ_E_IO, errno, "%s/%s", cache->path, name);
    }
    (void)close(so);
    return rc;
}

static bool
is_temp(const struct visit *v)
{
    return S_ISREG(v->st->st_mode)
           && strncmp(v->name, PEXCZ_CACHE_TEMP, strlen(PEXCZ_CACHE_TEMP))
                  == 0;
}

/* Whoever writes one holds its lock. */
static void
sweep_one(void *context, const struct visit *v)
{
    int fd;

    (void)context;
    if (!is_temp(v)) {
        return;
    }
    fd = openat(v->dir, v->name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        (void)unlinkat(v->dir, v->name, 0);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

/* What a prune that was killed left. */
static void
remove_gone(int so)
{
    int copy = fcntl(so, F_DUPFD_CLOEXEC, 3);
    DIR *stream = copy >= 0 ? fdopendir(copy) : NULL;
    const struct dirent *e;

    while (stream != NULL && (e = readdir(stream)) != NULL) {
        if (strncmp(e->d_name, GONE, strlen(GONE)) == 0) {
            (void)remove_folder(so, e->d_name);
        }
    }
    if (stream != NULL) {
        rewinddir(stream); /* `so` shares its position */
        (void)closedir(stream);
    }
}

void
pexcz_cache_sweep(const struct pexcz_cache *cache)
{
    char path[PATH_MAX] = "";
    struct pexcz_error err;
    int so = open_cache(cache, &err);

    if (so >= 0) {
        remove_gone(so);
        walk(so, path, sweep_one, NULL);
    }
}

/* --- verifying ---------------------------------------------------------- */

struct verifying {
    void (*bad)(void *context, const char *path);
    void *context;
    uint8_t *chunk;
    size_t files;
};

static bool
has_stamp(struct verifying *v, int fd, const struct stat *st)
{
    XXH3_state_t state;
    ssize_t n;

    (void)XXH3_64bits_reset(&state);
    while ((n = read(fd, v->chunk, READ_SIZE)) > 0
           || (n < 0 && errno == EINTR)) {
        (void)XXH3_64bits_update(&state, v->chunk, n > 0 ? (size_t)n : 0);
    }
    return n == 0
           && (st->st_mtim.tv_nsec == 0
               || pexcz_cache_stamp(XXH3_64bits_digest(&state))
                      == st->st_mtim.tv_nsec);
}

static void
verify_one(void *context, const struct visit *visit)
{
    struct verifying *v = context;
    int fd;

    if (visit->leave || is_temp(visit)) {
        return;
    }
    fd = openat(visit->dir, visit->name,
                O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    v->files++;
    if (!S_ISREG(visit->st->st_mode) || fd < 0
        || !has_stamp(v, fd, visit->st)) {
        (void)unlinkat(visit->dir, visit->name, 0);
        v->bad(v->context, visit->path + 1);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

int
pexcz_cache_verify(const struct pexcz_cache *cache,
                   void (*bad)(void *context, const char *path), void *context,
                   size_t *ret_files, struct pexcz_error *err)
{
    struct verifying v = {bad, context, malloc(READ_SIZE), 0};
    char path[PATH_MAX] = "";
    int so = open_cache(cache, err);

    if (so < 0 || v.chunk == NULL) {
        free(v.chunk);
        if (so >= 0) {
            (void)close(so);
        }
        return so < 0 ? PEXCZ_E_IO
                      : pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    walk(so, path, verify_one, &v);
    free(v.chunk);
    *ret_files = v.files;
    return PEXCZ_OK;
}
