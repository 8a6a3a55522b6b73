/* SPDX-License-Identifier: Apache-2.0 */
#include "cache_verbs.h"

#include "cache_walk.h"
#include "progress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define DAY (24 * 60 * 60)

/* OK with *ret_none when there is no cache yet. */
static int
find_cache(struct pexcz_cache *ret, bool *ret_none, struct pexcz_error *err)
{
    int rc = pexcz_cache_find(false, ret, err);

    *ret_none = rc == PEXCZ_E_IO && err->sys_errno == ENOENT;
    return *ret_none ? PEXCZ_OK : rc;
}

static void
print_total(const char *what, size_t count, uint64_t bytes)
{
    char size[16];

    pexcz_format_size(bytes, size);
    (void)printf("%s%zu group%s, %s\n", what, count, count == 1 ? "" : "s",
                 size);
}

int
pexcz_cache_info(struct pexcz_error *err)
{
    struct pexcz_cache cache;
    struct pexcz_cache_use *uses = NULL;
    size_t count = 0;
    uint64_t total = 0;
    bool none;
    int rc = find_cache(&cache, &none, err);

    if (rc == PEXCZ_OK && !none) {
        rc = pexcz_cache_list(&cache, &uses, &count, err);
    }
    if (rc < 0) {
        return rc;
    }
    (void)printf("%s\n", cache.path);
    for (size_t i = 0; i < count; i++) {
        char size[16];
        char date[16] = "";
        struct tm tm;

        pexcz_format_size(uses[i].bytes, size);
        if (gmtime_r(&uses[i].last, &tm) != NULL) {
            (void)strftime(date, sizeof(date), "%Y-%m-%d", &tm);
        }
        (void)printf("%s  %s  %10s  %4zu  %s\n", uses[i].name, date, size,
                     uses[i].files,
                     uses[i].first[0] != '\0' ? uses[i].first : "-");
        total += uses[i].bytes;
    }
    print_total("", count, total);
    free(uses);
    return PEXCZ_OK;
}

/* The groups come with the one used last in front: those that are too old, or
 * behind what fits. */
static bool
is_to_go(const struct pexcz_cache_options *options,
         const struct pexcz_cache_use *use, uint64_t kept, time_t now)
{
    return options->all
           || (options->days >= 0 && now - use->last > options->days * DAY)
           || (options->max_size != 0
               && kept + use->bytes > options->max_size);
}

int
pexcz_cache_prune(const struct pexcz_cache_options *options,
                  struct pexcz_error *err)
{
    struct pexcz_cache cache;
    struct pexcz_cache_use *uses = NULL;
    size_t count = 0;
    size_t gone = 0;
    uint64_t gone_bytes = 0;
    uint64_t kept = 0;
    time_t now = time(NULL);
    bool none;
    int rc = find_cache(&cache, &none, err);

    if (rc == PEXCZ_OK && !none) {
        pexcz_cache_sweep(&cache);
        rc = pexcz_cache_list(&cache, &uses, &count, err);
    }
    for (size_t i = 0; i < count && rc == PEXCZ_OK; i++) {
        if (!is_to_go(options, &uses[i], kept, now)) {
            kept += uses[i].bytes;
            continue;
        }
        rc = pexcz_cache_remove(&cache, uses[i].name, err);
        gone++;
        gone_bytes += uses[i].bytes;
    }
    free(uses);
    if (rc == PEXCZ_OK && options->verbosity >= 0) {
        print_total("removed ", gone, gone_bytes);
    }
    return rc;
}

static void
report(void *context, const char *path)
{
    size_t *count = context;

    (void)fprintf(stderr, "damaged, removed: %s\n", path);
    (*count)++;
}

int
pexcz_cache_check(const struct pexcz_cache_options *options,
                  struct pexcz_error *err)
{
    struct pexcz_cache cache;
    size_t files = 0;
    size_t bad = 0;
    bool none;
    int rc = find_cache(&cache, &none, err);

    if (rc == PEXCZ_OK && !none) {
        rc = pexcz_cache_verify(&cache, report, &bad, &files, err);
    }
    if (rc < 0) {
        return rc;
    }
    if (bad != 0) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: %zu of %zu files were damaged", cache.path, bad,
                          files);
    }
    if (options->verbosity >= 0) {
        (void)printf("%zu file%s, none damaged\n", files,
                     files == 1 ? "" : "s");
    }
    return PEXCZ_OK;
}
