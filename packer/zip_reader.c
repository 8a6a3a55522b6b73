/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8.h"
#include "zip_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct pexcz_zip *
zip_new(const char *name, struct pexcz_error *err)
{
    struct pexcz_zip *zip = calloc(1, sizeof(*zip));
    char shown[512];

    if (zip != NULL) {
        pexcz_utf8_escape(pexcz_slice_str(name), shown, sizeof(shown));
        zip->name = strdup(shown);
        if (zip->name != NULL) {
            return zip;
        }
    }
    free(zip);
    (void)pexcz_fail(err, PEXCZ_E_NOMEM, 0, "%s: out of memory", name);
    return NULL;
}

void
pexcz_zip_close(struct pexcz_zip *zip)
{
    if (zip == NULL) {
        return;
    }
    if (zip->map != NULL) {
        (void)munmap(zip->map, zip->data.len);
    }
    pexcz_buf_done(&zip->owned);
    free(zip->members);
    free(zip->names);
    free(zip->name);
    free(zip);
}

static int
finish_open(struct pexcz_zip *zip, struct pexcz_zip **ret,
            struct pexcz_error *err)
{
    int rc = pexcz_zip_index(zip, err);

    if (rc < 0) {
        pexcz_zip_close(zip);
        return rc;
    }
    *ret = zip;
    return PEXCZ_OK;
}

int
pexcz_zip_open_slice(struct pexcz_slice data, const char *name,
                     struct pexcz_zip **ret, struct pexcz_error *err)
{
    struct pexcz_zip *zip = zip_new(name, err);

    if (zip == NULL) {
        return PEXCZ_E_NOMEM;
    }
    zip->data = data;
    return finish_open(zip, ret, err);
}

int
pexcz_zip_open_buf(struct pexcz_buf *data, const char *name,
                   struct pexcz_zip **ret, struct pexcz_error *err)
{
    struct pexcz_zip *zip = zip_new(name, err);

    if (zip == NULL) {
        pexcz_buf_done(data);
        return PEXCZ_E_NOMEM;
    }
    zip->owned = *data;
    *data = (struct pexcz_buf){0};
    zip->data = pexcz_buf_slice(&zip->owned);
    return finish_open(zip, ret, err);
}

int
pexcz_zip_open(const char *path, struct pexcz_zip **ret,
               struct pexcz_error *err)
{
    struct pexcz_zip *zip = NULL;
    char shown[512];
    struct stat st;
    int fd;
    int rc = PEXCZ_E_IO;

    pexcz_utf8_escape(pexcz_slice_str(path), shown, sizeof(shown));
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s: cannot open", shown);
    }
    if (fstat(fd, &st) < 0) {
        (void)pexcz_fail(err, PEXCZ_E_IO, errno, "%s: cannot stat", shown);
        goto out;
    }
    if (!S_ISREG(st.st_mode)) {
        rc = pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0, "%s: %s", shown,
                        S_ISDIR(st.st_mode) ? "is a directory"
                                            : "not a regular file");
        goto out;
    }
    if (st.st_size == 0) {
        rc = pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                        "%s: not a zip file (0 bytes)", shown);
        goto out;
    }
    zip = zip_new(path, err);
    if (zip == NULL) {
        rc = PEXCZ_E_NOMEM;
        goto out;
    }
    zip->map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (zip->map == MAP_FAILED) {
        zip->map = NULL;
        (void)pexcz_fail(err, PEXCZ_E_IO, errno, "%s: cannot map", shown);
        goto out;
    }
    zip->data = pexcz_slice_make(zip->map, (size_t)st.st_size);
    rc = finish_open(zip, ret, err);
    zip = NULL;

out:
    pexcz_zip_close(zip);
    (void)close(fd);
    return rc;
}

const char *
pexcz_zip_name(const struct pexcz_zip *zip)
{
    return zip->name;
}

uint64_t
pexcz_zip_prefix_size(const struct pexcz_zip *zip)
{
    return zip->prefix_size;
}

size_t
pexcz_zip_count(const struct pexcz_zip *zip)
{
    return zip->count;
}

const struct pexcz_zip_member *
pexcz_zip_get(const struct pexcz_zip *zip, size_t index)
{
    return &zip->members[index];
}

size_t
pexcz_zip_lower_bound(const struct pexcz_zip *zip, const char *name)
{
    size_t low = 0;
    size_t high = zip->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (strcmp(zip->members[mid].name, name) < 0) {
            low = mid + 1;
        }
        else {
            high = mid;
        }
    }
    return low;
}

const struct pexcz_zip_member *
pexcz_zip_find(const struct pexcz_zip *zip, const char *name)
{
    size_t i = pexcz_zip_lower_bound(zip, name);

    if (i < zip->count && strcmp(zip->members[i].name, name) == 0) {
        return &zip->members[i];
    }
    return NULL;
}

struct pexcz_slice
pexcz_zip_packed(const struct pexcz_zip *zip,
                 const struct pexcz_zip_member *member)
{
    /* In bounds: checked when the archive was opened. */
    return pexcz_slice_make(zip->data.ptr + member->offset,
                            (size_t)member->packed_size);
}
