/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call, made on both trees; what it said, as text.
 */
#ifndef PEXCZ_VFS_DIFF_H
#define PEXCZ_VFS_DIFF_H

#include "random_tree.h"

#include <stdarg.h>
#include <sys/types.h>

#define FD_COUNT 12
#define LOG_SIZE 16384u

/* What a call is made with; the random words are the same for both sides. */
struct call {
    int fd;            /* of the side, or AT_FDCWD */
    const char *path;  /* absolute paths are below the side's root */
    const char *other; /* a second path, as the first */
    const char *tail;  /* of that, below the root */
    uint32_t r[4];
};

/* One of the two trees, in one thread. */
struct side {
    const char *root;
    int fds[FD_COUNT]; /* -1: none */
    char log[LOG_SIZE];
    size_t used;
};

/* Adds to the log; the side's root becomes "ROOT". */
__attribute__((format(printf, 2, 3))) void say(struct side *side,
                                               const char *format, ...);

/* Adds "name: rc", or the errno where rc is -1. */
void say_result(struct side *side, const char *name, long rc);

bool leads_out(const struct side *side, int fd, const char *path);

struct operation {
    const char *name;
    void (*run)(struct side *side, const struct call *call);
    bool alone; /* not beside other threads: it moves the working directory */
};

extern const struct operation operations[];
extern const size_t operation_count;

#endif
