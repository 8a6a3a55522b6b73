/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPTION_BASE = 256,
    OPTION_BUSYBOX,
    OPTION_PYTHON,
    OPTION_PLATFORM,
    OPTION_MAX_GLIBC,
    OPTION_SBOM,
    OPTION_LICENSES,
    OPTION_LEVEL,
    OPTION_HASH_SEED,
    OPTION_SNAPSHOT,
    OPTION_SNAPSHOT_EXCLUDE,
    OPTION_FILES,
    OPTION_SNAPSHOT_WARM,
    OPTION_SNAPSHOT_ENV,
    OPTION_SHARED_OBJECTS,
    OPTION_VERIFY,
    OPTION_ALLOW_LIBRARY,
    OPTION_DAYS,
    OPTION_MAX_SIZE,
    OPTION_ALL,
    OPTION_JSON,
    OPTION_VERSION,
    OPTION_SIGNERS,
    OPTION_SIGNER,
    OPTION_SIGNATURE,
};

#define COMMON_OPTIONS                                                        \
    {"help", no_argument, NULL, 'h'},                                         \
        {"version", no_argument, NULL, OPTION_VERSION},                       \
    {                                                                         \
        NULL, 0, NULL, 0                                                      \
    }

static const struct option pack_options[] = {
    {"output", required_argument, NULL, 'o'},
    {"jobs", required_argument, NULL, 'j'},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"base", required_argument, NULL, OPTION_BASE},
    {"busybox", no_argument, NULL, OPTION_BUSYBOX},
    {"python", required_argument, NULL, OPTION_PYTHON},
    {"platform", required_argument, NULL, OPTION_PLATFORM},
    {"max-glibc", required_argument, NULL, OPTION_MAX_GLIBC},
    {"sbom", required_argument, NULL, OPTION_SBOM},
    {"licenses", required_argument, NULL, OPTION_LICENSES},
    {"level", required_argument, NULL, OPTION_LEVEL},
    {"hash-seed", required_argument, NULL, OPTION_HASH_SEED},
    {"snapshot", required_argument, NULL, OPTION_SNAPSHOT},
    {"files", required_argument, NULL, OPTION_FILES},
    {"snapshot-exclude", required_argument, NULL, OPTION_SNAPSHOT_EXCLUDE},
    {"snapshot-warm", required_argument, NULL, OPTION_SNAPSHOT_WARM},
    {"snapshot-env", required_argument, NULL, OPTION_SNAPSHOT_ENV},
    {"shared-objects", required_argument, NULL, OPTION_SHARED_OBJECTS},
    {"verify", required_argument, NULL, OPTION_VERIFY},
    {"allow-library", required_argument, NULL, OPTION_ALLOW_LIBRARY},
    COMMON_OPTIONS,
};

static const char *const snapshot_modes[3] = {
    [PEXCZ_SNAPSHOT_AUTO] = "auto",
    [PEXCZ_SNAPSHOT_OFF] = "off",
    [PEXCZ_SNAPSHOT_REQUIRE] = "require",
};

static const char *const shared_objects[3] = {
    [PEXCZ_SHARED_CACHE] = "cache",
    [PEXCZ_SHARED_MEMORY] = "memory",
    [PEXCZ_SHARED_ADJACENT] = "adjacent",
};

static const char *const hash_seeds[3] = {"fixed", "random"};

static const char *const verify_times[3] = {
    [PEXCZ_VERIFY_FIRST_USE] = "first-use",
    [PEXCZ_VERIFY_ALWAYS] = "always",
};

static const struct option inspect_options[] = {
    {"json", no_argument, NULL, OPTION_JSON},
    {"all", no_argument, NULL, OPTION_ALL},
    {"snapshot", no_argument, NULL, OPTION_SNAPSHOT},
    COMMON_OPTIONS,
};

static const struct option extract_options[] = {
    {"all", no_argument, NULL, OPTION_ALL},
    {"quiet", no_argument, NULL, 'q'},
    COMMON_OPTIONS,
};

static const struct option verify_options[] = {
    {"quiet", no_argument, NULL, 'q'},
    {"signers", required_argument, NULL, OPTION_SIGNERS},
    {"signer", required_argument, NULL, OPTION_SIGNER},
    {"signature", required_argument, NULL, OPTION_SIGNATURE},
    COMMON_OPTIONS,
};

static const struct option sign_options[] = {
    {"key", required_argument, NULL, 'k'},
    COMMON_OPTIONS,
};

static const struct option prune_options[] = {
    {"all", no_argument, NULL, OPTION_ALL},
    {"days", required_argument, NULL, OPTION_DAYS},
    {"max-size", required_argument, NULL, OPTION_MAX_SIZE},
    {"quiet", no_argument, NULL, 'q'},
    COMMON_OPTIONS,
};

