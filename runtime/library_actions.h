/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libraries of the image had libc do while a snapshot was made, and what
 * each process that is restored has it do again, in the same order:
 * functions that run at exit or around fork(), constructors, libstdc++'s
 * initialisation of its streams.
 */
#ifndef PEXCZ_LIBRARY_ACTIONS_H
#define PEXCZ_LIBRARY_ACTIONS_H

#include "buf.h"
#include "snapshot_format.h"

void pexcz_library_actions_begin(void);

/* Adds one to the table, while a snapshot is made; false: it is full. */
bool pexcz_library_action_add(const struct pexcz_snapshot_action *action);
size_t pexcz_library_action_count(void);
/* A variable that the imports had set; `name` is a constant of a library. */
bool pexcz_library_action_setenv(const char *name, const char *value);
bool pexcz_library_action_unsetenv(const char *name);
/* Forgets all behind the first `count`. */
void pexcz_library_actions_cut(size_t count);

/* The table `actions` of snapshot_format.h. */
PEXCZ_MUST_USE int pexcz_library_actions_write(struct pexcz_buf *out,
                                               struct pexcz_error *err);

/* Does them, for a program with these arguments. */
void pexcz_library_actions_do(struct pexcz_slice table, int argc,
                              char *const *argv);

/* In the place of libc's. */
int pexcz_library_cxa_atexit(void (*function)(void *), void *argument,
                             void *object);
int pexcz_library_register_atfork(void (*prepare)(void), void (*parent)(void),
                                  void (*child)(void), void *object);
/* In the place of std::ios_base::Init::Init(), import `number`.  False: there
 * is no room to note that. */
bool pexcz_library_streams_are(int number);
void pexcz_library_init_streams(void *object);

#endif
