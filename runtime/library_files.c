/* SPDX-License-Identifier: Apache-2.0 */
#include "library_files.h"

#include "cache.h"
#include "threads.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define GROUP_NAME_SIZE 32u

/* The user's cache, looked for once and again when the user changes. */
static struct {
    pthread_mutex_t lock;
    bool survives_fork;
    bool known;
    uid_t user;
    int code; /* of pexcz_cache_find() */
    struct pexcz_error error;
    struct pexcz_cache cache;
} found = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
lock_found(void)
{
    (void)pthread_mutex_lock(&found.lock);
}

static void
unlock_found(void)
{
    (void)pthread_mutex_unlock(&found.lock);
}

static int
find_cache(struct pexcz_cache *ret, struct pexcz_error *err)
{
    int rc;

    lock_found();
    if (!found.survives_fork) {
        /* A child's copy is not left locked by a thread that it lacks. */
        (void)pthread_atfork(lock_found, unlock_found, unlock_found);
        found.survives_fork = true;
    }
    if (!found.known || found.user != geteuid()) {
        found.code = pexcz_cache_find(true, &found.cache, &found.error);
        found.user = geteuid();
        found.known = true;
    }
    rc = found.code;
    if (rc == PEXCZ_OK) {
        *ret = found.cache;
    }
    else {
        *err = found.error;
    }
    unlock_found();
    return rc;
}

static struct pexcz_cache_file
file_of(const struct pexcz_library_item *item)
{
    return (struct pexcz_cache_file){
        .path = item->path,
        .size = item->size,
        .hash = item->library.hash,
    };
}

/* --- writing ------------------------------------------------------------ */

struct filling {
    const struct pexcz_library_set *set;
    const struct pexcz_cache_group *group;
    const struct pexcz_library_item **missing; /* large ones first */
    size_t count;
    atomic_size_t next;
    atomic_bool failed;
    pthread_mutex_t lock; /* of error */
    struct pexcz_error error;
};

struct source {
    const struct pexcz_blob *blob;
    uint32_t payload;
};

static int
write_content(void *context, int fd, struct pexcz_error *err)
{
    const struct source *source = context;

    return pexcz_blob_content_to(source->blob, source->payload, fd, err);
}

static void
fill_files(void *context)
{
    struct filling *f = context;
    struct pexcz_error err = {0};
    size_t i;

    while (!atomic_load(&f->failed)
           && (i = atomic_fetch_add(&f->next, 1)) < f->count) {
        struct pexcz_cache_file file = file_of(f->missing[i]);
        struct source source = {f->set->blob, f->missing[i]->payload};

        if (pexcz_cache_fill(f->group, &file, write_content, &source, &err)
            < 0) {
            (void)pthread_mutex_lock(&f->lock);
            if (!atomic_exchange(&f->failed, true)) {
                f->error = err;
            }
            (void)pthread_mutex_unlock(&f->lock);
        }
    }
}

static int
compare_sizes(const void *pa, const void *pb)
{
    const struct pexcz_library_item *a
        = *(const struct pexcz_library_item *const *)pa;
    const struct pexcz_library_item *b
        = *(const struct pexcz_library_item *const *)pb;

    return (a->size < b->size) - (a->size > b->size);
}

static int
fill_group(const struct pexcz_cache_group *group,
           const struct pexcz_library_set *set, bool verify,
           struct pexcz_error *err)
{
    struct filling f = {.set = set, .group = group};
    unsigned int threads;
    int rc = PEXCZ_OK;

    for (size_t i = 0; i < set->count; i++) {
        struct pexcz_cache_file file = file_of(&set->items[i]);

        if (pexcz_cache_has(group, &file)) {
            if (!verify || pexcz_cache_matches(group, &file)) {
                continue;
            }
            pexcz_cache_drop(group, &file);
        }
        if (f.missing == NULL) {
            f.missing
                = calloc(set->count, sizeof(struct pexcz_library_item *));
        }
        if (f.missing == NULL) {
            return pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
        }
        f.missing[f.count++] = &set->items[i];
    }
    if (f.count == 0) {
        return PEXCZ_OK;
    }
    qsort(f.missing, f.count, sizeof(*f.missing), compare_sizes);
    (void)pthread_mutex_init(&f.lock, NULL);
    threads = f.count > 1 ? pexcz_processor_count() : 1;
    pexcz_run_in_threads(threads > f.count ? (unsigned int)f.count : threads,
                         fill_files, &f);
    (void)pthread_mutex_destroy(&f.lock);
    free(f.missing);
    if (atomic_load(&f.failed)) {
        *err = f.error;
        rc = f.error.code;
    }
    return rc;
}

