/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command lines of pexcz's verbs, parsed.
 *
 * Each parser takes the verb's own argc and argv (argv[0] is not looked at)
 * and fails with USAGE.  Strings point into argv.  With `help` or `version`
 * set, operands are neither needed nor filled in.
 */
#ifndef PEXCZ_OPTIONS_H
#define PEXCZ_OPTIONS_H

#include "error.h"
#include "platform.h"
#include "snapshot_wish.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pexcz_snapshot_mode {
    PEXCZ_SNAPSHOT_AUTO, /* without one when none can be made */
    PEXCZ_SNAPSHOT_OFF,
    PEXCZ_SNAPSHOT_REQUIRE, /* an error then */
};

enum pexcz_shared_objects {
    PEXCZ_SHARED_CACHE, /* in the user's cache, else from memory */
    PEXCZ_SHARED_MEMORY,
    PEXCZ_SHARED_ADJACENT, /* in OUTPUT.files */
};

enum pexcz_verify_when {
    PEXCZ_VERIFY_FIRST_USE, /* of each page and payload */
    PEXCZ_VERIFY_ALWAYS,    /* all of them, at every start */
};

struct pexcz_pack_options {
    const char *const *inputs; /* paths of PEXes, at least one */
    size_t input_count;
    const char *output; /* NULL: the first's name without its suffix */
    const char *base;   /* path; NULL: beside the program */
    const char *python; /* "3.11"; NULL: the newest base */
    struct pexcz_platform platform; /* its machine is NULL: this machine */
    enum pexcz_snapshot_mode snapshot;
    bool random_hash_seed;           /* one per process, so no snapshot */
    struct pexcz_snapshot_wish wish; /* arrays owned, see done() */
    const char **files;              /* distributions; array owned */
    size_t files_count;
    const char *sbom; /* files to write beside the output, or NULL */
    const char *licenses;
    const char *max_glibc; /* "2.28"; NULL: that of this machine */
    enum pexcz_shared_objects shared_objects;
    enum pexcz_verify_when verify;
    const char **allowed_libraries; /* file names; array owned, see done() */
    size_t allowed_count;
    unsigned int jobs; /* 0: one per processor */
    int level;         /* of zstd, 1..22 */
    int verbosity;     /* -1 quiet, 0, 1 verbose */
    bool busybox;      /* every console script is a command */
    bool help;
    bool version;
};

#define PEXCZ_DEFAULT_LEVEL 9

PEXCZ_MUST_USE int pexcz_pack_options_parse(int argc, char **argv,
                                            struct pexcz_pack_options *ret,
                                            struct pexcz_error *err);

void pexcz_pack_options_done(struct pexcz_pack_options *options);

/* Of the verbs below `pexcz cache`. */
struct pexcz_cache_options {
    bool all;          /* prune: everything */
    long days;         /* prune: unused for that long; -1: do not care */
    uint64_t max_size; /* prune: down to that many bytes; 0: do not care */
    int verbosity;     /* -1 quiet, 0 */
    bool help;
    bool version;
};

/* Without options prune takes what was not used for that many days. */
#define PEXCZ_DEFAULT_PRUNE_DAYS 30

/* `prune`: whether the options of that verb are allowed. */
PEXCZ_MUST_USE int pexcz_cache_options_parse(int argc, char **argv, bool prune,
                                             struct pexcz_cache_options *ret,
                                             struct pexcz_error *err);

/* Of the verbs that read a packed file; each has some of them. */
struct pexcz_file_options {
    const char *file;
    const char *directory; /* extract */
    bool all;              /* inspect, extract: the standard library, too */
    bool json;             /* inspect */
    bool snapshot;         /* inspect: the heap snapshot instead */
    const char *signers;   /* verify: a file; NULL: not asked for */
    const char *signer;    /* of them */
    const char *signature; /* NULL: FILE.sig */
    const char *key;       /* sign */
    int verbosity;         /* extract, verify: -1 quiet, 0 */
    bool help;
    bool version;
};

PEXCZ_MUST_USE int pexcz_inspect_options_parse(int argc, char **argv,
                                               struct pexcz_file_options *ret,
                                               struct pexcz_error *err);
PEXCZ_MUST_USE int pexcz_extract_options_parse(int argc, char **argv,
                                               struct pexcz_file_options *ret,
                                               struct pexcz_error *err);
PEXCZ_MUST_USE int pexcz_verify_options_parse(int argc, char **argv,
                                              struct pexcz_file_options *ret,
                                              struct pexcz_error *err);
PEXCZ_MUST_USE int pexcz_sign_options_parse(int argc, char **argv,
                                            struct pexcz_file_options *ret,
                                            struct pexcz_error *err);

#endif
