/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>

enum {
    OPTION_BASE = 256,
    OPTION_PYTHON,
    OPTION_MAX_GLIBC,
    OPTION_LEVEL,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    {"output", required_argument, NULL, 'o'},
    {"jobs", required_argument, NULL, 'j'},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"base", required_argument, NULL, OPTION_BASE},
    {"python", required_argument, NULL, OPTION_PYTHON},
    {"max-glibc", required_argument, NULL, OPTION_MAX_GLIBC},
    {"level", required_argument, NULL, OPTION_LEVEL},
    {NULL, 0, NULL, 0},
};

static int
parse_number(const char *text, const char *option, long low, long high,
             long *ret, struct pexcz_error *err)
{
    char *end;
    long n;

    errno = 0;
    n = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || n < low || n > high) {
        return pexcz_fail(err, PEXCZ_E_USAGE, 0,
                          "%s: '%s' is not a number from %ld to %ld", option,
                          text, low, high);
    }
    *ret = n;
    return PEXCZ_OK;
}

static int
set_option(struct pexcz_pack_options *o, int c, char **argv,
           struct pexcz_error *err)
{
    long n = 0;
    int rc = PEXCZ_OK;

    switch (c) {
    case 'o':
        o->output = optarg;
        break;
    case 'j':
        rc = parse_number(optarg, "--jobs", 1, 64, &n, err);
        o->jobs = (unsigned int)n;
        break;
    case OPTION_LEVEL:
        rc = parse_number(optarg, "--level", 1, 22, &n, err);
        o->level = (int)n;
        break;
    case 'q':
        o->verbosity = -1;
        break;
    case 'v':
        o->verbosity = 1;
        break;
    case 'h':
        o->help = true;
        break;
    case OPTION_VERSION:
        o->version = true;
        break;
    case OPTION_BASE:
        o->base = optarg;
        break;
    case OPTION_PYTHON:
        o->python = optarg;
        break;
    case OPTION_MAX_GLIBC:
        o->max_glibc = optarg;
        break;
    case ':':
        rc = pexcz_fail(err, PEXCZ_E_USAGE, 0, "option %s needs a value",
                        argv[optind - 1]);
        break;
    default:
        rc = pexcz_fail(err, PEXCZ_E_USAGE, 0, "unknown option %s",
                        argv[optind - 1]);
        break;
    }
    return rc;
}

int
pexcz_pack_options_parse(int argc, char **argv,
                         struct pexcz_pack_options *ret,
                         struct pexcz_error *err)
{
    struct pexcz_pack_options o = {.level = PEXCZ_DEFAULT_LEVEL};
    int rc = PEXCZ_OK;
    int c;

    optind = 1;
    while (rc == PEXCZ_OK
           && (c = getopt_long(argc, argv, ":o:j:qvh", long_options, NULL))
                  != -1) {
        rc = set_option(&o, c, argv, err);
    }
    if (rc == PEXCZ_OK && !o.help && !o.version) {
        if (optind == argc) {
            rc = pexcz_fail(err, PEXCZ_E_USAGE, 0, "no PEX given");
        }
        else if (optind + 1 < argc) {
            rc = pexcz_fail(err, PEXCZ_E_USAGE, 0,
                            "one PEX at a time, but '%s' and '%s' are given",
                            argv[optind], argv[optind + 1]);
        }
        else {
            o.input = argv[optind];
        }
    }
    if (rc == PEXCZ_OK) {
        *ret = o;
    }
    return rc;
}
