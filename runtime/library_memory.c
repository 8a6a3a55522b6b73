/* SPDX-License-Identifier: Apache-2.0 */
#include "library_memory.h"

#include "buf.h"
#include "memory_file.h"
#include "stub_library.h"
#include "vfs.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* An object of the tree that is loaded in the base namespace. */
struct object {
    UT_hash_handle hh;
    char real[PEXCZ_MEMORY_PATH];
    char inner[]; /* key */
};

/* Recursive: constructors open libraries too.  A child after fork() has its
 * own: whoever held it is not there. */
static struct {
    pthread_mutex_t lock;
    pid_t process;
    struct object *objects;
} state = {.lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP};

static void
lock(void)
{
    if (state.process != getpid()) {
        state.lock = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
        state.process = getpid();
    }
    (void)pthread_mutex_lock(&state.lock);
}

static void
unlock(void)
{
    (void)pthread_mutex_unlock(&state.lock);
}

static struct object *
find_object(const char *inner)
{
    struct object *o;

    HASH_FIND_STR(state.objects, inner, o);
    return o;
}

static void
add_object(const char *inner, const char *real)
{
    size_t len = strlen(inner);
    struct object *o
        = find_object(inner) == NULL ? calloc(1, sizeof(*o) + len + 1) : NULL;

    if (o != NULL) {
        memcpy(o->inner, inner, len + 1);
        (void)strcpy(o->real, real);
        HASH_ADD_KEYPTR(hh, state.objects, o->inner, len, o);
    }
}

/* --- files -------------------------------------------------------------- */

struct file {
    int fd;
    const struct pexcz_library_item *item; /* NULL: a stub */
    char path[PEXCZ_MEMORY_PATH];
};

struct loading {
    const struct pexcz_library_set *set;
    bool is_base;       /* namespace */
    struct file *files; /* [0]: the object that was asked for */
    size_t count;
    struct pexcz_error *err;
};

static int
finish_file(struct loading *l, struct file *f)
{
    pexcz_memory_file_seal(f->fd);
    l->count++;
    return pexcz_memory_file_path(f->fd, f->path, l->err);
}

static int
add_item(struct loading *l, const struct pexcz_library_item *item)
{
    struct file *f = &l->files[l->count];
    int rc;

    f->item = item;
    f->fd = pexcz_memory_file(basename(item->path), l->err);
    if (f->fd < 0) {
        return PEXCZ_E_IO;
    }
    rc = pexcz_blob_content_to(l->set->blob, item->payload, f->fd, l->err);
    if (rc < 0) {
        (void)close(f->fd);
        return pexcz_wrap(l->err, "%s", item->path);
    }
    return finish_file(l, f);
}

static int
add_stub(struct loading *l, const char *soname, const char *const *needed,
         size_t count)
{
    struct file *f = &l->files[l->count];
    struct pexcz_buf bytes = {0};
    int rc = pexcz_stub_library(soname, needed, count, &bytes, l->err);

    f->item = NULL;
    f->fd = rc == PEXCZ_OK ? pexcz_memory_file("libraries", l->err) : -1;
    if (f->fd < 0) {
        pexcz_buf_done(&bytes);
        return PEXCZ_E_IO;
    }
    if (write(f->fd, bytes.ptr, bytes.len) != (ssize_t)bytes.len) {
        rc = pexcz_fail(l->err, PEXCZ_E_IO, errno, "memory file");
        (void)close(f->fd);
    }
    pexcz_buf_done(&bytes);
    return rc == PEXCZ_OK ? finish_file(l, f) : rc;
}

/* Whether ld.so knows a library by that name, whoever loaded it: then it takes
 * that one, as it would with files. */
static bool
is_loaded(struct pexcz_slice name)
{
    char *text = pexcz_slice_dup(name);
    void *handle = text != NULL ? pexcz_vfs_open_real(text, LM_ID_BASE,
                                                      RTLD_LAZY | RTLD_NOLOAD)
                                : NULL;

    free(text);
    if (handle != NULL) {
        (void)dlclose(handle);
    }
    return handle != NULL;
}

/* Where the object lies, loaded earlier or now; NULL: nowhere. */
static const char *
real_path(const struct loading *l, const struct pexcz_library_item *item)
{
    const struct object *o = l->is_base ? find_object(item->path) : NULL;

    for (size_t i = 0; i < l->count; i++) {
        if (l->files[i].item != NULL
            && strcmp(l->files[i].item->path, item->path) == 0) {
            return l->files[i].path;
        }
    }
    return o != NULL ? o->real : NULL;
}