static const struct option *
find_by_value(const struct option *options, int value)
{
    while (options->name != NULL && options->val != value) {
        options++;
    }
    return options->name != NULL ? options : NULL;
}

/* What getopt_long() did not like; `c` is what it returned. */
static int
refuse(int c, char **argv, const struct option *options,
       struct pexcz_error *err)
{
    const struct option *known = find_by_value(options, optopt);

    if (known != NULL) {
        return pexcz_fail(err, PEXCZ_E_USAGE, 0, "option --%s %s", known->name,
                          c == ':' ? "needs a value" : "takes no value");
    }
    if (optopt != 0) {
        return pexcz_fail(err, PEXCZ_E_USAGE, 0, "unknown option -%c", optopt);
    }
    return pexcz_fail(err, PEXCZ_E_USAGE, 0, "unknown option %s",
                      argv[optind - 1]);
}

static int
parse_number(const char *text, const char *option, long low, long high,
             long *ret, struct pexcz_error *err)
{
    char *end;
    long n;

    errno = 0;
    n = strtol(text, &end, 10);
    if (errno != 0 || text[0] < '0' || text[0] > '9' || *end != '\0' || n < low
        || n > high) {
        return pexcz_fail(err, PEXCZ_E_USAGE, 0,
                          "%s: '%s' is not a number from %ld to %ld", option,
                          text, low, high);
    }
    *ret = n;
    return PEXCZ_OK;
}

/* The names are in the order of an enumeration. */
static int
parse_choice(const char *text, const char *option, const char *const names[3],
             unsigned *ret, struct pexcz_error *err)
{
    for (unsigned i = 0; i < 3 && names[i] != NULL; i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret = i;
            return PEXCZ_OK;
        }
    }
    if (names[2] == NULL) {
        return pexcz_fail(err, PEXCZ_E_USAGE, 0, "%s: '%s' is not %s or %s",
                          option, text, names[0], names[1]);
    }
    return pexcz_fail(err, PEXCZ_E_USAGE, 0, "%s: '%s' is not %s, %s or %s",
                      option, text, names[0], names[1], names[2]);
}

static int
add_text(const char ***list, size_t *count, const char *text,
         struct pexcz_error *err)
{
    const char **grown = realloc(*list, (*count + 1) * sizeof(*grown));

