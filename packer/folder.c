/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include "utf8.h"
#include "zip_reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Also ends what a link to a folder above it would go on with for ever. */
#define MAX_DEPTH 64

struct listing {
    struct pexcz_arena *arena;
    struct pexcz_error *err;
    size_t root_len; /* of the folder's path and a slash */
    struct pexcz_folder found;
    size_t cap;
    uint64_t total;
};

bool
pexcz_is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* NULL when the name is acceptable, else what is wrong with it. */
static const char *
name_defect(const char *name)
{
    for (const char *p = name; *p != '\0'; p++) {
        if (*p == '\\') {
            return "the name holds a backslash";
        }
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            return "the name holds a control character";
        }
    }
    return pexcz_utf8_valid(pexcz_slice_str(name)) ? NULL
                                                   : "the name is not UTF-8";
}

static int
refuse(struct listing *l, const char *path, const char *why)
{
    char shown[400];

    pexcz_utf8_escape(pexcz_slice_str(path), shown, sizeof(shown));
    return pexcz_fail(l->err, PEXCZ_E_CORRUPT, 0, "%s: %s", shown, why);
}

static int
check_limits(struct listing *l, const char *path, const struct stat *st)
{
    if (strlen(path) - l->root_len > PEXCZ_ZIP_MAX_NAME) {
        return refuse(l, path, "the path is too long");
    }
    if (l->found.count >= PEXCZ_ZIP_MAX_MEMBERS) {
        return refuse(l, path, "the folder holds too many files");
    }
    if (!S_ISREG(st->st_mode)) {
        return PEXCZ_OK;
    }
    l->total += (uint64_t)st->st_size;
    if ((uint64_t)st->st_size > PEXCZ_ZIP_MAX_MEMBER_SIZE
        || l->total > PEXCZ_ZIP_MAX_TOTAL_SIZE) {
        return refuse(l, path, "more bytes than can be packed");
    }
    return PEXCZ_OK;
}

static int
add(struct listing *l, const char *path, const struct stat *st)
{
    void *items = l->found.items;
    int rc = check_limits(l, path, st);

    if (rc == PEXCZ_OK) {
        rc = pexcz_arena_grow(l->arena, &items, l->found.count, &l->cap,
                              sizeof(*l->found.items), l->err);
    }
    if (rc < 0) {
        return rc;
    }
    l->found.items = items;
    l->found.items[l->found.count++] = (struct pexcz_folder_entry){
        .name = path + l->root_len,
        .path = path,
        .size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0,
        .is_dir = S_ISDIR(st->st_mode),
        .executable = (st->st_mode & 0111) != 0,
    };
    return PEXCZ_OK;
}

static int list_below(struct listing *l, const char *path, int depth);

/* NOLINTNEXTLINE(misc-no-recursion): bounded by MAX_DEPTH */
static int
visit(struct listing *l, const char *folder, const char *name, int depth)
{
    const char *defect = name_defect(name);
    char *path = pexcz_arena_printf(l->arena, l->err, "%s/%s", folder, name);
    struct stat st;
    int rc;

    if (path == NULL) {
        return PEXCZ_E_NOMEM;
    }
    if (defect != NULL) {
        return refuse(l, path, defect);
    }
    if (stat(path, &st) != 0) {
        return pexcz_fail(l->err, PEXCZ_E_IO, errno, "%s", path);
    }
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
        return refuse(l, path, "neither a file nor a folder");
    }
    rc = add(l, path, &st);
    return rc == PEXCZ_OK && S_ISDIR(st.st_mode)
               ? list_below(l, path, depth + 1)
               : rc;
}

/* NOLINTNEXTLINE(misc-no-recursion): bounded by MAX_DEPTH */
static int
list_below(struct listing *l, const char *path, int depth)
{
    const struct dirent *e;
    DIR *dir;
    int rc = PEXCZ_OK;

    if (depth > MAX_DEPTH) {
        return refuse(l, path, "folders are nested too deep");
    }
    dir = opendir(path);
    if (dir == NULL) {
        return pexcz_fail(l->err, PEXCZ_E_IO, errno, "%s", path);
    }
    errno = 0;
    while (rc == PEXCZ_OK && (e = readdir(dir)) != NULL) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            rc = visit(l, path, e->d_name, depth);
        }
        errno = 0;
    }
    if (rc == PEXCZ_OK && errno != 0) {
        rc = pexcz_fail(l->err, PEXCZ_E_IO, errno, "%s", path);
    }
    (void)closedir(dir);
    return rc;
}

static int
compare_names(const void *a, const void *b)
{
    const struct pexcz_folder_entry *x = a;
    const struct pexcz_folder_entry *y = b;

    return strcmp(x->name, y->name);
}

int
pexcz_folder_read(const char *path, struct pexcz_arena *arena,
                  struct pexcz_folder *ret, struct pexcz_error *err)
{
    struct listing l = {
        .arena = arena,
        .err = err,
        .root_len = strlen(path) + 1,
    };
    int rc = list_below(&l, path, 0);

    if (rc < 0) {
        return rc;
    }
    if (l.found.count != 0) {
        qsort(l.found.items, l.found.count, sizeof(*l.found.items),
              compare_names);
    }
    *ret = l.found;
    return PEXCZ_OK;
}

static int
read_all(int fd, const char *path, uint64_t size, struct pexcz_buf *scratch,
         struct pexcz_error *err)
{
    uint64_t done = 0;
    int rc = pexcz_buf_reserve(scratch, size + 1, err);

    /* One byte more than there should be tells of a file that grew. */
    while (rc == PEXCZ_OK && done <= size) {
        ssize_t n
            = read(fd, scratch->ptr + scratch->len + done, size + 1 - done);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            rc = pexcz_fail(err, PEXCZ_E_IO, errno, "%s", path);
        }
        if (n <= 0) {
            break;
        }
        done += (uint64_t)n;
    }
    if (rc == PEXCZ_OK && done != size) {
        rc = pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                        "%s: changed while it was read", path);
    }
    return rc;
}

int
pexcz_folder_file_read(const char *path, uint64_t size,
                       struct pexcz_buf *scratch, struct pexcz_slice *ret,
                       struct pexcz_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int rc;

    if (fd < 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s", path);
    }
    rc = read_all(fd, path, size, scratch, err);
    (void)close(fd);
    if (rc == PEXCZ_OK) {
        *ret = pexcz_slice_make(scratch->ptr + scratch->len, (size_t)size);
        scratch->len += (size_t)size;
    }
    return rc;
}
