/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PEX_* variables, as Pex's own boot understands them: from the
 * environment, else from rc files.  docs/pex-contract.md lists them all.
 */
#ifndef PEXCZ_PEX_VARIABLES_H
#define PEXCZ_PEX_VARIABLES_H

#include "blob_reader.h"

#include <stdbool.h>

/* Strings live as long as the process; NULL: not set or empty. */
struct pexcz_pex_variables {
    bool interpreter;     /* PEX_INTERPRETER */
    char *module;         /* PEX_MODULE: "mod" or "mod:attr" */
    char *script;         /* PEX_SCRIPT */
    char *extra_sys_path; /* PEX_EXTRA_SYS_PATH: paths joined by ':' */
    char *pex_path;       /* PEX_PATH: PEXes joined by ':' */
    char *inherit_path;   /* PEX_INHERIT_PATH: "prefer", "fallback" or NULL;
                           * of PEX-INFO "python", too */
    char *python_path;    /* PYTHONPATH, if it is inherited */
    char *venv_bin_path;  /* PEX_VENV_BIN_PATH: "false", "prepend", "append" */
    bool tools;           /* PEX_TOOLS */
    bool profile;         /* PEX_PROFILE, or a file is named */
    char *profile_file;   /* PEX_PROFILE_FILENAME */
    char *profile_sort;   /* PEX_PROFILE_SORT */
    bool coverage;        /* PEX_COVERAGE, or a file is named */
    char *coverage_file;  /* PEX_COVERAGE_FILENAME */
    bool history;         /* PEX_INTERPRETER_HISTORY */
    char *history_file;   /* PEX_INTERPRETER_HISTORY_FILE */
    long verbose;         /* PEX_VERBOSE */
};

/*
 * `program`: as in pexcz_command_name(); its folder may have an rc file.
 * Errors: USAGE (a value that Pex refuses too), NOMEM.  A set-uid process
 * must not call it, but use a zeroed struct.
 */
PEXCZ_MUST_USE int pexcz_pex_variables_read(const char *program,
                                            struct pexcz_pex_variables *ret,
                                            struct pexcz_error *err);

/* Fills in what PEX-INFO says of inherit_path, and python_path. */
PEXCZ_MUST_USE int
pexcz_pex_variables_inherit(const struct pexcz_blob *app,
                            struct pexcz_pex_variables *variables,
                            struct pexcz_error *err);

/* With PEX_VERBOSE, writes a line "pex: …" to stderr. */
void pexcz_pex_note(const struct pexcz_pex_variables *variables,
                    const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Unsets every variable whose name begins with "PEX_". */
void pexcz_pex_variables_strip(void);

#endif