    if (grown == NULL) {
        return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    *list = grown;
    grown[(*count)++] = text;
    return PEXCZ_OK;
}

/* The start of each process, and a snapshot, see to these themselves. */
static bool
is_of_the_boot(const char *pair)
{
    static const char *const names[] = {
        "HOME=", "LANG=", "LANGUAGE=", "TZ=", "LC_", "LD_", "PEX", "PYTHON"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strncmp(pair, names[i], strlen(names[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* As a gate, its name and value are a field of a line. */
static int
add_variable(struct pexcz_snapshot_wish *wish, const char *pair,
             struct pexcz_error *err)
{
    size_t name = strcspn(pair, "=,");
    bool is_plain = pair[name] == '=' && name != 0 && !is_of_the_boot(pair);

    for (const char *p = pair; *p != '\0'; p++) {
        is_plain = is_plain && (unsigned char)*p >= ' ' && *p != 0x7f;
    }
    if (!is_plain) {
        return pexcz_fail(
            err, PEXCZ_E_USAGE, 0,
            "--snapshot-env %s: not NAME=VALUE, or a variable of "
            "Python's or the locale's own",
            pair);
    }
    return add_text(&wish->env, &wish->env_count, pair, err);
}

void
pexcz_pack_options_done(struct pexcz_pack_options *options)
{
    free(options->files);
    options->files = NULL;
    options->files_count = 0;
    free(options->wish.exclude);
    free(options->wish.warm);
    free(options->wish.env);
    free(options->allowed_libraries);
    options->allowed_libraries = NULL;
    options->allowed_count = 0;
    options->wish = (struct pexcz_snapshot_wish){0};
}

static int
set_pack_option(struct pexcz_pack_options *o, int c, char **argv,
                struct pexcz_error *err)
{
    long n = 0;
    unsigned choice = 0;
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
    case OPTION_BUSYBOX:
        o->busybox = true;
        break;
    case OPTION_PYTHON:
        o->python = optarg;
        break;
    case OPTION_PLATFORM:
        rc = pexcz_platform_parse(optarg, &o->platform, err);
        break;
    case OPTION_HASH_SEED:
        rc = parse_choice(optarg, "--hash-seed", hash_seeds, &choice, err);
        o->random_hash_seed = choice == 1;
        break;
    case OPTION_SNAPSHOT:
        rc = parse_choice(optarg, "--snapshot", snapshot_modes, &choice, err);
        o->snapshot = (enum pexcz_snapshot_mode)choice;
        break;
    case OPTION_FILES:
        rc = add_text(&o->files, &o->files_count, optarg, err);
        break;
    case OPTION_SNAPSHOT_EXCLUDE:
        rc = add_text(&o->wish.exclude, &o->wish.exclude_count, optarg, err);
        break;
    case OPTION_SNAPSHOT_WARM:
        rc = add_text(&o->wish.warm, &o->wish.warm_count, optarg, err);
        break;
    case OPTION_SNAPSHOT_ENV:
        rc = add_variable(&o->wish, optarg, err);
        break;
    case OPTION_SHARED_OBJECTS:
        rc = parse_choice(optarg, "--shared-objects", shared_objects, &choice,
                          err);
        o->shared_objects = (enum pexcz_shared_objects)choice;
        break;
    case OPTION_VERIFY:
        rc = parse_choice(optarg, "--verify", verify_times, &choice, err);
        o->verify = (enum pexcz_verify_when)choice;
        break;
    case OPTION_ALLOW_LIBRARY:
        rc = add_text(&o->allowed_libraries, &o->allowed_count, optarg, err);
        break;
    case OPTION_SBOM:
        o->sbom = optarg;
        break;
    case OPTION_LICENSES:
        o->licenses = optarg;
        break;
    case OPTION_MAX_GLIBC:
        o->max_glibc = optarg;
        break;
    default:
        rc = refuse(c, argv, pack_options, err);
        break;
    }
    return rc;
}

/* What an option says, and what --platform says about the same. */
static bool
contradicts(const char *option, const char *platform)
{
    return option != NULL && platform[0] != '\0'
           && strcmp(option, platform) != 0;
}

int
pexcz_pack_options_parse(int argc, char **argv, struct pexcz_pack_options *ret,
                         struct pexcz_error *err)
{
    struct pexcz_pack_options o = {.level = PEXCZ_DEFAULT_LEVEL};
    int rc = PEXCZ_OK;
    int c;

    /* 0 also resets what glibc remembers of an earlier argv. */
    optind = 0;
    while (rc == PEXCZ_OK
           && (c = getopt_long(argc, argv, ":o:j:qvh", pack_options, NULL))
                  != -1) {
        rc = set_pack_option(&o, c, argv, err);
    }
    if (rc == PEXCZ_OK && !o.help && !o.version) {
        if (optind == argc) {
            rc = pexcz_fail(err, PEXCZ_E_USAGE, 0, "no PEX given");
        }
        else if (contradicts(o.python, o.platform.python)) {
            rc = pexcz_fail(err, PEXCZ_E_USAGE, 0,
                            "--python %s contradicts --platform (%s)",
                            o.python, o.platform.python);
        }
        else if (contradicts(o.max_glibc, o.platform.glibc)) {
            rc = pexcz_fail(err, PEXCZ_E_USAGE, 0,
                            "--max-glibc %s contradicts --platform (%s)",
                            o.max_glibc, o.platform.glibc);
        }
        else if (o.busybox && o.wish.warm_count != 0) {
            rc = pexcz_fail(err, PEXCZ_E_USAGE, 0,
                            "--snapshot-warm does not go with --busybox");
        }
        else {
            o.inputs = (const char *const *)argv + optind;
            o.input_count = (size_t)(argc - optind);
        }
    }
    if (rc == PEXCZ_OK) {
        *ret = o;
    }
    else {
        pexcz_pack_options_done(&o);
    }
    return rc;
}

static int
parse_file_options(int argc, char **argv, const struct option *options,
                   const char *letters, bool has_directory,
                   struct pexcz_file_options *ret, struct pexcz_error *err)
{
    struct pexcz_file_options o = {0};
    int wanted = has_directory ? 2 : 1;
    int rc = PEXCZ_OK;
    int c;

    optind = 0;
    while (rc == PEXCZ_OK
           && (c = getopt_long(argc, argv, letters, options, NULL)) != -1) {
        switch (c) {
        case 'q':
            o.verbosity = -1;
            break;
        case 'h':
            o.help = true;
            break;
        case OPTION_VERSION:
            o.version = true;
            break;
        case OPTION_JSON:
            o.json = true;
            break;
        case OPTION_SNAPSHOT:
            o.snapshot = true;
            break;
        case OPTION_SIGNERS:
            o.signers = optarg;
            break;
        case OPTION_SIGNER:
            o.signer = optarg;
            break;
        case OPTION_SIGNATURE:
            o.signature = optarg;
            break;
        case 'k':
            o.key = optarg;
            break;
        case OPTION_ALL:
            o.all = true;
            break;
        default:
            rc = refuse(c, argv, options, err);
            break;
        }
    }
    if (rc == PEXCZ_OK && !o.help && !o.version) {
        if (argc - optind < wanted) {
            rc = pexcz_fail(err, PEXCZ_E_USAGE, 0, "no %s given",
                            optind == argc ? "file" : "directory");
        }
        else if (argc - optind > wanted) {
            rc = pexcz_fail(err, PEXCZ_E_USAGE, 0, "unexpected argument '%s'",
                            argv[optind + wanted]);
        }
        else {
            o.file = argv[optind];
            o.directory = has_directory ? argv[optind + 1] : NULL;
        }
    }
    if (rc == PEXCZ_OK) {
        *ret = o;
    }
    return rc;
}

int
pexcz_inspect_options_parse(int argc, char **argv,
                            struct pexcz_file_options *ret,
                            struct pexcz_error *err)
{
    return parse_file_options(argc, argv, inspect_options, ":h", false, ret,
                              err);
}

int
pexcz_extract_options_parse(int argc, char **argv,
                            struct pexcz_file_options *ret,
                            struct pexcz_error *err)
{
    return parse_file_options(argc, argv, extract_options, ":qh", true, ret,
                              err);
}

int
pexcz_verify_options_parse(int argc, char **argv,
                           struct pexcz_file_options *ret,
                           struct pexcz_error *err)
{
    int rc = parse_file_options(argc, argv, verify_options, ":qh", false, ret,
                                err);

    if (rc == PEXCZ_OK && (ret->signers != NULL) != (ret->signer != NULL)) {
        rc = pexcz_fail(err, PEXCZ_E_USAGE, 0,
                        "--signers and --signer go together");
    }
    if (rc == PEXCZ_OK && ret->signature != NULL && ret->signers == NULL) {
        rc = pexcz_fail(err, PEXCZ_E_USAGE, 0, "--signature needs --signers");
    }
    return rc;
}

int
pexcz_sign_options_parse(int argc, char **argv, struct pexcz_file_options *ret,
                         struct pexcz_error *err)
{
    int rc = parse_file_options(argc, argv, sign_options, ":k:h", false, ret,
                                err);

    if (rc == PEXCZ_OK && ret->key == NULL && !ret->help && !ret->version) {
        rc = pexcz_fail(err, PEXCZ_E_USAGE, 0, "no --key given");
    }
    return rc;
}

/* A number of bytes, or of KB, MB, GB (powers of 1000). */
static int
parse_size(const char *text, uint64_t *ret, struct pexcz_error *err)
{
    static const char units[] = "KMG";
    char *end;
    unsigned long long n;
    const char *unit;

    errno = 0;
    n = strtoull(text, &end, 10);
    unit = *end != '\0' ? strchr(units, *end) : NULL;
    for (const char *u = units; unit != NULL && u <= unit; u++) {
        n = n <= UINT64_MAX / 1000 ? n * 1000 : UINT64_MAX;
    }
    end += unit != NULL;
    end += unit != NULL && *end == 'B';
    if (errno != 0 || text[0] < '0' || text[0] > '9' || *end != '\0'
        || n == 0) {
        return pexcz_fail(err, PEXCZ_E_USAGE, 0,
                          "--max-size: '%s' is not a size like 500MB", text);
    }
    *ret = n;
    return PEXCZ_OK;
}

int
pexcz_cache_options_parse(int argc, char **argv, bool prune,
                          struct pexcz_cache_options *ret,
                          struct pexcz_error *err)
{
    const struct option *options = prune ? prune_options : verify_options;
    struct pexcz_cache_options o = {.days = -1};
    int rc = PEXCZ_OK;
    int c;

    optind = 0;
    while (rc == PEXCZ_OK
           && (c = getopt_long(argc, argv, ":qh", options, NULL)) != -1) {
        switch (c) {
        case 'q':
            o.verbosity = -1;
            break;
        case 'h':
            o.help = true;
            break;
        case OPTION_VERSION:
            o.version = true;
            break;
        case OPTION_ALL:
            o.all = true;
            break;
        case OPTION_DAYS:
            rc = parse_number(optarg, "--days", 0, 36500, &o.days, err);
            break;
        case OPTION_MAX_SIZE:
            rc = parse_size(optarg, &o.max_size, err);
            break;
        default:
            rc = refuse(c, argv, options, err);
            break;
        }
    }
    if (rc == PEXCZ_OK && !o.help && !o.version && optind != argc) {
        rc = pexcz_fail(err, PEXCZ_E_USAGE, 0, "unexpected argument '%s'",
                        argv[optind]);
    }
    if (rc == PEXCZ_OK) {
        if (!o.all && o.days < 0 && o.max_size == 0) {
            o.days = PEXCZ_DEFAULT_PRUNE_DAYS;
        }
        *ret = o;
    }
    return rc;
}
