/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: every entry of the packed tree, and how to start it.
 *
 * Made by a pure function of the PEX and the distributions chosen for the
 * target: no clock, locale, user or directory order gets in.  The
 * tree is the one that `pex --venv` makes, mounted at PEXCZ_PREFIX:
 *
 *   lib/pythonX.Y/site-packages/   wheels (purelib, platlib) and user code
 *   bin/                           scripts; Python ones start with
 *                                  "#!<prefix>/bin/python3"
 *   include/site/pythonX.Y/NAME/   headers of wheels
 *   anything else                  the data scheme of wheels
 *
 * Where two inputs give the same path, user code wins over distributions and
 * an earlier PEX or distribution over a later one; different bytes give a
 * warning. Only one difference to the venv is visible in the tree: what
 * belongs to the venv itself (pyvenv.cfg, activate scripts, pex, pex-repl,
 * __main__.py, PEX-INFO, PEX_EXTRA_SYS_PATH.*) or to Pex's wheel cache
 * (*.pex-info) is not there.
 *
 * Times come from the zip: DOS time taken as UTC, so the time zone of whoever
 * packs has no say.  Modes are 0755 for directories and executables, else
 * 0644, as Pex sets them.
 */
#ifndef PEXCZ_PLAN_H
#define PEXCZ_PLAN_H

#include "blob_format.h"
#include "content.h"
#include "pex_reader.h"
#include "resolve.h"
#include "target.h"

struct pexcz_plan_entry {
    const char *path; /* under the root, no leading slash, valid UTF-8 */
    enum pexcz_entry_kind kind; /* DIR or FILE */
    uint16_t mode;
    int64_t mtime;
    struct pexcz_content content; /* FILE */
    /* File name of the distribution it came from; NULL for user code and for
     * directories. */
    const char *origin;
    /* "sha256=…" that the distribution's RECORD has for the content, which
     * may be another; NULL: none. */
    const char *recorded;
    /* A .py file that the packer compiles. */
    bool compile;
};

enum pexcz_entry_point_kind {
    PEXCZ_ENTRY_NONE,   /* no entry point: interactive Python */
    PEXCZ_ENTRY_MODULE, /* as `python -m MODULE` */
    PEXCZ_ENTRY_CALL,   /* sys.exit(MODULE:ATTR()) */
    PEXCZ_ENTRY_SCRIPT, /* a file under bin/, run as a script */
};

/* What PEX-INFO and the wheels' .pth files say about the start. */
struct pexcz_plan_boot {
    enum pexcz_entry_point_kind kind;
    const char *module; /* MODULE, CALL */
    const char *attr;   /* CALL: dotted */
    const char *script; /* SCRIPT: path under the root, "bin/NAME" */
    struct pexcz_strings inject_args;
    struct pexcz_strings inject_env; /* NAME=value */
    struct pexcz_strings inject_python_args;
    struct pexcz_strings bind_resource_paths; /* NAME=relative/path */
    bool strip_pex_env;
    /* NULL, "prefer", "fallback" or "python": absolute and in front, as in a
     * Python that is not isolated. */
    const char *inherit_path;
    const char *bin_path;          /* NULL, "prepend" or "append" */
    struct pexcz_strings commands; /* NAME=mod:attr, of --busybox */
    /* sys.path entries under the root, in order; the first is site-packages,
     * the others come from .pth files. */
    struct pexcz_strings search_path;
    /* --files: paths of what is to be real files, for each distribution what
     * it has in site-packages, its .dist-info folder last. */
    struct pexcz_strings files;
    struct pexcz_strings file_modules; /* what can be imported of them */
    /* `import …` lines of .pth files, in the order in which site runs them. */
    struct pexcz_strings startup_lines;
    bool has_sitecustomize;
    bool has_usercustomize;
};

struct pexcz_plan {
    struct pexcz_arena arena;
    struct pexcz_plan_entry
        *entries; /* in byte order of path, parents first */
    size_t entry_count;
    const char *site_packages; /* "lib/python3.11/site-packages" */
    struct pexcz_plan_boot boot;
    struct pexcz_slice pex_info;   /* PEX-INFO as it is in the PEX */
    struct pexcz_strings warnings; /* one line each */
};

/* A PEX and what was chosen of it. */
struct pexcz_plan_source {
    const struct pexcz_pex *pex;
    struct pexcz_resolved resolved;
};

/*
 * Lays out the tree.  The first source says how to start; count >= 1.  *ret
 * must be zeroed; on success the caller frees it with pexcz_plan_done(), after
 * a failure it is empty.  It borrows from the PEXes, which must outlive it.
 */
PEXCZ_MUST_USE int pexcz_plan_make(const struct pexcz_plan_source *sources,
                                   size_t count,
                                   const struct pexcz_target *target,
                                   struct pexcz_plan *ret,
                                   struct pexcz_error *err);
void pexcz_plan_done(struct pexcz_plan *plan);

/*
 * Replaces the entry point by all console and GUI scripts of the
 * distributions, of which the first of a name counts.  NOT_FOUND when there
 * are none.
 */
PEXCZ_MUST_USE int pexcz_plan_commands(struct pexcz_plan *plan,
                                       const struct pexcz_plan_source *sources,
                                       size_t count, struct pexcz_error *err);

/* The entry with this path, or NULL. */
const struct pexcz_plan_entry *pexcz_plan_find(const struct pexcz_plan *plan,
                                               const char *path);

#endif
