/* SPDX-License-Identifier: Apache-2.0 */
/*
 * $HOME in a snapshot.
 *
 * While one is made, the home is a long text that nothing else has
 * (blob/snapshot_home.h).  Where it is found afterwards, in the text of an
 * object that nobody has asked for its hash, a start puts its own home in
 * place; lists of a path's components get the home's.
 */
#ifndef PEXCZ_SNAPSHOT_HOME_TEXTS_H
#define PEXCZ_SNAPSHOT_HOME_TEXTS_H

#include "buf.h"
#include "snapshot_format.h"

#include <Python.h>

#include <stdbool.h>

/* --- making -------------------------------------------------------------- */

/* Before Python starts: whether $HOME is the first or the second one's is
 * found out. */
void pexcz_snapshot_home_begin(void);

/* When Python has started: -1 with an exception. */
int pexcz_snapshot_home_started(void);

/* New references.  The home, or None when it is another one. */
PyObject *pexcz_snapshot_home_get(void);
/* The tuple of the homes that it is tried with. */
PyObject *pexcz_snapshot_home_get_samples(void);
/* Whether the home in this object can be replaced: True or False. */
PyObject *pexcz_snapshot_home_is_text(PyObject *object);

/* Whether the object is a text with the home's component in it. */
bool pexcz_snapshot_home_is_in(PyObject *object);

/* The imports have read it; these lists have its component, which each start
 * replaces. */
void pexcz_snapshot_home_need(PyObject *lists);

/* When nothing allocates from the heap any more: finds the texts, and clears
 * the home from them.  UNSUPPORTED when it is elsewhere, too. */
PEXCZ_MUST_USE int pexcz_snapshot_home_settle(uint64_t heap_end,
                                              struct pexcz_error *err);
bool pexcz_snapshot_home_is_read(void);

/* Appends the table `home` of snapshot_format.h. */
PEXCZ_MUST_USE int pexcz_snapshot_home_write(struct pexcz_buf *out,
                                             struct pexcz_error *err);

/* --- start --------------------------------------------------------------- */

/* Whether this process has a home that fits, and all that the table names is
 * in the snapshot. */
bool pexcz_snapshot_home_check(const struct pexcz_snapshot_header *header);

/* Puts the home in.  0, or -1 with an exception. */
int pexcz_snapshot_home_put(const struct pexcz_snapshot_header *header);

#endif
