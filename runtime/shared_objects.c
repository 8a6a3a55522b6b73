/* SPDX-License-Identifier: Apache-2.0 */
#include "shared_objects.h"

#include "cache.h"
#include "elf_needed.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define FLAG_CLOEXEC 1u
#define FLAG_ALLOW_SEALING 2u
#define FLAG_EXEC 0x10u /* Linux 6.3; older kernels refuse it */
#define SEALS 0xf       /* no shrinking, growing, writing, more seals */

/* How deep chains of dependencies may be. */
#define MAX_DEPTH 64

/* An object that has a real path. */
struct object {
    char *inner; /* key */
    char *real;
    UT_hash_handle hh;
};

static struct {
    const struct pexcz_tree *tree;
    pthread_mutex_t lock;
    bool opened;
    struct pexcz_cache cache;
    struct object *objects;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .cache = {.dir = -1}};

void
pexcz_shared_objects_init(const struct pexcz_tree *tree)
{
    state.tree = tree;
}

bool
pexcz_shared_objects_used(void)
{
    return state.opened;
}

/* PEXCZ_SHARED_OBJECTS=memory asks for no files. */
static void
open_cache(void)
{
    const char *mode = getenv("PEXCZ_SHARED_OBJECTS");
    struct pexcz_error err;

    state.opened = true;
    if (getauxval(AT_SECURE) == 0 && mode != NULL
        && strcmp(mode, "memory") == 0) {
        return;
    }
    if (pexcz_cache_open(&state.cache, state.tree->layers[0]->id, &err) < 0) {
        state.cache.dir = -1;
    }
}

static bool
find_file(const char *inner, struct pexcz_node *ret)
{
    return pexcz_tree_find(state.tree, pexcz_slice_str(inner), ret)
           && ret->entry.kind == PEXCZ_KIND_FILE;
}

/* DIR/NAME with "." and ".." taken out; false when that leaves the tree. */
static bool
join(const char *dir, size_t dir_len, const char *tail, size_t tail_len,
     const char *name, char *ret, size_t cap)
{
    char whole[2 * PEXCZ_MAX_PATH];
    char *save = NULL;
    size_t len = 0;
    int n = snprintf(whole, sizeof(whole), "%.*s/%.*s/%s", (int)dir_len, dir,
                     (int)tail_len, tail, name);

    if (n < 0 || (size_t)n >= sizeof(whole)) {
        return false;
    }
    ret[0] = '\0';
    for (char *part = strtok_r(whole, "/", &save); part != NULL;
         part = strtok_r(NULL, "/", &save)) {
        size_t part_len = strlen(part);

        if (strcmp(part, ".") == 0) {
            continue;
        }
        if (strcmp(part, "..") == 0) {
            char *slash = strrchr(ret, '/');

            if (len == 0) {
                return false;
            }
            len = slash != NULL ? (size_t)(slash - ret) : 0;
            ret[len] = '\0';
            continue;
        }
        if (len + part_len + 2 > cap) {
            return false;
        }
        if (len != 0) {
            ret[len++] = '/';
        }
        memcpy(ret + len, part, part_len + 1);
        len += part_len;
    }
    return true;
}

/* Where ld.so would find `needed` of the object `inner` inside the tree: by
 * the $ORIGIN entries of its run path. */
static bool
find_needed(const char *inner, const struct pexcz_needed *needed, char *ret,
            size_t cap)
{
    static const char *const origins[] = {"$ORIGIN", "${ORIGIN}"};
    const char *slash = strrchr(inner, '/');
    size_t dir_len = slash != NULL ? (size_t)(slash - inner) : 0;
    const char *item = needed->runpath;

    while (item != NULL && *item != '\0') {
        size_t len = strcspn(item, ":");

        for (size_t i = 0; i < 2; i++) {
            size_t skip = strlen(origins[i]);
            struct pexcz_node node;

            if (len >= skip && strncmp(item, origins[i], skip) == 0
                && join(inner, dir_len, item + skip, len - skip, needed->name,
                        ret, cap)
                && find_file(ret, &node)) {
                return true;
            }
        }
        item += len + (item[len] == ':');
    }
    return false;
}

/* A sealed memory file; its descriptor stays open, since glibc compares
 * libraries by path and a number used again would give the earlier one. */
