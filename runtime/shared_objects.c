/* SPDX-License-Identifier: Apache-2.0 */
#include "shared_objects.h"

#include "exe_layout.h"
#include "library_direct.h"
#include "library_files.h"
#include "library_memory.h"
#include "process_maps.h"
#include "threads.h"
#include "verify_first.h"
#include "vfs.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

#define VARIABLE "PEXCZ_SHARED_OBJECTS="

#define MAX_REPAIRS 3u

static struct {
    const struct pexcz_tree *tree;
    const char *executable;
    atomic_bool used;
    void (*before_first)(void);
} state;

bool
pexcz_shared_objects_used(void)
{
    return atomic_load(&state.used);
}

/* The environment's wish, else the one with which the file was packed; not
 * getenv(), of which a snapshot would take note. */
static struct pexcz_slice
wish(void)
{
    struct pexcz_slice value;

    for (char **e = environ;
         getauxval(AT_SECURE) == 0 && e != NULL && *e != NULL; e++) {
        if (strncmp(*e, VARIABLE, strlen(VARIABLE)) == 0) {
            return pexcz_slice_str(*e + strlen(VARIABLE));
        }
    }
    return pexcz_blob_option(state.tree->layers[0], "shared-objects", &value)
               ? value
               : pexcz_slice_str("cache");
}

static bool
is(struct pexcz_slice value, const char *text)
{
    return pexcz_slice_eq(value, pexcz_slice_str(text));
}

/* From files; *ret_files false: not possible, for the reason in err. */
static void *
open_files(const struct pexcz_library_set *set,
           const struct pexcz_library_places *places, long list, int mode,
           bool *ret_files, struct pexcz_error *err)
{
    char spelled[2 * MAX_REPAIRS + PATH_MAX];
    char *path = spelled + 2 * MAX_REPAIRS;
    void *handle = NULL;
    bool whole = false;

    *ret_files = pexcz_library_files_place(places, set, path, PATH_MAX, err)
                 == PEXCZ_OK;
    if (*ret_files) {
        handle = pexcz_vfs_open_real(path, list, mode);
    }
    /* Whole files that ld.so refuses again are refused for good; others may be
     * missing once more, while somebody prunes. */
    for (unsigned int i = 0; *ret_files && handle == NULL && i < MAX_REPAIRS
                             && (mode & RTLD_NOLOAD) == 0;
         i++) {
        enum pexcz_repair repair = pexcz_library_files_repair(places, set);

        /* ld.so remembers for ever which folders were missing when it searched
         * them; the same ones spelled "/./" are others to it. */
        path -= 2;
        memcpy(path, "/.", 2);
        if (repair != PEXCZ_REPAIR_FAILED) {
            handle = pexcz_vfs_open_real(path, list, mode);
        }
        if (repair == PEXCZ_REPAIR_NONE && whole) {
            break;
        }
        whole = repair == PEXCZ_REPAIR_NONE;
        if (handle == NULL
            && (repair == PEXCZ_REPAIR_FAILED || i + 1 == MAX_REPAIRS)) {
            (void)pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0, "%s: not to be used",
                             path);
            *ret_files = false;
        }
    }
    return handle;
}

static void *
open_memory(const struct pexcz_library_set *set, long list, int mode)
{
    struct pexcz_error err;
    int rc;
    void *handle = pexcz_library_memory_open(set, list, mode, &rc, &err);

    if (rc < 0) {
        (void)dprintf(STDERR_FILENO, "pexcz: %s\n", err.msg);
    }
    return handle;
}

/* As for a file that does not exist. */
static void *
open_nothing(const char *inner_path, long list, int mode)
{
    char path[PATH_MAX + sizeof(PEXCZ_PREFIX)];

    (void)snprintf(path, sizeof(path), PEXCZ_PREFIX "/%s", inner_path);
    return pexcz_vfs_open_real(path, list, mode);
}

void *
pexcz_shared_objects_open(const char *inner_path, long list, int mode)
{
    struct pexcz_slice how = wish();
    struct pexcz_library_places places = {
        .adjacent = is(how, "adjacent") ? state.executable : NULL,
        .verify = pexcz_verifies_always(state.tree),
    };
    struct pexcz_library_set set;
    struct pexcz_error err;
    void *handle = NULL;
    bool done = false;

    if (list == LM_ID_BASE) {
        handle = pexcz_library_handle(inner_path, mode);
        if (handle != NULL) {
            return handle;
        }
    }
    if (!atomic_exchange(&state.used, true) && state.before_first != NULL) {
        state.before_first();
    }
    /* ld.so has the words for a file that is no shared object. */
    if (pexcz_library_set_make(state.tree, inner_path, &set, &err) < 0
        && pexcz_library_set_of_file(state.tree, inner_path, &set, &err) < 0) {
        return open_nothing(inner_path, list, mode);
    }
    if (!is(how, "memory")) {
        handle = open_files(&set, &places, list, mode, &done, &err);
        if (!done && is(how, "explain")) {
            (void)dprintf(STDERR_FILENO, "pexcz: %s: from memory: %s\n",
                          inner_path, err.msg);
        }
    }
    if (!done) {
        handle = open_memory(&set, list, mode);
    }
    pexcz_library_set_done(&set);
    return handle;
}

