/* SPDX-License-Identifier: Apache-2.0 */
#include "process_maps.h"

#include "buf.h"
#include "exe_layout.h"
#include "memory_file.h"
#include "shared_objects.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* START-END FLAGS OFFSET DEVICE INODE, and where the kernel writes the name.
 */
#define FIELDS 5
#define NAME_COLUMN 73

static int
read_whole(int fd, struct pexcz_buf *ret, struct pexcz_error *err)
{
    ssize_t n;

    do {
        if (pexcz_buf_reserve(ret, 1 << 16, err) < 0) {
            return err->code;
        }
        n = read(fd, ret->ptr + ret->len, 1 << 16);
        ret->len += n > 0 ? (size_t)n : 0;
    } while (n > 0);
    return pexcz_buf_append(ret, "", 1, err);
}

/* Where the fields of the line end; NULL: smaps says more of the one above. */
static const char *
fields_end(const char *line, const char *end)
{
    for (int i = 1; i < FIELDS; i++) {
        line = memchr(line, ' ', (size_t)(end - line));
        if (line == NULL) {
            return NULL;
        }
        line++;
    }
    while (line < end && *line != ' ') {
        line++;
    }
    return line;
}

/* Of the packed shared object that is mapped there, or NULL. */
static const char *
name_of(const void *address)
{
    static const char prefix[] = PEXCZ_PREFIX "/";
    const char *name;
    Dl_info info;

    if (dladdr(address, &info) == 0) {
        return NULL;
    }
    name = pexcz_shared_objects_name(info.dli_fname);
    return name != NULL && strncmp(name, prefix, sizeof(prefix) - 1) == 0
               ? name
               : NULL;
}

static int
copy_line(const char *line, const char *end, struct pexcz_buf *out,
          bool *named, struct pexcz_error *err)
{
    char *behind;
    uintptr_t start = (uintptr_t)strtoull(line, &behind, 16);
    const char *fields = *behind == '-' ? fields_end(behind, end) : NULL;
    const char *name = fields != NULL ? name_of((const void *)start) : NULL;

    if (name == NULL) {
        return pexcz_buf_append(out, line, (size_t)(end - line) + 1, err);
    }
    *named = true;
    return pexcz_buf_printf(out, err, "%-*.*s%s\n", NAME_COLUMN,
                            (int)(fields - line), line, name);
}

static int
copy(const struct pexcz_buf *in, struct pexcz_buf *out, bool *named,
     struct pexcz_error *err)
{
    const char *line = (const char *)in->ptr;
    const char *end;
    int rc = PEXCZ_OK;

    for (; rc == PEXCZ_OK && (end = strchr(line, '\n')) != NULL;
         line = end + 1) {
        rc = copy_line(line, end, out, named, err);
    }
    return rc;
}

static int
in_memory(const struct pexcz_buf *text, int flags)
{
    struct pexcz_error err;
    int fd = pexcz_memory_file("maps", &err);

    if (fd >= 0
        && (write(fd, text->ptr, text->len) != (ssize_t)text->len
            || lseek(fd, 0, SEEK_SET) != 0
            || fcntl(fd, F_SETFD, (flags & O_CLOEXEC) != 0 ? FD_CLOEXEC : 0)
                   < 0)) {
        (void)close(fd);
        return -1;
    }
    if (fd >= 0) {
        pexcz_memory_file_seal(fd);
    }
    return fd;
}

int
pexcz_process_maps(const char *name, int flags)
{
    struct pexcz_buf in = {0};
    struct pexcz_buf out = {0};
    struct pexcz_error err;
    char path[PATH_MAX];
    bool named = false;
    int ret = -1;
    int fd;

    /* Not as the program spells it, so that this is the kernel's. */
    (void)snprintf(path, sizeof(path), "/proc//%s", name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    if (read_whole(fd, &in, &err) == PEXCZ_OK
        && copy(&in, &out, &named, &err) == PEXCZ_OK && named) {
        ret = in_memory(&out, flags);
    }
    (void)close(fd);
    pexcz_buf_done(&in);
    pexcz_buf_done(&out);
    return ret;
}
