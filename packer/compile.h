/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiles the .py files of a plan to marshalled code objects, in parallel.
 *
 * co_filename is PEXCZ_PREFIX "/" and the path.  The bytes depend on the
 * sources and the Python version alone, not on the number of workers or the
 * order of work (marshal_refs.h).
 */
#ifndef PEXCZ_COMPILE_H
#define PEXCZ_COMPILE_H

#include "plan.h"
#include "worker.h"

#define PEXCZ_MAX_WORKERS 64

struct pexcz_compiler {
    struct pexcz_python python;
    /* private */
    char *path;
    struct pexcz_worker workers[PEXCZ_MAX_WORKERS];
    unsigned int max_workers;
};

/* What became of an entry. */
struct pexcz_compiled {
    struct pexcz_buf code;    /* empty: none */
    struct pexcz_buf imports; /* lines, see compile_worker.py */
    char *message;            /* of a SyntaxError; NULL: fine */
    uint32_t warnings;        /* SyntaxWarnings */
};

/* Called from any worker's thread, one call at a time. */
typedef void (*pexcz_compile_progress)(void *context, size_t done,
                                       size_t total);

/* Starts the first worker: `python` is the base or another Python.
 * `max_workers` 0: one per processor. */
PEXCZ_MUST_USE int pexcz_compiler_open(struct pexcz_compiler *compiler,
                                       const char *python,
                                       unsigned int max_workers,
                                       struct pexcz_error *err);
void pexcz_compiler_close(struct pexcz_compiler *compiler);

/*
 * Compiles every entry with `compile` set; ret is an array of `count` items,
 * zeroed by the caller, who frees each with pexcz_compiled_done().
 */
PEXCZ_MUST_USE int pexcz_compiler_run(struct pexcz_compiler *compiler,
                                      const struct pexcz_plan_entry *entries,
                                      size_t count, struct pexcz_compiled *ret,
                                      pexcz_compile_progress progress,
                                      void *context, struct pexcz_error *err);

/* As pexcz_worker_stdlib(), by the first worker. */
PEXCZ_MUST_USE int pexcz_compiler_stdlib(struct pexcz_compiler *compiler,
                                         struct pexcz_slice imports,
                                         struct pexcz_slice *ret,
                                         struct pexcz_error *err);
void pexcz_compiled_done(struct pexcz_compiled *compiled);

#endif
