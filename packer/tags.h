/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PEP 425 compatibility tags: which wheels a target can use, and how well they
 * fit.  The list is, entry for entry, that of packaging.tags.sys_tags() 26.3
 * for CPython on Linux with glibc.
 */
#ifndef PEXCZ_TAGS_H
#define PEXCZ_TAGS_H

#include "arena.h"
#include "target.h"

struct pexcz_tag {
    const char *python;   /* "cp311" */
    const char *abi;      /* "abi3" */
    const char *platform; /* "manylinux_2_17_x86_64" */
};

/* Best first. */
struct pexcz_tags {
    struct pexcz_tag *items;
    size_t count;
    size_t cap;
};

/* The tags that `target` supports; they live in the arena. */
PEXCZ_MUST_USE int pexcz_tags_supported(const struct pexcz_target *target,
                                        struct pexcz_arena *arena,
                                        struct pexcz_tags *ret,
                                        struct pexcz_error *err);

/* A wheel file name, taken apart. */
struct pexcz_wheel_name {
    const char *name;       /* as written */
    const char *version;    /* as written; "" if missing */
    const char *build;      /* "": none */
    struct pexcz_tags tags; /* compressed sets expanded to their product */
};

/* Tags of one wheel: larger products are refused. */
#define PEXCZ_WHEEL_MAX_TAGS 10000u

/* "NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl"; like Pex, content with the
 * tags alone.  CORRUPT if malformed. */
PEXCZ_MUST_USE int pexcz_wheel_name_parse(const char *file_name,
                                          struct pexcz_arena *arena,
                                          struct pexcz_wheel_name *ret,
                                          struct pexcz_error *err);

/* The smallest index in `supported` of any of `tags`; false if none is. */
bool pexcz_tags_rank(const struct pexcz_tags *supported,
                     const struct pexcz_tags *tags, size_t *ret);

#endif
