/* SPDX-License-Identifier: Apache-2.0 */
#include "cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/* The root's path; false when the environment names none. */
static bool
root_path(char *ret, size_t cap)
{
    static const struct {
        const char *variable;
        const char *tail;
    } places[] = {
        {"PEXCZ_CACHE", ""},
        {"XDG_CACHE_HOME", "/pexcz"},
        {"HOME", "/.cache/pexcz"},
    };

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        const char *value = getenv(places[i].variable);

        if (value != NULL && value[0] == '/') {
            int n = snprintf(ret, cap, "%s%s", value, places[i].tail);

            return n > 0 && (size_t)n < cap;
        }
    }
    return false;
}

/* Creates the folders of an absolute path that are missing, each 0700. */
static int
make_dirs(char *path)
{
    for (char *slash = strchr(path + 1, '/');;
         slash = strchr(slash + 1, '/')) {
        int failed;

        if (slash != NULL) {
            *slash = '\0';
        }
        failed = mkdir(path, 0700) != 0 && errno != EEXIST;
        if (slash != NULL) {
            *slash = '/';
        }
        if (failed && (slash == NULL || errno != EACCES)) {
            return -1;
        }
        if (slash == NULL) {
            return 0;
        }
    }
}

/* The folder `name` below `parent`, made if it is missing. */
static int
enter(int parent, const char *name)
{
    if (mkdirat(parent, name, 0700) != 0 && errno != EEXIST) {
        return -1;
    }
    return openat(parent, name, OPEN_DIR | O_NOFOLLOW);
}

/* Owned, nobody else may write, and programs may be mapped from it. */
static int
check_root(int dir, const char *path, struct pexcz_error *err)
{
    struct stat st;
    struct statvfs fs;

    if (fstat(dir, &st) != 0 || fstatvfs(dir, &fs) != 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s", path);
    }
    if (st.st_uid != geteuid() || (st.st_mode & 022) != 0) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "%s: not only this user's", path);
    }
    if ((fs.f_flag & (ST_RDONLY | ST_NOEXEC)) != 0) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "%s: mounted read-only or noexec", path);
    }
    return PEXCZ_OK;
}

int
pexcz_cache_open(struct pexcz_cache *cache, const uint8_t id[16],
                 struct pexcz_error *err)
{
    char name[33];
    size_t len;
    int root;
    int so;
    int rc;

    cache->dir = -1;
    if (getauxval(AT_SECURE) != 0
        || !root_path(cache->path, sizeof(cache->path) - 64)) {
        return pexcz_fail(err, PEXCZ_E_NOT_FOUND, 0, "no cache folder");
    }
    if (make_dirs(cache->path) < 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s", cache->path);
    }
    root = open(cache->path, OPEN_DIR);
    if (root < 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s", cache->path);
    }
    rc = check_root(root, cache->path, err);
    if (rc < 0) {
        (void)close(root);
        return rc;
    }
    for (size_t i = 0; i < 16; i++) {
        (void)snprintf(name + 2 * i, 3, "%02x", id[i]);
    }
    so = enter(root, "so");
    cache->dir = so >= 0 ? enter(so, name) : -1;
    if (cache->dir < 0) {
        rc = pexcz_fail(err, PEXCZ_E_IO, errno, "%s", cache->path);
    }
    if (so >= 0) {
        (void)close(so);
    }
    (void)close(root);
    len = strlen(cache->path);
    (void)snprintf(cache->path + len, sizeof(cache->path) - len, "/so/%s",
                   name);
    return rc;
}

/* The folder of `path`, whose last component becomes *ret_name. */
static int
enter_parents(const struct pexcz_cache *cache, const char *path,
              const char **ret_name)
{
    int dir = dup(cache->dir);
    const char *slash;

    while (dir >= 0 && (slash = strchr(path, '/')) != NULL) {
        char name[256];
        int next;

        if ((size_t)(slash - path) >= sizeof(name)) {
            (void)close(dir);
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(name, path, (size_t)(slash - path));
        name[slash - path] = '\0';
        next = enter(dir, name);
        (void)close(dir);
        dir = next;
        path = slash + 1;
    }
    *ret_name = path;
    return dir;
}

static bool
is_complete(int dir, const char *name, size_t size)
{
    struct stat st;

    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0
           && S_ISREG(st.st_mode) && st.st_uid == geteuid()
           && (uint64_t)st.st_size == size && (st.st_mode & 022) == 0;
}

static bool
write_all(int fd, struct pexcz_slice content)
{
    while (content.len != 0) {
        ssize_t n = write(fd, content.ptr, content.len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        content = pexcz_slice_make(content.ptr + n, content.len - (size_t)n);
    }
    return true;
}

static int
fill(int dir, const char *name, struct pexcz_slice content)
{
    char temp[64];
    int fd;
    bool ok;

    (void)snprintf(temp, sizeof(temp), ".tmp-%ld", (long)getpid());
    (void)unlinkat(dir, temp, 0);
    fd = openat(dir, temp,
                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0700);
    if (fd < 0) {
        return -1;
    }
    ok = write_all(fd, content) && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    if (!ok || renameat(dir, temp, dir, name) != 0) {
        int saved = errno;

        (void)unlinkat(dir, temp, 0);
        errno = saved;
        return -1;
    }
    return 0;
}

int
pexcz_cache_put(const struct pexcz_cache *cache, const char *path,
                struct pexcz_slice content, struct pexcz_error *err)
{
    const char *name;
    int dir = enter_parents(cache, path, &name);
    int rc = PEXCZ_OK;

    if (dir < 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s/%s", cache->path, path);
    }
    if (!is_complete(dir, name, content.len) && fill(dir, name, content) < 0) {
        rc = pexcz_fail(err, PEXCZ_E_IO, errno, "%s/%s", cache->path, path);
    }
    (void)close(dir);
    return rc;
}
