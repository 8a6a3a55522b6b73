/* SPDX-License-Identifier: Apache-2.0 */
#include "module_stem.h"

#define RANKS_PER_GROUP 64u

static bool
cut_suffix(struct pexcz_slice path, const char *suffix, size_t *ret_len)
{
    size_t n = strlen(suffix);

    if (path.len <= n || memcmp(path.ptr + path.len - n, suffix, n) != 0) {
        return false;
    }
    *ret_len = path.len - n;
    return true;
}

/* Kind and length without suffix; rank by FileFinder's order of suffixes. */
static bool
cut_any(struct pexcz_slice path, const char *const *suffixes,
        struct pexcz_stem *ret)
{
    for (uint32_t i = 0; suffixes[i] != NULL; i++) {
        if (cut_suffix(path, suffixes[i], &ret->len)) {
            ret->kind = PEXCZ_MODULE_EXTENSION;
            ret->rank = i;
            return true;
        }
    }
    if (cut_suffix(path, ".py", &ret->len)) {
        ret->kind = PEXCZ_MODULE_SOURCE;
        ret->rank = RANKS_PER_GROUP - 2;
        return true;
    }
    if (cut_suffix(path, ".pyc", &ret->len)) {
        ret->kind = PEXCZ_MODULE_BYTECODE;
        ret->rank = RANKS_PER_GROUP - 1;
        return true;
    }
    return false;
}

bool
pexcz_module_stem(struct pexcz_slice path, const char *const *suffixes,
                  struct pexcz_stem *ret)
{
    static const char init[] = "/__init__";
    size_t init_len = sizeof(init) - 1;

    *ret = (struct pexcz_stem){0};
    if (!cut_any(path, suffixes, ret) || path.ptr[ret->len - 1] == '/') {
        return false;
    }
    if (ret->len > init_len
        && memcmp(path.ptr + ret->len - init_len, init, init_len) == 0) {
        ret->len -= init_len;
        ret->package = true;
    }
    else {
        ret->rank += RANKS_PER_GROUP;
    }
    return true;
}
