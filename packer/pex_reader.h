/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PEX, read: PEX-INFO, distributions, user code.
 *
 * Everything behind this interface depends on the layout of the input: the
 * zipapp, one zip file with a prefix; or a folder, in which distributions are
 * folders (loose) or files (packed).  Everything in front of it sees only
 * lists of files.  Sources: pex/layout.py, pex/pex_builder.py,
 * pex/installed_wheel.py of Pex 2.105.
 */
#ifndef PEXCZ_PEX_READER_H
#define PEXCZ_PEX_READER_H

#include "arena.h"
#include "content.h"
#include "dist_metadata.h"
#include "pex_info.h"
#include "shebang.h"
#include "tags.h"

/* A file or directory, relative to the place that its list describes. */
struct pexcz_file {
    const char *path; /* no trailing slash */
    bool is_dir;
    bool executable;
    int64_t mtime;
    struct pexcz_content content; /* files only */
};

/* In byte order of the paths, none twice. */
struct pexcz_file_list {
    const struct pexcz_file *items;
    size_t count;
};

/* NULL when there is none. */
const struct pexcz_file *
pexcz_file_list_find(const struct pexcz_file_list *list, const char *path);

/* The time that Pex gives to what it installs: 1980-01-01, the oldest that a
 * zip can hold. */
#define PEXCZ_DEFAULT_MTIME INT64_C(315532800)

enum pexcz_dist_form {
    PEXCZ_DIST_CHROOT, /* a wheel installed by Pex: root is site-packages */
    PEXCZ_DIST_WHEEL,  /* a wheel file as it came */
    PEXCZ_DIST_LEGACY, /* a directory without RECORD or .layout.json */
};

struct pexcz_dist {
    const char *file_name;   /* as in .deps/: "click-8.1.7-py3-none-any.whl" */
    const char *fingerprint; /* from PEX-INFO */
    enum pexcz_dist_form form;
    struct pexcz_file_list files;
    struct pexcz_wheel_name wheel; /* parsed file_name */
    bool has_wheel_name;           /* false: not named like a wheel */
    const char *dist_info;         /* its directory: "click-8.1.7.dist-info" */
    struct pexcz_dist_metadata metadata;
    /* CHROOT, from .layout.json. */
    const char *stash_dir;   /* ".prefix" */
    const char *record_path; /* "click-8.1.7.dist-info/RECORD" */
    bool stash_is_typed;     /* its parts are data, purelib, platlib…; in
                                older chroots, paths under the venv's root */
};

struct pexcz_pex {
    const char *name; /* the path given, made fit for messages */
    struct pexcz_arena arena;
    struct pexcz_pex_info info;
    struct pexcz_slice info_text; /* PEX-INFO as it is */
    struct pexcz_shebang shebang;
    struct pexcz_dist *dists; /* in the order of PEX-INFO */
    size_t dist_count;
    struct pexcz_file_list user; /* user code, relative to sys.path's entry */
    struct pexcz_zip **zips;     /* owned: the PEX and the wheels in it */
    size_t zip_count;
    size_t zip_cap;
};

/*
 * Reads the PEX at `path`.  *ret must be zeroed; on success the caller frees
 * it with pexcz_pex_close(), after a failure it is empty.
 */
PEXCZ_MUST_USE int pexcz_pex_open(const char *path, struct pexcz_pex *ret,
                                  struct pexcz_error *err);
void pexcz_pex_close(struct pexcz_pex *pex);

#endif
