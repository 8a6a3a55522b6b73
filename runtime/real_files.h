/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Distributions that were packed with --files: they are in the user's cache as
 * real files, and their modules come from there.
 */
#ifndef PEXCZ_REAL_FILES_H
#define PEXCZ_REAL_FILES_H

#include "tree.h"

/*
 * Writes what is missing and puts the folder in front of site-packages in
 * sys.path.  Where no cache can be used it changes nothing: the modules then
 * come from the tree.  0, or -1 with a Python exception.
 */
int pexcz_real_files_add(const struct pexcz_tree *tree,
                         const struct pexcz_blob *app);

#endif
