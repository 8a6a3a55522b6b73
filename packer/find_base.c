/* SPDX-License-Identifier: Apache-2.0 */
#include "find_base.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME_PREFIX "base-"

struct found {
    int max_major; /* below this version; 0: any */
    int max_minor;
    int major;
    int minor;
    bool any;
    char name[NAME_MAX + 1];
    char list[512]; /* versions there are, for the message */
};

/* PREFIX/lib/pexcz for a program at PREFIX/bin/NAME. */
static int
base_dir(char ret[PATH_MAX], struct pexcz_error *err)
{
    ssize_t n = readlink("/proc/self/exe", ret, PATH_MAX - 1);
    char *slash;

    if (n < 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno,
                          "cannot find the folder of this program: "
                          "/proc/self/exe");
    }
    ret[n] = '\0';
    for (int i = 0; i < 2; i++) {
        slash = strrchr(ret, '/');
        if (slash != NULL) {
            *slash = '\0';
        }
    }
    if (strlen(ret) + sizeof("/lib/pexcz") > PATH_MAX) {
        return pexcz_fail(err, PEXCZ_E_TOO_BIG, 0, "%s: path too long", ret);
    }
    (void)strcat(ret, "/lib/pexcz");
    return PEXCZ_OK;
}

/* The version in a base's name; false when it is none. */
static bool
read_name(const char *name, int *ret_major, int *ret_minor)
{
    const char *version = name + sizeof(NAME_PREFIX) - 1;
    int end = 0;

    return strncmp(name, NAME_PREFIX, sizeof(NAME_PREFIX) - 1) == 0
           && sscanf(version, "%2d.%3d%n", ret_major, ret_minor, &end) == 2
           && version[end] == '\0';
}

static bool
is_older(int major, int minor, int than_major, int than_minor)
{
    return major < than_major || (major == than_major && minor < than_minor);
}

static void
consider(struct found *f, const char *name, const char *python)
{
    const char *version = name + sizeof(NAME_PREFIX) - 1;
    size_t used = strlen(f->list);
    int major;
    int minor;

    if (!read_name(name, &major, &minor)) {
        return;
    }
    (void)snprintf(f->list + used, sizeof(f->list) - used, "%s%s",
                   used != 0 ? ", " : "", version);
    if (python != NULL ? strcmp(python, version) != 0
                       : (f->any && is_older(major, minor, f->major, f->minor))
                             || (f->max_major != 0
                                 && !is_older(major, minor, f->max_major,
                                              f->max_minor))) {
        return;
    }
    f->any = true;
    f->major = major;
    f->minor = minor;
    (void)snprintf(f->name, sizeof(f->name), "%s", name);
}

int
pexcz_find_base(const char *python, const char *older_than,
                struct pexcz_buf *ret, struct pexcz_error *err)
{
    char dir[PATH_MAX];
    struct found f = {0};
    const char *slash = older_than != NULL ? strrchr(older_than, '/') : NULL;
    const struct dirent *entry;
    DIR *stream;
    int rc = base_dir(dir, err);

    if (slash != NULL && !read_name(slash + 1, &f.max_major, &f.max_minor)) {
        f.max_major = 0;
    }
    if (rc < 0) {
        return rc;
    }
    stream = opendir(dir);
    if (stream == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOT_FOUND, errno,
                          "%s: no folder with bases beside this program", dir);
    }
    while ((entry = readdir(stream)) != NULL) {
        consider(&f, entry->d_name, python);
    }
    (void)closedir(stream);
    if (!f.any) {
        return pexcz_fail(
            err, PEXCZ_E_NOT_FOUND, 0, "%s: no base%s%s; installed: %s", dir,
            python != NULL ? " for Python " : "", python != NULL ? python : "",
            f.list[0] != '\0' ? f.list : "none");
    }
    rc = pexcz_buf_printf(ret, err, "%s/%s", dir, f.name);
    return rc == PEXCZ_OK ? pexcz_buf_append(ret, "", 1, err) : rc;
}