/* A file of the tree as a real one, a program with the shared objects that it
 * needs; maybe in a child of vfork(). */
static const char *
place(const char *inner_path, char *buf, size_t cap)
{
    struct pexcz_slice how = wish();
    struct pexcz_library_places places = {
        .adjacent = is(how, "adjacent") ? state.executable : NULL,
        .verify = pexcz_verifies_always(state.tree),
    };
    struct pexcz_library_set set;
    struct pexcz_error err;
    int rc;

    if (is(how, "memory")
        || (pexcz_library_set_make(state.tree, inner_path, &set, &err) < 0
            && pexcz_library_set_of_file(state.tree, inner_path, &set, &err)
                   < 0)) {
        return NULL;
    }
    pexcz_is_alone = true;
    rc = pexcz_library_files_place(&places, &set, buf, cap, &err);
    pexcz_is_alone = false;
    pexcz_library_set_done(&set);
    return rc == PEXCZ_OK ? buf : NULL;
}

/* Under the root, of the object that ld.so knows as `real`; NULL: none. */
static const char *
inner_path_of(const char *real)
{
    const char *inner = pexcz_library_files_inner(real);

    return inner != NULL ? inner : pexcz_library_memory_inner(real);
}

/* Names that were given out, for ever. */
struct name {
    const struct name *next;
    char path[];
};
static _Atomic(const struct name *) names;

static const char *
keep_name(const char *path)
{
    const struct name *first = atomic_load(&names);
    size_t size = strlen(path) + 1;
    struct name *new;

    for (const struct name *n = first; n != NULL; n = n->next) {
        if (strcmp(n->path, path) == 0) {
            return n->path;
        }
    }
    new = malloc(sizeof(*new) + size);
    if (new == NULL) {
        return NULL;
    }
    memcpy(new->path, path, size);
    do {
        new->next = first;
    } while (!atomic_compare_exchange_weak(&names, &first, new));
    return new->path;
}

const char *
pexcz_shared_objects_name(const char *real)
{
    const char *inner
        = state.tree != NULL && pexcz_shared_objects_used() && real != NULL
              ? inner_path_of(real)
              : NULL;
    char path[PEXCZ_MAX_PATH + sizeof(PEXCZ_PREFIX)];
    struct pexcz_node node;
    const char *kept;

    if (inner == NULL
        || !pexcz_tree_find(state.tree, pexcz_slice_str(inner), &node)) {
        return real;
    }
    (void)snprintf(path, sizeof(path), PEXCZ_PREFIX "/%s", inner);
    kept = keep_name(path);
    return kept != NULL ? kept : real;
}

/* A loaded object of the tree that opens a library by name means one beside
 * it: ld.so will search its run path, where nothing lies until now. */
static void
prepare(const char *name, const void *caller)
{
    char path[PEXCZ_MAX_PATH + 1];
    struct pexcz_library_set set;
    struct link_map *map = NULL;
    struct pexcz_error err;
    const char *inner;
    Dl_info info;

    if (!pexcz_shared_objects_used()
        || dladdr1(caller, &info, (void **)&map, RTLD_DL_LINKMAP) == 0
        || map == NULL) {
        return;
    }
    inner = inner_path_of(map->l_name);
    if (inner == NULL
        || pexcz_library_set_make(state.tree, inner, &set, &err) < 0) {
        return;
    }
    if (pexcz_library_set_search(state.tree, &set, name, path)) {
        (void)pexcz_shared_objects_open(path, LM_ID_BASE,
                                        RTLD_LAZY | RTLD_LOCAL);
    }
    pexcz_library_set_done(&set);
}

void
pexcz_shared_objects_init(const struct pexcz_tree *tree,
                          const char *executable)
{
    static const struct pexcz_vfs_libraries libraries = {
        .open = pexcz_shared_objects_open,
        .place = place,
        .prepare = prepare,
        .maps = pexcz_process_maps,
    };

    state.tree = tree;
    state.executable = executable;
    pexcz_vfs_set_libraries(&libraries);
}

void
pexcz_shared_objects_before_first(void (*function)(void))
{
    state.before_first = function;
}

void
pexcz_shared_objects_forget(void)
{
    pexcz_vfs_set_libraries(NULL);
    pexcz_library_memory_forget();
    state.tree = NULL;
    state.executable = NULL;
    atomic_store(&state.used, false);
}
