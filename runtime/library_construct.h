/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constructors of libraries of the image.
 *
 * Those that only compute run once, while the snapshot is made.  Others ask
 * the process for something or start threads (OpenBLAS, libgomp,
 * libgfortran): they are remade, that is to say, the snapshot has the
 * library's data as it was before them, they run in each process, and then
 * the words are set that the imports have changed since.
 *
 * For that to be the same, nothing else of the snapshot may depend on what
 * they found.  They are shown another machine in the second of the two
 * processes that make a snapshot: the two must be equal all the same.
 */
#ifndef PEXCZ_LIBRARY_CONSTRUCT_H
#define PEXCZ_LIBRARY_CONSTRUCT_H

#include "buf.h"
#include "snapshot_format.h"

/* `other`: the process is the second one. */
void pexcz_library_construct_begin(bool other);

/* Runs the constructors of the library with this number; NULL, or why not. */
const char *pexcz_library_construct(size_t number);

/* Whether constructors run now that may have to be remade. */
bool pexcz_library_is_constructing(void);
/* They do something that they would have to do again; false: none run, or it
 * is not for them. */
bool pexcz_library_constructor_acts(void);
/* How many processors they see. */
int pexcz_library_constructor_processors(void);
/* They read this variable, which is `value`, or NULL; what it is to them:
 * false, as it is. */
bool pexcz_library_constructor_variable(const char *name, char *value,
                                        char **ret);
/* They made a key. */
void pexcz_library_constructor_key(unsigned int key);

/* Threads that they have started so far. */
size_t pexcz_library_constructor_threads(void);
bool pexcz_library_is_constructors_thread(void);

/*
 * Before the pages are collected: puts the data of those that are remade back
 * to what it was before, and keeps what has to be changed afterwards.
 * UNSUPPORTED: "the shared object PATH …".
 */
PEXCZ_MUST_USE int pexcz_library_construct_collect(struct pexcz_error *err);
/* The table `changes` of snapshot_format.h. */
PEXCZ_MUST_USE int pexcz_library_changes_write(struct pexcz_buf *out,
                                               struct pexcz_error *err);

/* In a restored process. */
void pexcz_library_construct_again(size_t number, int argc, char *const *argv);
bool pexcz_library_changes_check(struct pexcz_slice table, uint64_t end);
void pexcz_library_changes_apply(struct pexcz_slice table);

#endif
