/* SPDX-License-Identifier: Apache-2.0 */
#include "find_base.h"

#include "elf_file.h"

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
    const char *machine; /* NULL: this one */
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

/* What a base's name says. */
struct base_name {
    int major;
    int minor;
    char python[PEXCZ_PYTHON_NAME_MAX]; /* "3.11" */
    const char *machine;                /* in the name; NULL: this one */
};

/* False when it is no base's name. */
static bool
read_name(const char *name, struct base_name *ret)
{
    const char *version = name + sizeof(NAME_PREFIX) - 1;
    int end = 0;

    if (strncmp(name, NAME_PREFIX, sizeof(NAME_PREFIX) - 1) != 0
        || sscanf(version, "%2d.%3d%n", &ret->major, &ret->minor, &end) != 2) {
        return false;
    }
    (void)snprintf(ret->python, sizeof(ret->python), "%.*s", end, version);
    ret->machine = version[end] == '-' ? version + end + 1 : NULL;
    return version[end] == '\0'
           || (ret->machine != NULL
               && pexcz_elf_machine(ret->machine) != EM_NONE);
}

static bool
is_same_machine(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
is_older(int major, int minor, int than_major, int than_minor)
{
    return major < than_major || (major == than_major && minor < than_minor);
}

static void
consider(struct found *f, const char *name, const char *python)
{
    size_t used = strlen(f->list);
    struct base_name base;

    if (!read_name(name, &base)) {
        return;
    }
    (void)snprintf(f->list + used, sizeof(f->list) - used, "%s%s%s%s",
                   used != 0 ? ", " : "", base.python,
                   base.machine != NULL ? " for " : "",
                   base.machine != NULL ? base.machine : "");
    if (!is_same_machine(base.machine, f->machine)
        || (python != NULL
                ? strcmp(python, base.python) != 0
                : (f->any
                   && is_older(base.major, base.minor, f->major, f->minor))
                      || (f->max_major != 0
                          && !is_older(base.major, base.minor, f->max_major,
                                       f->max_minor)))) {
        return;
    }
    f->any = true;
    f->major = base.major;
    f->minor = base.minor;
    (void)snprintf(f->name, sizeof(f->name), "%s", name);
}

int
pexcz_find_base(const char *python, const char *machine,
                const char *older_than, struct pexcz_buf *ret,
                struct pexcz_error *err)
{
    char dir[PATH_MAX];
    struct found f = {0};
    struct base_name older;
    const char *slash = older_than != NULL ? strrchr(older_than, '/') : NULL;
    const struct dirent *entry;
    DIR *stream;
    int rc = base_dir(dir, err);

    if (machine != NULL
        && strcmp(machine, pexcz_elf_machine_name(pexcz_elf_own_machine()))
               != 0) {
        f.machine = machine;
    }
    if (slash != NULL && read_name(slash + 1, &older)) {
        f.max_major = older.major;
        f.max_minor = older.minor;
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
        return pexcz_fail(err, PEXCZ_E_NOT_FOUND, 0,
                          "%s: no base%s%s%s%s; installed: %s", dir,
                          python != NULL ? " for Python " : "",
                          python != NULL ? python : "",
                          f.machine == NULL ? ""
                          : python != NULL  ? " on "
                                            : " for ",
                          f.machine != NULL ? f.machine : "",
                          f.list[0] != '\0' ? f.list : "none");
    }
    rc = pexcz_buf_printf(ret, err, "%s/%s", dir, f.name);
    return rc == PEXCZ_OK ? pexcz_buf_append(ret, "", 1, err) : rc;
}
