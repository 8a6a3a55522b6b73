/* SPDX-License-Identifier: Apache-2.0 */
/* Which folder is the cache, and whether it can be trusted. */
#include "cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* What a user namespace shows for users that it does not map. */
#define OVERFLOW_UID 65534u

struct place {
    const char *variable;
    const char *tail; /* below the variable's value; created */
    bool own_folder;  /* the value's last component may be created, too */
    bool final;       /* no other place is tried when it is set */
};

static const struct place places[] = {
    {"PEXCZ_CACHE", "/so", true, true},
    {"XDG_CACHE_HOME", "/pexcz/so", true, false},
    {"HOME", "/.cache/pexcz/so", false, false},
};

/* Not getenv(): while a snapshot is made, the runtime takes note of what
 * modules ask for. */
static const char *
variable(const char *name)
{
    size_t len = strlen(name);

    for (char **e = environ; e != NULL && *e != NULL; e++) {
        if (strncmp(*e, name, len) == 0 && (*e)[len] == '=') {
            return *e + len + 1;
        }
    }
    return NULL;
}

/* In a user namespace without a mapping everybody looks like this user. */
static bool
is_nobody_in_particular(void)
{
    char byte;
    ssize_t n;
    int fd;

    if (geteuid() != OVERFLOW_UID) {
        return false;
    }
    fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
    n = fd >= 0 ? read(fd, &byte, 1) : -1;
    if (fd >= 0) {
        (void)close(fd);
    }
    return n != 1;
}

static bool
is_trusted_owner(const struct stat *st)
{
    return st->st_uid == 0 || st->st_uid == geteuid();
}

/* Whether nobody else can replace `path`: not by its own owner, nor in the
 * folder itself when it is one that all may write to. */
static int
check_component(const char *path, struct pexcz_error *err)
{
    struct stat st;

    if (lstat(path, &st) != 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s", path);
    }
    if (S_ISLNK(st.st_mode)
        && (!is_trusted_owner(&st) || stat(path, &st) != 0)) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "%s: a link of another user, or to nowhere", path);
    }
    if (!S_ISDIR(st.st_mode)) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0, "%s: not a folder",
                          path);
    }
    if (!is_trusted_owner(&st)
        || ((st.st_mode & S_IWOTH) != 0 && (st.st_mode & S_ISVTX) == 0)) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "%s: others can change what is in it", path);
    }
    return PEXCZ_OK;
}

/* Whatever the umask. */
static int
make_folder(const char *path, struct pexcz_error *err)
{
    if (mkdir(path, 0700) == 0) {
        (void)chmod(path, 0700);
        return PEXCZ_OK;
    }
    return errno == EEXIST ? PEXCZ_OK
                           : pexcz_fail(err, PEXCZ_E_IO, errno, "%s", path);
}

/* Each component of an absolute path, from the root on; what begins at `own`
 * is created if that is wanted. */
static int
walk(char *path, size_t own, bool create, struct pexcz_error *err)
{
    int rc = check_component("/", err);

    for (size_t at = 1; rc == PEXCZ_OK && path[at - 1] != '\0';) {
        size_t end = at + strcspn(path + at, "/");
        char saved = path[end];

        path[end] = '\0';
        if (end > at && create && at > own) {
            rc = make_folder(path, err);
        }
        if (rc == PEXCZ_OK && end > at) {
            rc = check_component(path, err);
        }
        path[end] = saved;
        at = end + 1;
    }
    return rc;
}

static int
check_folder(const char *path, struct pexcz_error *err)
{
    struct stat st;
    struct statvfs fs;

    if (stat(path, &st) != 0 || statvfs(path, &fs) != 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s", path);
    }
    if (st.st_uid != geteuid() || (st.st_mode & 022) != 0) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "%s: not this user's alone", path);
    }
    if ((fs.f_flag & ST_NOEXEC) != 0) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0, "%s: mounted noexec",
                          path);
    }
    return PEXCZ_OK;
}

/* With HOME=/ there is no home. */
static int
try_place(const struct place *place, const char *value, bool create,
          struct pexcz_cache *ret, struct pexcz_error *err)
{
    size_t len = strlen(value);
    size_t own;
    int n;
    int rc;

    while (len > 1 && value[len - 1] == '/') {
        len--;
    }
    if (value[0] != '/' || len == 1) {
        return pexcz_fail(err, PEXCZ_E_NOT_FOUND, 0,
                          "$%s is no absolute path of a folder",
                          place->variable);
    }
    n = snprintf(ret->path, sizeof(ret->path), "%.*s%s", (int)len, value,
                 place->tail);
    /* Names of groups and files follow. */
    if (n < 0 || (size_t)n > sizeof(ret->path) / 4) {
        return pexcz_fail(err, PEXCZ_E_TOO_BIG, 0, "$%s is too long",
                          place->variable);
    }
    own = len;
    while (place->own_folder && own > 0 && ret->path[own - 1] != '/') {
        own--;
    }
    rc = walk(ret->path, own > 0 ? own - 1 : 0, create, err);
    return rc == PEXCZ_OK ? check_folder(ret->path, err) : rc;
}

int
pexcz_cache_find(bool create, struct pexcz_cache *ret, struct pexcz_error *err)
{
    int rc = pexcz_fail(err, PEXCZ_E_NOT_FOUND, 0,
                        "no variable names a folder for it");

    if (getauxval(AT_SECURE) != 0) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "a set-uid process uses none");
    }
    if (is_nobody_in_particular()) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "this user has no identity here");
    }
    ret->owner = geteuid();
    ret->read_only = !create;
    ret->for_all = false;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        const char *value = variable(places[i].variable);

        if (value == NULL || value[0] == '\0') {
            continue;
        }
        rc = try_place(&places[i], value, create, ret, err);
        if (rc == PEXCZ_OK || places[i].final) {
            break;
        }
    }
    return rc;
}

int
pexcz_cache_adjacent(const char *executable, struct pexcz_cache *ret,
                     struct pexcz_error *err)
{
    struct stat exe;
    struct stat st;
    int n = snprintf(ret->path, sizeof(ret->path), "%s.files/so", executable);

    if (getauxval(AT_SECURE) != 0 || n < 0
        || (size_t)n > sizeof(ret->path) / 4) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0, "no folder beside it");
    }
    if (stat(executable, &exe) != 0 || stat(ret->path, &st) != 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s", ret->path);
    }
    if ((st.st_uid != exe.st_uid && st.st_uid != 0) || (st.st_mode & 02) != 0
        || !S_ISDIR(st.st_mode)) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "%s: not of the executable's owner", ret->path);
    }
    ret->owner = st.st_uid;
    ret->read_only = true;
    return PEXCZ_OK;
}
