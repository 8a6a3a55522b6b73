/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a distribution says about itself: METADATA, WHEEL, entry_points.txt.
 *
 * Sources: the core metadata, binary distribution format and entry points
 * specifications of packaging.python.org.
 */
#ifndef PEXCZ_DIST_METADATA_H
#define PEXCZ_DIST_METADATA_H

#include "requirement.h"

/* A console or GUI script that an installer generates. */
struct pexcz_script {
    const char *name;
    const char *module; /* dotted name */
    const char *attr;   /* dotted; NULL: the module is run */
};

struct pexcz_dist_metadata {
    const char *name;    /* as written */
    const char *key;     /* canonical */
    const char *version; /* as written */
    struct pexcz_requirement *requires;
    size_t requires_count;
    const char *requires_python_text; /* NULL: any */
    struct pexcz_specifiers requires_python;
    const char *license_expression;   /* SPDX; NULL: none */
    const char *license;              /* the older field, any text; or NULL */
    struct pexcz_strings classifiers; /* "License :: …" only, without it */
    bool root_is_purelib;
    struct pexcz_script *scripts; /* console scripts, then GUI scripts */
    size_t script_count;
};

/*
 * Each parses one file into *ret, which begins zeroed; `where` begins every
 * message.  Strings live in the arena.
 */
PEXCZ_MUST_USE int pexcz_metadata_parse(struct pexcz_slice text,
                                        const char *where,
                                        struct pexcz_arena *arena,
                                        struct pexcz_dist_metadata *ret,
                                        struct pexcz_error *err);
PEXCZ_MUST_USE int pexcz_wheel_file_parse(struct pexcz_slice text,
                                          const char *where,
                                          struct pexcz_dist_metadata *ret,
                                          struct pexcz_error *err);
PEXCZ_MUST_USE int pexcz_entry_points_parse(struct pexcz_slice text,
                                            const char *where,
                                            struct pexcz_arena *arena,
                                            struct pexcz_dist_metadata *ret,
                                            struct pexcz_error *err);

/*
 * "MODULE" or "MODULE:ATTR[.ATTR]", an "[extra]" behind it ignored.  Nothing
 * but dotted names gets through: they are written into generated scripts.
 */
PEXCZ_MUST_USE int
pexcz_entry_point_parse(struct pexcz_slice text, const char *where,
                        struct pexcz_arena *arena, const char **ret_module,
                        const char **ret_attr, struct pexcz_error *err);

#endif