/* --- places ------------------------------------------------------------- */

static int
place_in(const struct pexcz_cache *cache, const struct pexcz_library_set *set,
         bool verify, char *buf, size_t cap, struct pexcz_error *err)
{
    struct pexcz_cache_group group;
    int rc = pexcz_cache_group_open(cache, set->items[0].library.group, &group,
                                    err);
    int n;

    if (rc < 0) {
        return rc;
    }
    rc = fill_group(&group, set, verify, err);
    n = snprintf(buf, cap, "%s/%s", group.path, set->items[0].path);
    if (rc == PEXCZ_OK && (n < 0 || (size_t)n >= cap)) {
        rc = pexcz_fail(err, PEXCZ_E_TOO_BIG, 0, "%s: path too long",
                        set->items[0].path);
    }
    pexcz_cache_group_close(&group);
    return rc;
}

int
pexcz_library_files_place(const struct pexcz_library_places *places,
                          const struct pexcz_library_set *set, char *buf,
                          size_t cap, struct pexcz_error *err)
{
    struct pexcz_cache cache;
    int rc = PEXCZ_E_NOT_FOUND;

    if (places->adjacent != NULL) {
        rc = pexcz_cache_adjacent(places->adjacent, &cache, err);
        if (rc == PEXCZ_OK) {
            rc = place_in(&cache, set, places->verify, buf, cap, err);
        }
    }
    if (rc < 0) {
        rc = find_cache(&cache, err);
        if (rc == PEXCZ_OK) {
            rc = place_in(&cache, set, places->verify, buf, cap, err);
        }
    }
    return rc;
}

static bool
can_be_mapped(const char *path)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    void *p = fd >= 0
                  ? mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0)
                  : MAP_FAILED;

    if (fd >= 0) {
        (void)close(fd);
    }
    if (p == MAP_FAILED) {
        return false;
    }
    (void)munmap(p, 1);
    return true;
}

static enum pexcz_repair
repair_in(const struct pexcz_cache *cache, const struct pexcz_library_set *set)
{
    enum pexcz_repair result = PEXCZ_REPAIR_NONE;
    struct pexcz_cache_group group;
    struct pexcz_error err;
    char path[PATH_MAX];

    if (pexcz_cache_group_open(cache, set->items[0].library.group, &group,
                               &err)
        < 0) {
        return PEXCZ_REPAIR_FAILED;
    }
    for (size_t i = 0; i < set->count; i++) {
        struct pexcz_cache_file file = file_of(&set->items[i]);

        if (!pexcz_cache_matches(&group, &file)) {
            result = PEXCZ_REPAIR_DONE;
            if (!cache->read_only) {
                pexcz_cache_drop(&group, &file);
            }
        }
    }
    if (result == PEXCZ_REPAIR_DONE
        && (cache->read_only || fill_group(&group, set, false, &err) < 0)) {
        result = PEXCZ_REPAIR_FAILED;
    }
    if (result == PEXCZ_REPAIR_NONE
        && ((size_t)snprintf(path, sizeof(path), "%s/%s", group.path,
                             set->items[0].path)
                >= sizeof(path)
            || !can_be_mapped(path))) {
        result = PEXCZ_REPAIR_FAILED;
    }
    pexcz_cache_group_close(&group);
    return result;
}

enum pexcz_repair
pexcz_library_files_repair(const struct pexcz_library_places *places,
                           const struct pexcz_library_set *set)
{
    struct pexcz_cache cache;
    struct pexcz_error err;

    if (places->adjacent != NULL
        && pexcz_cache_adjacent(places->adjacent, &cache, &err) == 0) {
        return repair_in(&cache, set);
    }
    return find_cache(&cache, &err) == 0 ? repair_in(&cache, set)
                                         : PEXCZ_REPAIR_FAILED;
}

const char *
pexcz_library_files_inner(const char *real)
{
    const char *at = real;

    while ((at = strstr(at, "/so/")) != NULL) {
        at += strlen("/so/");
        if (strspn(at, "0123456789abcdef") == GROUP_NAME_SIZE
            && at[GROUP_NAME_SIZE] == '/') {
            return at + GROUP_NAME_SIZE + 1;
        }
    }
    return NULL;
}
