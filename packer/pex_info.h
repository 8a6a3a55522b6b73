/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PEX-INFO: the JSON that tells how to run a PEX.
 *
 * Source: pex/pex_info.py of Pex 2.105 and the forms that older releases
 * wrote.  Unknown fields are ignored; a known field of a wrong type is an
 * error that names it; keys given twice, documents above the limits and text
 * that is not UTF-8 are refused.
 */
#ifndef PEXCZ_PEX_INFO_H
#define PEXCZ_PEX_INFO_H

#include "arena.h"

/* Bytes of the document. */
#define PEXCZ_PEX_INFO_MAX_SIZE ((size_t)64 << 20)

struct pexcz_pair {
    const char *name;
    const char *value;
};

/* In the order of the document. */
struct pexcz_pairs {
    struct pexcz_pair *items;
    size_t count;
};

enum pexcz_inherit_path {
    PEXCZ_INHERIT_FALSE,
    PEXCZ_INHERIT_FALLBACK,
    PEXCZ_INHERIT_PREFER,
};

enum pexcz_bin_path {
    PEXCZ_BIN_PATH_FALSE,
    PEXCZ_BIN_PATH_PREPEND,
    PEXCZ_BIN_PATH_APPEND,
};

enum pexcz_interpreter_selection {
    PEXCZ_SELECT_OLDEST,
    PEXCZ_SELECT_NEWEST,
};

/* Strings are NULL when the field is absent; all else has Pex's defaults.
 * Every string lives in the arena given to parse. */
struct pexcz_pex_info {
    const char *pex_hash;
    const char *code_hash;
    const char *bootstrap_hash;
    struct pexcz_pairs distributions; /* file name, fingerprint */
    struct pexcz_strings requirements;
    struct pexcz_strings excluded;
    struct pexcz_strings overridden;
    struct pexcz_strings interpreter_constraints;
    enum pexcz_interpreter_selection interpreter_selection_strategy;
    const char *entry_point;
    const char *script;
    struct pexcz_strings inject_python_args;
    struct pexcz_strings inject_args;
    struct pexcz_pairs inject_env;
    struct pexcz_pairs bind_resource_paths;
    bool strip_pex_env;
    enum pexcz_inherit_path inherit_path;
    struct pexcz_strings pex_path;
    bool ignore_errors;
    bool emit_warnings;
    bool venv;
    enum pexcz_bin_path venv_bin_path;
    bool venv_copies;
    bool venv_site_packages_copies;
    bool venv_system_site_packages;
    bool venv_hermetic_scripts;
    bool includes_tools;
    bool deps_are_wheel_files;
    int max_install_jobs;
    const char *pex_root;
    const char *pex_version; /* of build_properties */
};

/*
 * Parses `text`.  `where` begins every message ("app.pex: PEX-INFO").  On
 * failure *ret is unchanged.
 */
PEXCZ_MUST_USE int pexcz_pex_info_parse(struct pexcz_slice text,
                                        const char *where,
                                        struct pexcz_arena *arena,
                                        struct pexcz_pex_info *ret,
                                        struct pexcz_error *err);

#endif