static int
add_items(struct loading *l)
{
    int rc = add_item(l, &l->set->items[0]);

    for (size_t i = 1; rc == PEXCZ_OK && i < l->set->count; i++) {
        const struct pexcz_library_item *item = &l->set->items[i];
        struct pexcz_slice name
            = item->name.len != 0 ? item->name : item->library.soname;

        if (real_path(l, item) == NULL
            && !(l->is_base && name.len != 0 && is_loaded(name))) {
            rc = add_item(l, item);
        }
    }
    return rc;
}

/* For an object that is asked for by another name than its SONAME, a stub that
 * has this name and needs the object. */
static int
add_aliases(struct loading *l)
{
    int rc = PEXCZ_OK;

    for (size_t i = 0; rc == PEXCZ_OK && i < l->set->count; i++) {
        const struct pexcz_library_item *item = &l->set->items[i];
        const char *real = real_path(l, item);
        char *name;

        if (item->name.len == 0 || real == NULL
            || (l->is_base && is_loaded(item->name))) {
            continue;
        }
        name = pexcz_slice_dup(item->name);
        rc = name != NULL ? add_stub(l, name, &real, 1) : PEXCZ_E_NOMEM;
        free(name);
    }
    return rc;
}

/* All files at once. */
static int
add_root(struct loading *l)
{
    const char **paths = pexcz_alloc_array(l->count, sizeof(char *));
    int rc;

    if (paths == NULL) {
        return pexcz_fail(l->err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    for (size_t i = 0; i < l->count; i++) {
        paths[i] = l->files[i].path;
    }
    rc = add_stub(l, NULL, paths, l->count);
    free(paths);
    return rc;
}

/* --- opening ------------------------------------------------------------ */

static void *
load(struct loading *l, long list, int mode, int *ret_code)
{
    const int kept = RTLD_LAZY | RTLD_NOW | RTLD_DEEPBIND;
    void *handle = NULL;
    int rc = add_items(l);

    if (rc == PEXCZ_OK) {
        rc = add_aliases(l);
    }
    if (rc == PEXCZ_OK && l->count > 1) {
        rc = add_root(l);
    }
    *ret_code = rc;
    if (rc == PEXCZ_OK
        && (l->count == 1
            || pexcz_vfs_open_real(l->files[l->count - 1].path, list,
                                   mode & kept)
                   != NULL)) {
        handle = pexcz_vfs_open_real(l->files[0].path, list, mode);
    }
    for (size_t i = 0; i < l->count; i++) {
        if (handle != NULL && l->is_base && l->files[i].item != NULL) {
            add_object(l->files[i].item->path, l->files[i].path);
        }
        (void)close(l->files[i].fd);
    }
    return handle;
}

void *
pexcz_library_memory_open(const struct pexcz_library_set *set, long list,
                          int mode, int *ret_code, struct pexcz_error *err)
{
    struct loading l = {
        .set = set,
        .is_base = list == LM_ID_BASE,
        .files = pexcz_alloc_array(2 * set->count + 1, sizeof(*l.files)),
        .err = err,
    };
    const struct object *known;
    void *handle = NULL;

    *ret_code = PEXCZ_OK;
    if (l.files == NULL) {
        *ret_code = pexcz_fail(err, PEXCZ_E_NOMEM, 0, "out of memory");
        return NULL;
    }
    lock();
    known = l.is_base ? find_object(set->items[0].path) : NULL;
    if (known != NULL || (mode & RTLD_NOLOAD) != 0) {
        handle = pexcz_vfs_open_real(
            known != NULL ? known->real : set->items[0].path, list, mode);
    }
    else {
        handle = load(&l, list, mode, ret_code);
    }
    unlock();
    free(l.files);
    return handle;
}

const char *
pexcz_library_memory_inner(const char *real)
{
    const struct object *found = NULL;
    const struct object *o;

    lock();
    for (o = state.objects; o != NULL && found == NULL; o = o->hh.next) {
        if (strcmp(o->real, real) == 0) {
            found = o;
        }
    }
    unlock();
    return found != NULL ? found->inner : NULL;
}

void
pexcz_library_memory_forget(void)
{
    struct object *o;
    struct object *next;

    lock();
    HASH_ITER(hh, state.objects, o, next)
    {
        HASH_DEL(state.objects, o);
        free(o);
    }
    unlock();
}
