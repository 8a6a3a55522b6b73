/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File descriptors of packed files and directories.
 *
 * A file is a sealed memfd with the content, re-opened read-only, so it has an
 * offset of its own and mmap, sendfile, flock and inheritance are the
 * kernel's.  A directory is an empty memfd that stands for it.  Which node it
 * is travels in the memfd itself: st_mtim.tv_nsec is the node's code, seconds
 * and size must agree.  So there is no table, no lock and no leak, and it
 * holds after dup, fork and SCM_RIGHTS.
 */
#ifndef PEXCZ_HANDLE_H
#define PEXCZ_HANDLE_H

#include "tree.h"

#include <sys/stat.h>

/*
 * A new descriptor for a file, directory or link (not SELF), read-only; of
 * `flags` O_CLOEXEC, O_NONBLOCK and O_PATH count.  -1 and errno on failure.
 */
int pexcz_handle_open(const struct pexcz_node *node, int flags);

/* The node behind what the kernel says of a descriptor; false when it is none
 * of ours.  Two comparisons for anything that has a name. */
bool pexcz_handle_of_stat(const struct stat *st, struct pexcz_node *ret);

bool pexcz_handle_of_fd(int fd, struct pexcz_node *ret);

/* As above for the directory argument of an *at() call: free until the
 * process has opened a directory of the tree. */
bool pexcz_handle_of_dirfd(int fd, struct pexcz_node *ret);

/* Whether a descriptor was opened with O_PATH. */
bool pexcz_handle_is_path(int fd);

#endif
