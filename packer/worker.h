/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One Python process that compiles: compile_worker.py behind a socket.
 *
 * The process is the base executable itself (or a Python of the same
 * version), run with -I -S; it ends when the socket closes.  One thread at a
 * time per worker.
 */
#ifndef PEXCZ_WORKER_H
#define PEXCZ_WORKER_H

#include "buf.h"

#include <sys/types.h>

/* Suffixes of extension modules that a Python may have. */
#define PEXCZ_MAX_SUFFIXES 8

struct pexcz_worker {
    const char *python; /* for messages, borrowed */
    pid_t pid;          /* 0: not running */
    int fd;
    struct pexcz_buf reply;
};

/* What the worker says about its Python. */
struct pexcz_python {
    int major;
    int minor;
    int micro;
    uint32_t magic;
    char version[32];
    char suffix_text[512];                        /* NUL-separated */
    const char *suffixes[PEXCZ_MAX_SUFFIXES + 1]; /* NULL-terminated */
};

struct pexcz_worker_result {
    bool is_error;              /* `code` is the message of a SyntaxError */
    uint32_t warnings;          /* SyntaxWarnings and the like */
    struct pexcz_slice imports; /* lines, see compile_worker.py */
    struct pexcz_slice code;    /* marshalled */
};

/* Starts `python` (a path) and reads its greeting into *ret. */
PEXCZ_MUST_USE int pexcz_worker_open(struct pexcz_worker *worker,
                                     const char *python,
                                     struct pexcz_python *ret,
                                     struct pexcz_error *err);

/* Compiles `source` as `file_name`; slices of *ret lie in the worker until
 * the next call.  Errors are those of the worker; a SyntaxError is none. */
PEXCZ_MUST_USE int pexcz_worker_compile(struct pexcz_worker *worker,
                                        struct pexcz_slice file_name,
                                        struct pexcz_slice source,
                                        struct pexcz_worker_result *ret,
                                        struct pexcz_error *err);

/* The files (paths in the worker's tree, a line each) of the standard
 * library's modules that `imports`, lines "NAME FROM,FROM", lead to; *ret lies
 * in the worker until the next call. */
PEXCZ_MUST_USE int pexcz_worker_stdlib(struct pexcz_worker *worker,
                                       struct pexcz_slice imports,
                                       struct pexcz_slice *ret,
                                       struct pexcz_error *err);

/* Ends the process and waits for it; accepts a zeroed or closed one. */
void pexcz_worker_close(struct pexcz_worker *worker);

#endif
