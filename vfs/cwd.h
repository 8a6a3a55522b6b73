/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A working directory inside the tree.
 *
 * The kernel cannot have it, so the process keeps the directory's node code,
 * and the kernel's own working directory is "/" meanwhile.  A vfork() child
 * shares our memory, but its chdir() is its own: it is kept per thread, since
 * the child runs on the storage of the thread that waits for it.
 */
#ifndef PEXCZ_CWD_H
#define PEXCZ_CWD_H

#include "tree.h"

/* Hands the directory to a child of the same program; "NAME=" and a path. */
#define PEXCZ_CWD_VARIABLE "PEXCZ_VFS_CWD"

/* False while the kernel's working directory is in force. */
bool pexcz_cwd_get(struct pexcz_node *ret);

/* NULL: the kernel's again.  The caller has moved the kernel's. */
void pexcz_cwd_set(const struct pexcz_node *node);

/*
 * Between the two, pexcz_cwd_get() in this thread gives `node`, or false for
 * NULL: the directory that a child is going to be in.
 */
void pexcz_cwd_pretend(const struct pexcz_node *node);
void pexcz_cwd_pretend_end(void);

/* Takes what a parent left in PEXCZ_CWD_VARIABLE, and removes it. */
void pexcz_cwd_inherit(void);

#endif
