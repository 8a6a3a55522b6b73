/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the embedding library (include/pexcz_runtime.h) share.
 */
#ifndef PEXCZ_EMBED_H
#define PEXCZ_EMBED_H

#include <Python.h>

#include "include/pexcz_runtime.h"
#include "packed_file.h"

#include <limits.h>
#include <pthread.h>

/* A decompressed resource that a caller may still use. */
struct pexcz_embed_resource;

struct pexcz_runtime {
    struct pexcz_packed_file file; /* its tree is what is mounted */
    const struct pexcz_blob *app;  /* NULL: a base */
    struct pexcz_slice mapping;    /* of a descriptor; ours to unmap */
    PyThreadState *main_state;
    pthread_t owner;      /* the thread that opened */
    pthread_mutex_t lock; /* of `resources` */
    struct pexcz_embed_resource *resources;
    char path[PATH_MAX + 1]; /* "/" and the real path of the file; or "" */
    char executable[PATH_MAX + 1]; /* sys.executable */
};

/* --- embed_error.c --------------------------------------------------------
 */

/* Each sets *err, if it is not NULL, and returns the code. */
int pexcz_embed_fail(struct pexcz_runtime_error *err, int code,
                     const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int pexcz_embed_fail_with(struct pexcz_runtime_error *err,
                          const struct pexcz_error *cause);
int pexcz_embed_fail_status(struct pexcz_runtime_error *err,
                            const PyStatus *status);

/* From the Python exception that is set, which is taken. */
int pexcz_embed_exception(struct pexcz_runtime_error *err);

/* The exit code of the SystemExit that is set, which is taken; a text, which
 * Python would print, goes into err->message. */
int pexcz_embed_system_exit(struct pexcz_runtime_error *err);

/* --- embed_process.c ------------------------------------------------------
 */

/* OK, or CONFLICT when Python cannot be started beside what is there. */
int pexcz_embed_check_process(struct pexcz_runtime_error *err);

/* Where the library is part of a shared object: that one stays loaded, since
 * Python's thread keys and fork handlers point into it. */
void pexcz_embed_stay_loaded(void);

/* Makes the API visible to extension modules, which ld.so loads: where the
 * library is part of a shared object, this may have been loaded for its
 * program's eyes only. */
void pexcz_embed_show_api(void);

/* --- embed_resource.c -----------------------------------------------------
 */

/* As pexcz_runtime_resource(). */
int pexcz_embed_resource(struct pexcz_runtime *rt, const char *name,
                         struct pexcz_slice *ret,
                         struct pexcz_runtime_error *err);
void pexcz_embed_resources_free(struct pexcz_runtime *rt);

#endif
