/* SPDX-License-Identifier: Apache-2.0 */
#include "out_file.h"

#include "buf.h"
#include "interrupt.h"
#include "utf8.h"
#include "write_at.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMP_ATTEMPTS 100

static int
fail(const struct pexcz_out_file *out, struct pexcz_error *err, int error,
     const char *what)
{
    return pexcz_fail(err, PEXCZ_E_IO, error, "%s: %s", out->shown, what);
}

static int
open_dir(struct pexcz_out_file *out, struct pexcz_error *err)
{
    const char *slash = strrchr(out->path, '/');
    char *dir;

    out->name = slash != NULL ? slash + 1 : out->path;
    if (slash == NULL) {
        out->dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    else {
        size_t n = slash == out->path ? 1 : (size_t)(slash - out->path);

        dir = pexcz_slice_dup(pexcz_slice_make(out->path, n));
        if (dir == NULL) {
            return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
        }
        out->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        free(dir);
    }
    if (out->dir < 0) {
        return fail(out, err, errno, "cannot open the output's folder");
    }
    return PEXCZ_OK;
}

static int
check_target(struct pexcz_out_file *out, struct pexcz_error *err)
{
    struct stat st;

    if (out->name[0] == '\0' || strcmp(out->name, ".") == 0
        || strcmp(out->name, "..") == 0) {
        return fail(out, err, EISDIR, "cannot write");
    }
    if (fstatat(out->dir, out->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno != ENOENT) {
            return fail(out, err, errno, "cannot write");
        }
        return PEXCZ_OK;
    }
    if (S_ISLNK(st.st_mode)) {
        return fail(out, err, 0,
                    "is a symbolic link: remove it, or name its target");
    }
    if (S_ISDIR(st.st_mode)) {
        return fail(out, err, EISDIR, "cannot write");
    }
    if (!S_ISREG(st.st_mode)) {
        return fail(out, err, 0, "exists and is not a regular file");
    }
    if (faccessat(out->dir, out->name, W_OK, AT_EACCESS) < 0) {
        return fail(out, err, errno, "cannot replace");
    }
    return PEXCZ_OK;
}

/* A name that nothing has; made by `make`, which fails with EEXIST when it is
 * taken. */
static int
temp_name(struct pexcz_out_file *out,
          int (*make)(struct pexcz_out_file *out, const char *name))
{
    for (int i = 0; i < TEMP_ATTEMPTS; i++) {
        unsigned int number;
        char *name = NULL;

        if (getrandom(&number, sizeof(number), 0) != sizeof(number)) {
            number = (unsigned int)getpid() * 1000u + (unsigned int)i;
        }
        if (asprintf(&name, ".pexcz-%08x.tmp", number) < 0) {
            errno = ENOMEM;
            return -1;
        }
        pexcz_interrupt_set_temp(out->dir, name);
        if (make(out, name) == 0) {
            out->temp = name;
            return 0;
        }
        pexcz_interrupt_set_temp(-1, NULL);
        free(name);
        if (errno != EEXIST) {
            return -1;
        }
    }
    return -1;
}

static int
make_file(struct pexcz_out_file *out, const char *name)
{
    out->fd = openat(out->dir, name,
                     O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return out->fd < 0 ? -1 : 0;
}

static int
link_as(const struct pexcz_out_file *out, const char *name)
{
    char self[64];

    (void)snprintf(self, sizeof(self), "/proc/self/fd/%d", out->fd);
    return linkat(AT_FDCWD, self, out->dir, name, AT_SYMLINK_FOLLOW);
}

static int
make_link(struct pexcz_out_file *out, const char *name)
{
    return link_as(out, name);
}

static int
open_temp(struct pexcz_out_file *out, struct pexcz_error *err)
{
    /* A nameless file gets its name through /proc. */
    if (access("/proc/self/fd", X_OK) == 0) {
        out->fd = openat(out->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (out->fd >= 0) {
            return PEXCZ_OK;
        }
    }
    if (temp_name(out, make_file) < 0) {
        return fail(out, err, errno, "cannot write to the output's folder");
    }
    return PEXCZ_OK;
}

int
pexcz_out_file_open(struct pexcz_out_file *out, const char *path,
                    struct pexcz_error *err)
{
    int rc;

    *out = (struct pexcz_out_file){.fd = -1, .dir = -1};
    out->path = pexcz_slice_dup(pexcz_slice_str(path));
    if (out->path == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    pexcz_utf8_escape(pexcz_slice_str(path), out->shown, sizeof(out->shown));
    rc = open_dir(out, err);
    if (rc == 0) {
        rc = check_target(out, err);
    }
    if (rc == 0) {
        rc = open_temp(out, err);
    }
    if (rc < 0) {
        pexcz_out_file_close(out);
    }
    return rc;
}

int
pexcz_out_file_differs(const struct pexcz_out_file *out, const char *input,
                       struct pexcz_error *err)
{
    struct stat a;
    struct stat b;

    if (fstatat(out->dir, out->name, &a, AT_SYMLINK_NOFOLLOW) < 0
        || stat(input, &b) < 0) {
        return PEXCZ_OK;
    }
    if (a.st_dev == b.st_dev && a.st_ino == b.st_ino) {
        return pexcz_fail(err, PEXCZ_E_CONFLICT, 0,
                          "%s: the output is the input file", out->shown);
    }
    return PEXCZ_OK;
}

mode_t
pexcz_umask(void)
{
    mode_t mask = umask(0);

    (void)umask(mask);
    return mask;
}

int
pexcz_out_file_commit(struct pexcz_out_file *out, mode_t mode,
                      struct pexcz_error *err)
{
    int rc = PEXCZ_OK;

    if (fchmod(out->fd, mode & ~pexcz_umask()) < 0 || fsync(out->fd) < 0) {
        return fail(out, err, errno, "cannot write");
    }
    /* No signal may come between the temporary name and the rename. */
    pexcz_interrupt_block();
    if (out->temp == NULL && link_as(out, out->name) == 0) {
        goto out;
    }
    if (out->temp == NULL
        && (errno != EEXIST || temp_name(out, make_link) < 0)) {
        rc = fail(out, err, errno, "cannot write");
        goto out;
    }
    rc = check_target(out, err);
    if (rc < 0) {
        goto out;
    }
    if (renameat(out->dir, out->temp, out->dir, out->name) < 0) {
        rc = fail(out, err, errno, "cannot write");
        goto out;
    }
    pexcz_interrupt_set_temp(-1, NULL);
    free(out->temp);
    out->temp = NULL;
out:
    pexcz_interrupt_unblock();
    if (rc == 0) {
        (void)fsync(out->dir);
    }
    return rc;
}

void
pexcz_out_file_close(struct pexcz_out_file *out)
{
    if (out->temp != NULL) {
        (void)unlinkat(out->dir, out->temp, 0);
        pexcz_interrupt_set_temp(-1, NULL);
        free(out->temp);
    }
    if (out->fd >= 0) {
        (void)close(out->fd);
    }
    if (out->dir >= 0) {
        (void)close(out->dir);
    }
    free(out->path);
    *out = (struct pexcz_out_file){.fd = -1, .dir = -1};
}

int
pexcz_out_file_write(const struct pexcz_out_file *out, const void *bytes,
                     size_t size, uint64_t offset, struct pexcz_error *err)
{
    int rc = pexcz_write_at(out->fd, bytes, size, offset, err);

    return rc < 0 ? pexcz_wrap(err, "%s", out->shown) : rc;
}
