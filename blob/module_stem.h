/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which module a file of the tree is, by its name alone: the rules of
 * importlib's FileFinder (a package before a module; extension, source,
 * bytecode in this order).
 */
#ifndef PEXCZ_MODULE_STEM_H
#define PEXCZ_MODULE_STEM_H

#include "blob_format.h"
#include "slice.h"

struct pexcz_stem {
    size_t len; /* bytes of the path that are the stem */
    enum pexcz_module_kind kind;
    bool package;
    uint32_t rank; /* among files with one stem the lowest wins */
};

/*
 * `suffixes`: NULL-terminated, importlib's order of extension suffixes.
 * False when the file is no module (also an __init__ at the root).
 */
bool pexcz_module_stem(struct pexcz_slice path, const char *const *suffixes,
                       struct pexcz_stem *ret);

#endif
