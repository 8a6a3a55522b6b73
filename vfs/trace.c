/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include "exe_layout.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/uio.h>
#include <unistd.h>

#define VARIABLE "PEXCZ_TRACE"
#define TOPIC "vfs"

bool pexcz_trace_on;

void
pexcz_trace_init(void)
{
    const char *topics = getenv(VARIABLE);

    /* A list with commas, of which this is the only topic so far. */
    while (topics != NULL && *topics != '\0' && getauxval(AT_SECURE) == 0) {
        size_t size = strcspn(topics, ",");

        if (size == sizeof(TOPIC) - 1 && memcmp(topics, TOPIC, size) == 0) {
            pexcz_trace_on = true;
        }
        topics += size + (topics[size] == ',');
    }
}

/* strerror() may allocate. */
static const char *
error_text(int error)
{
    switch (error) {
    case ENOENT:
        return "No such file or directory";
    case ENOTDIR:
        return "Not a directory";
    case ELOOP:
        return "Too many levels of symbolic links";
    case ENAMETOOLONG:
        return "File name too long";
    default:
        return "Input/output error";
    }
}

static void
print(const char *const *parts, size_t count)
{
    struct iovec v[8];
    int saved = errno;

    for (size_t i = 0; i < count; i++) {
        memcpy(&v[i].iov_base, &parts[i], sizeof(parts[i]));
        v[i].iov_len = strlen(parts[i]);
    }
    /* What is lost is lost. */
    if (writev(STDERR_FILENO, v, (int)count) < 0) {
        errno = saved;
    }
    errno = saved;
}

void
pexcz_trace_failure(const char *path, int error)
{
    const char *const parts[]
        = {"pexcz: vfs: ", path, ": ", error_text(error), "\n"};

    print(parts, sizeof(parts) / sizeof(parts[0]));
}

void
pexcz_trace_program(const char *program, char *const *argv)
{
    for (size_t i = 1; argv != NULL && argv[0] != NULL && argv[i] != NULL;
         i++) {
        if (strstr(argv[i], PEXCZ_PREFIX "/") != NULL) {
            const char *const parts[]
                = {"pexcz: vfs: ", program, ": cannot see its argument ",
                   argv[i], "\n"};

            print(parts, sizeof(parts) / sizeof(parts[0]));
        }
    }
}
