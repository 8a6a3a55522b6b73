/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of `pexcz pack`, parsed.
 */
#ifndef PEXCZ_OPTIONS_H
#define PEXCZ_OPTIONS_H

#include "error.h"

#include <stdbool.h>

struct pexcz_pack_options {
    const char *input;     /* path of the PEX */
    const char *output;    /* NULL: the PEX's name without its suffix */
    const char *base;      /* path; NULL: beside the program */
    const char *python;    /* "3.11"; NULL: the newest base */
    const char *max_glibc; /* "2.28"; NULL: that of this machine */
    unsigned int jobs;     /* 0: one per processor */
    int level;             /* of zstd, 1..22 */
    int verbosity;         /* -1 quiet, 0, 1 verbose */
    bool help;
    bool version;
};

#define PEXCZ_DEFAULT_LEVEL 9

/* Strings point into argv.  USAGE on a wrong command line. */
PEXCZ_MUST_USE int pexcz_pack_options_parse(int argc, char **argv,
                                            struct pexcz_pack_options *ret,
                                            struct pexcz_error *err);

#endif