static int
memory_file(const char *inner, struct pexcz_slice content)
{
    const char *slash = strrchr(inner, '/');
    const char *name = slash != NULL ? slash + 1 : inner;
    unsigned int flags = FLAG_CLOEXEC | FLAG_ALLOW_SEALING;
    int fd = (int)syscall(SYS_memfd_create, name, flags | FLAG_EXEC);

    if (fd < 0) {
        fd = (int)syscall(SYS_memfd_create, name, flags);
    }
    while (fd >= 0 && content.len != 0) {
        ssize_t n = write(fd, content.ptr, content.len);

        if (n <= 0) {
            (void)close(fd);
            return -1;
        }
        content = pexcz_slice_make(content.ptr + n, content.len - (size_t)n);
    }
    if (fd >= 0) {
        (void)fcntl(fd, F_ADD_SEALS, SEALS);
    }
    return fd;
}

static struct object *
find_object(const char *inner)
{
    struct object *o;

    HASH_FIND_STR(state.objects, inner, o);
    return o;
}

static struct object *
add_object(const char *inner, const char *real)
{
    struct object *o = calloc(1, sizeof(*o));

    if (o == NULL) {
        return NULL;
    }
    o->inner = strdup(inner);
    o->real = strdup(real);
    if (o->inner == NULL || o->real == NULL) {
        free(o->inner);
        free(o->real);
        free(o);
        return NULL;
    }
    HASH_ADD_KEYPTR(hh, state.objects, o->inner, strlen(o->inner), o);
    return o;
}

/* The real path of an object that has its dependencies already. */
static bool
place(const char *inner, struct pexcz_slice content, char *real, size_t cap)
{
    struct pexcz_error err;

    if (state.cache.dir >= 0) {
        int n = snprintf(real, cap, "%s/%s", state.cache.path, inner);

        if (n > 0 && (size_t)n < cap
            && pexcz_cache_put(&state.cache, inner, content, &err)
                   == PEXCZ_OK) {
            return true;
        }
        /* Full or taken away: the rest goes to memory. */
        state.cache.dir = -1;
    }
    {
        int fd = memory_file(inner, content);

        return fd >= 0
               && snprintf(real, cap, "/proc/%ld/fd/%d", (long)getpid(), fd)
                      > 0;
    }
}

static struct object *provide(const char *inner, int depth);

static void
provide_needed(const char *inner, struct pexcz_slice content, int depth)
{
    struct pexcz_needed_cursor cursor = {0};
    struct pexcz_needed needed;
    char path[PEXCZ_MAX_PATH];

    while (pexcz_elf_next_needed(content, &cursor, &needed)) {
        if (find_needed(inner, &needed, path, sizeof(path))
            && find_object(path) == NULL) {
            const struct object *o = provide(path, depth + 1);

            /* A memory file is found by its SONAME once it is loaded. */
            if (o != NULL && state.cache.dir < 0) {
                (void)dlopen(o->real, RTLD_LAZY | RTLD_LOCAL);
            }
        }
    }
}

static struct object *
provide(const char *inner, int depth)
{
    struct pexcz_buf scratch = {0};
    struct pexcz_slice content;
    struct pexcz_error err;
    struct pexcz_node node;
    struct object *o = NULL;
    char real[8192];

    if (depth > MAX_DEPTH || !find_file(inner, &node)
        || pexcz_blob_content(node.blob, node.entry.payload, &scratch,
                              &content, &err)
               < 0) {
        return NULL;
    }
    if (place(inner, content, real, sizeof(real))) {
        o = add_object(inner, real);
    }
    if (o != NULL) {
        provide_needed(inner, content, depth);
    }
    pexcz_buf_done(&scratch);
    return o;
}

const char *
pexcz_shared_objects_resolve(const char *inner_path, char *buf, size_t cap)
{
    const struct object *o;
    const char *result = NULL;

    (void)pthread_mutex_lock(&state.lock);
    if (!state.opened) {
        open_cache();
    }
    o = find_object(inner_path);
    if (o == NULL) {
        o = provide(inner_path, 0);
    }
    if (o != NULL && strlen(o->real) < cap) {
        result = strcpy(buf, o->real);
    }
    (void)pthread_mutex_unlock(&state.lock);
    return result;
}
