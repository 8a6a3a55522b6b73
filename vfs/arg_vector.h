/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An argument vector built between vfork() and exec: no malloc(), which the
 * child would leave behind in its parent.  Vectors beyond the usual length
 * are mapped, and do stay behind when the exec succeeds.
 */
#ifndef PEXCZ_ARG_VECTOR_H
#define PEXCZ_ARG_VECTOR_H

#include <stdbool.h>
#include <stddef.h>

#define PEXCZ_ARG_FIXED 256u

struct pexcz_args {
    char **items; /* NULL-terminated; the strings are borrowed */
    size_t count;
    size_t mapped; /* bytes, 0: items is fixed */
    char *fixed[PEXCZ_ARG_FIXED];
};

/* Room for `count` items and the NULL.  False: no memory. */
bool pexcz_args_init(struct pexcz_args *args, size_t count);
void pexcz_args_done(struct pexcz_args *args);

/* The item is only read; exec takes it as char * for historical reasons. */
void pexcz_args_add(struct pexcz_args *args, const char *item);

/* Items before the NULL; 0 for a NULL vector. */
size_t pexcz_args_count(char *const *argv);

#endif
