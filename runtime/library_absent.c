/* SPDX-License-Identifier: Apache-2.0 */
#include "library_absent.h"

#include "library_construct.h"
#include "library_processors.h"
#include "library_watch.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_PATHS 64
#define MAX_PATH_SIZE 512

static struct {
    bool making;
    size_t count;
    char paths[MAX_PATHS][MAX_PATH_SIZE];
} absent;

static atomic_bool used;

bool
pexcz_library_files_used(void)
{
    return atomic_load_explicit(&used, memory_order_relaxed);
}

void
pexcz_library_files_forget(void)
{
    atomic_store_explicit(&used, false, memory_order_relaxed);
}

static void
note_use(bool is_open, bool is_writable)
{
    if (is_open && is_writable) {
        atomic_store_explicit(&used, true, memory_order_relaxed);
    }
}

void
pexcz_library_absent_begin(void)
{
    absent.making = true;
}

/* False: there is no room. */
static bool
add(const char *path)
{
    for (size_t i = 0; i < absent.count; i++) {
        if (strcmp(absent.paths[i], path) == 0) {
            return true;
        }
    }
    if (strlen(path) >= MAX_PATH_SIZE || absent.count == MAX_PATHS) {
        return false;
    }
    memcpy(absent.paths[absent.count++], path, strlen(path) + 1);
    return true;
}

/* What `function` did not find at `path`, or, with another outcome, did. */
static void
note(const char *function, const char *path, bool is_missing)
{
    int saved = errno;

    if (!absent.making) {
        return;
    }
    if (pexcz_library_constructor_acts()) {
        errno = saved;
        return;
    }
    if (!is_missing || path[0] != '/' || !add(path)) {
        pexcz_library_watched(function);
    }
    errno = saved;
}

FILE *
pexcz_library_fopen(const char *path, const char *mode)
{
    FILE *stream = fopen(path, mode);

    note("fopen", path, stream == NULL && errno == ENOENT);
    note_use(stream != NULL, strpbrk(mode, "wa+") != NULL);
    return stream;
}

int
pexcz_library_stat(const char *path, struct stat *ret)
{
    int rc = stat(path, ret);

    note("stat", path, rc != 0 && errno == ENOENT);
    return rc;
}

int
pexcz_library_open_file(const char *path, int flags, ...)
{
    va_list args;
    mode_t mode = 0;
    int fd;

    if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    if (absent.making
        && pexcz_library_counts_are_hints(__builtin_return_address(0))
        && strcmp(path, "/proc/self/cgroup") == 0) {
        errno = ENOENT; /* limits of processors */
        return -1;
    }
    fd = open(path, flags, mode);
    note("open", path, fd < 0 && errno == ENOENT);
    note_use(fd >= 0, (flags & O_ACCMODE) != O_RDONLY
                          || (flags & (O_CREAT | O_TRUNC | O_DIRECTORY)) != 0);
    return fd;
}

bool
pexcz_library_absent_at_home(const char *path)
{
    return add(path);
}

int
pexcz_library_access(const char *path, int mode)
{
    int rc = access(path, mode);

    note("access", path, rc != 0 && errno == ENOENT);
    return rc;
}

void *
pexcz_library_dlopen(const char *name, int mode)
{
    void *handle = dlopen(name, mode);

    if (!absent.making || name == NULL) {
        return handle;
    }
    if (handle != NULL || strchr(name, '/') != NULL || !add(name)) {
        pexcz_library_watched("dlopen");
    }
    return handle;
}

int
pexcz_library_absent_write(struct pexcz_buf *out, struct pexcz_error *err)
{
    int rc = PEXCZ_OK;

    for (size_t i = 0; i < absent.count && rc == PEXCZ_OK; i++) {
        rc = pexcz_buf_append(out, absent.paths[i],
                              strlen(absent.paths[i]) + 1, err);
    }
    return rc;
}

static bool
is_missing(const char *path)
{
    return access(path, F_OK) != 0 && errno == ENOENT;
}

static bool
is_missing_at_home(const char *rest)
{
    const char *home = getenv("HOME");
    char path[PATH_MAX];
    int n
        = home != NULL ? snprintf(path, sizeof(path), "%s%s", home, rest) : -1;

    return n > 0 && (size_t)n < sizeof(path) && is_missing(path);
}

bool
pexcz_library_absent_matches(struct pexcz_slice table)
{
    const char *p = (const char *)table.ptr;
    const char *end = p + table.len;

    if (table.len != 0 && end[-1] != '\0') {
        return false;
    }
    while (p < end) {
        if (p[0] == '~'   ? !is_missing_at_home(p + 1)
            : p[0] == '/' ? !is_missing(p)
                          : dlopen(p, RTLD_LAZY) != NULL) {
            return false;
        }
        p += strlen(p) + 1;
    }
    return true;
}
