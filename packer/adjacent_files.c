/* SPDX-License-Identifier: Apache-2.0 */
#include "adjacent_files.h"

#include "cache_walk.h"
#include "write_at.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int
write_content(void *context, int fd, struct pexcz_error *err)
{
    const struct pexcz_plan_entry *e = context;
    struct pexcz_buf scratch = {0};
    struct pexcz_slice content;
    int rc = pexcz_content_read(&e->content, &scratch, &content, err);

    if (rc == PEXCZ_OK) {
        rc = pexcz_write_at(fd, content.ptr, content.len, 0, err);
    }
    pexcz_buf_done(&scratch);
    return rc;
}

static int
write_library(const struct pexcz_plan *plan,
              const struct pexcz_library_spec *spec,
              const struct pexcz_cache *cache, struct pexcz_error *err)
{
    /* The slice is a string of the plan. */
    const char *path = (const char *)spec->path.ptr;
    struct pexcz_plan_entry e = *pexcz_plan_find(plan, path);
    struct pexcz_cache_file file = {
        .path = path,
        .size = pexcz_content_size(&e.content),
        .hash = spec->hash,
    };
    struct pexcz_cache_group group;
    int rc = pexcz_cache_group_open(cache, spec->group, &group, err);

    if (rc == PEXCZ_OK) {
        rc = pexcz_cache_fill(&group, &file, write_content, &e, err);
        pexcz_cache_group_close(&group);
    }
    return rc;
}

static int
make_folder(const char *path, struct pexcz_error *err)
{
    return mkdir(path, 0755) == 0 || errno == EEXIST
               ? PEXCZ_OK
               : pexcz_fail(err, PEXCZ_E_IO, errno, "%s", path);
}

static int
name_cache(const char *output, struct pexcz_cache *ret,
           struct pexcz_error *err)
{
    *ret = (struct pexcz_cache){.owner = geteuid(), .for_all = true};
    return (size_t)snprintf(ret->path, sizeof(ret->path), "%s.files/so",
                            output)
                   >= sizeof(ret->path)
               ? pexcz_fail(err, PEXCZ_E_TOO_BIG, 0, "%s: path too long",
                            output)
               : PEXCZ_OK;
}

int
pexcz_adjacent_files_write(const struct pexcz_plan *plan,
                           const struct pexcz_library_plan *libraries,
                           const char *output, struct pexcz_error *err)
{
    struct pexcz_cache cache;
    int rc = name_cache(output, &cache, err);

    if (rc < 0) {
        return rc;
    }
    cache.path[strlen(cache.path) - strlen("/so")] = '\0';
    rc = make_folder(cache.path, err);
    cache.path[strlen(cache.path)] = '/';
    if (rc == PEXCZ_OK) {
        rc = make_folder(cache.path, err);
    }
    for (size_t i = 0; i < libraries->count && rc == PEXCZ_OK; i++) {
        rc = write_library(plan, &libraries->specs[i], &cache, err);
    }
    return rc;
}

static bool
is_of_plan(const struct pexcz_library_plan *libraries, const char *name)
{
    char group[33];

    for (size_t i = 0; i < libraries->count; i++) {
        pexcz_cache_group_name(libraries->specs[i].group, group);
        if (strcmp(group, name) == 0) {
            return true;
        }
    }
    return false;
}

int
pexcz_adjacent_files_clean(const struct pexcz_library_plan *libraries,
                           const char *output, struct pexcz_error *err)
{
    struct pexcz_cache_use *uses = NULL;
    struct pexcz_cache cache;
    size_t count = 0;
    int rc = name_cache(output, &cache, err);

    if (rc == PEXCZ_OK) {
        pexcz_cache_sweep(&cache);
        rc = pexcz_cache_list(&cache, &uses, &count, err);
    }
    for (size_t i = 0; i < count && rc == PEXCZ_OK; i++) {
        if (!is_of_plan(libraries, uses[i].name)) {
            rc = pexcz_cache_remove(&cache, uses[i].name, err);
        }
    }
    free(uses);
    return rc;
}
