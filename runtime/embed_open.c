/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedding library's opening and closing.
 */
#include "embed.h"

#include "app_environment.h"
#include "app_site.h"
#include "exe_layout.h"
#include "file_map.h"
#include "importer.h"
#include "lazy_site.h"
#include "pyconfig.h"
#include "shared_objects.h"
#include "verify_first.h"
#include "vfs.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_flag in_use = ATOMIC_FLAG_INIT;

/* Python failed between two steps of its start: it can neither be ended nor
 * started again. */
static atomic_bool spoiled;

const char *
pexcz_runtime_python_version(void)
{
    return PY_VERSION;
}

static void
release(struct pexcz_runtime *rt)
{
    pexcz_embed_resources_free(rt);
    pexcz_packed_file_close(&rt->file);
    pexcz_file_unmap(&rt->mapping);
    (void)pthread_mutex_destroy(&rt->lock);
    free(rt);
}

/* The parts are there and fit together and this library. */
static int
check_file(struct pexcz_runtime *rt, struct pexcz_runtime_error *err)
{
    const struct pexcz_packed_blob *app
        = &rt->file.parts[PEXCZ_PART_APPLICATION];
    const struct pexcz_packed_blob *stdlib
        = &rt->file.parts[PEXCZ_PART_STDLIB];

    if (!stdlib->present) {
        return pexcz_embed_fail(err, PEXCZ_RUNTIME_E_NOT_FOUND,
                                "%s: no standard library in it",
                                rt->file.path);
    }
    if (stdlib->blob.python_major != PY_MAJOR_VERSION
        || stdlib->blob.python_minor != PY_MINOR_VERSION
        || stdlib->blob.machine != pexcz_elf_own_machine()) {
        return pexcz_embed_fail(
            err, PEXCZ_RUNTIME_E_UNSUPPORTED,
            "%s: packed for Python %u.%u on %s, the library is Python %d.%d "
            "on %s",
            rt->file.path, stdlib->blob.python_major,
            stdlib->blob.python_minor,
            pexcz_elf_machine_name(stdlib->blob.machine), PY_MAJOR_VERSION,
            PY_MINOR_VERSION, pexcz_elf_machine_name(pexcz_elf_own_machine()));
    }
    if (app->present) {
        rt->app = &app->blob;
        if (rt->app->python_magic != stdlib->blob.python_magic
            || rt->app->machine != stdlib->blob.machine) {
            return pexcz_embed_fail(err, PEXCZ_RUNTIME_E_CORRUPT,
                                    "%s: the application is not for the "
                                    "standard library in the file",
                                    rt->file.path);
        }
    }
    return PEXCZ_RUNTIME_OK;
}

/* sys.executable: the file itself, which is a Python when it is spelled with
 * one more slash. */
static void
set_executable(struct pexcz_runtime *rt, const char *wanted)
{
    if (wanted == NULL && access(rt->path, X_OK) == 0) {
        wanted = rt->path;
    }
    if (wanted != NULL) {
        (void)strcpy(rt->executable, wanted);
    }
}

/* rt->path for the file at `path`; none if it cannot be told. */
static void
set_path(struct pexcz_runtime *rt, const char *path)
{
    rt->path[0] = '/';
    if (realpath(path, rt->path + 1) == NULL) {
        rt->path[0] = '\0';
    }
}

static void
mount_tree(struct pexcz_runtime *rt)
{
    pexcz_shared_objects_init(&rt->file.tree,
                              rt->path[0] != '\0' ? rt->path : NULL);
    pexcz_shared_objects_before_first(pexcz_embed_show_api);
    pexcz_vfs_set_self(rt->executable);
    pexcz_vfs_mount(&rt->file.tree);
}

static int
set_environment(const struct pexcz_runtime *rt,
                struct pexcz_runtime_error *err)
{
    const struct pexcz_pex_variables none = {0};
    struct pexcz_error cause;

    return pexcz_app_environment(rt->app, &none, rt->path, &cause) < 0
               ? pexcz_embed_fail_with(err, &cause)
               : PEXCZ_RUNTIME_OK;
}

/* With none given, Python takes a python3 on PATH for its executable. */
static int
forget_executable(void)
{
    PyObject *nothing = PyUnicode_FromString("");
    int rc = nothing != NULL && PySys_SetObject("executable", nothing) == 0
                 ? PySys_SetObject("_base_executable", nothing)
                 : -1;

    Py_XDECREF(nothing);
    return rc;
}

/* The thread that first imports threading is its main thread, for which its
 * end at exit waits. */
static int
adopt_main_thread(void)
{
    PyObject *threading = PyImport_ImportModule("threading");

    Py_XDECREF(threading);
    return threading != NULL ? 0 : -1;
}

static int
start_python(struct pexcz_runtime *rt,
             const struct pexcz_runtime_options *options,
             struct pexcz_runtime_error *err)
{
    static char nothing[] = "";
    char *no_arguments[] = {nothing, NULL};
    bool given = options->argc > 0;
    struct pexcz_python_options python = {
        .tree = &rt->file.tree,
        .executable = rt->executable,
        .argc = given ? options->argc : 1,
        .argv = given ? (char **)(uintptr_t)options->argv : no_arguments,
        .original_argc = given ? options->argc : 1,
        .original_argv = given ? options->argv : no_arguments,
        .guest = true,
        .environment = options->use_environment != 0,
        .signal_handlers = options->signal_handlers != 0,
    };
    PyStatus status = pexcz_python_start(&python);
    int rc;

    if (PyStatus_Exception(status)) {
        atomic_store(&spoiled, true);
        return pexcz_embed_fail_status(err, &status);
    }
    rc = rt->executable[0] == '\0' ? forget_executable() : 0;
    if (rc == 0) {
        rc = rt->app != NULL ? pexcz_app_site(rt->app, python.argv[0])
                             : pexcz_lazy_site_install();
    }
    if (rc == 0) {
        rc = adopt_main_thread();
    }
    if (rc < 0) {
        rc = pexcz_embed_exception(err);
        (void)Py_FinalizeEx();
        return rc;
    }
    rt->main_state = PyEval_SaveThread();
    return PEXCZ_RUNTIME_OK;
}

/* From an opened file to a running Python; on failure all is undone. */
static int
start(struct pexcz_runtime *rt, const struct pexcz_runtime_options *options,
      struct pexcz_runtime_error *err)
{
    const struct pexcz_slice none = {0};
    struct pexcz_error cause;
    int rc = check_file(rt, err);

    if (rc == PEXCZ_RUNTIME_OK) {
        rc = pexcz_embed_check_process(err);
    }
    if (rc == PEXCZ_RUNTIME_OK
        && pexcz_verify_first(&rt->file.tree, none, &cause) < 0) {
        rc = pexcz_embed_fail_with(err, &cause);
    }
    if (rc < 0) {
        return rc;
    }
    pexcz_embed_stay_loaded();
    set_executable(rt, options->executable);
    mount_tree(rt);
    if (options->set_environment != 0 && rt->app != NULL) {
        rc = set_environment(rt, err);
    }
    if (rc == PEXCZ_RUNTIME_OK) {
        rc = start_python(rt, options, err);
    }
    if (rc < 0) {
        pexcz_vfs_unmount();
        pexcz_shared_objects_forget();
    }
    return rc;
}

static int
check_options(const struct pexcz_runtime_options *options,
              struct pexcz_runtime_error *err)
{
    size_t n = sizeof(options->reserved) / sizeof(options->reserved[0]);

    if (options->argc < 0 || (options->argc > 0 && options->argv == NULL)) {
        return pexcz_embed_fail(err, PEXCZ_RUNTIME_E_USAGE,
                                "argc without argv");
    }
    for (int i = 0; i < options->argc; i++) {
        if (options->argv[i] == NULL) {
            return pexcz_embed_fail(err, PEXCZ_RUNTIME_E_USAGE,
                                    "argv[%d] is NULL", i);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (options->reserved[i] != NULL) {
            return pexcz_embed_fail(err, PEXCZ_RUNTIME_E_USAGE,
                                    "a reserved option is set");
        }
    }
    if (options->executable != NULL
        && strlen(options->executable) > PATH_MAX) {
        return pexcz_embed_fail(err, PEXCZ_RUNTIME_E_TOO_BIG,
                                "the path of the executable is too long");
    }
    return PEXCZ_RUNTIME_OK;
}

/* Where the bytes of a packed file come from. */
struct source {
    const char *path; /* or NULL */
    int fd;           /* or -1 */
    struct pexcz_slice memory;
};

static int
open_source(struct pexcz_runtime *rt, const struct source *source,
            struct pexcz_error *err)
{
    int rc;

    if (source->path != NULL) {
        set_path(rt, source->path);
        return pexcz_packed_file_open(&rt->file, source->path, err);
    }
    if (source->fd < 0) {
        return pexcz_packed_file_from(&rt->file, source->memory, "memory",
                                      err);
    }
    rc = pexcz_file_map_fd(source->fd, "descriptor", &rt->mapping, err);
    return rc < 0 ? rc
                  : pexcz_packed_file_from(&rt->file, rt->mapping,
                                           "descriptor", err);
}

static int
open_runtime(struct pexcz_runtime **ret, const struct source *source,
             const struct pexcz_runtime_options *options,
             struct pexcz_runtime_error *err)
{
    static const struct pexcz_runtime_options defaults;
    struct pexcz_runtime *rt;
    struct pexcz_error cause;
    int rc;

    if (options == NULL) {
        options = &defaults;
    }
    rc = check_options(options, err);
    if (rc < 0) {
        return rc;
    }
    if (atomic_load(&spoiled)) {
        return pexcz_embed_fail(err, PEXCZ_RUNTIME_E_START,
                                "an earlier start of Python failed half-way");
    }
    if (atomic_flag_test_and_set(&in_use)) {
        return pexcz_embed_fail(err, PEXCZ_RUNTIME_E_USAGE,
                                "a runtime is open already");
    }
    rt = calloc(1, sizeof(*rt));
    if (rt == NULL) {
        atomic_flag_clear(&in_use);
        return pexcz_embed_fail(err, PEXCZ_RUNTIME_E_NOMEM, "out of memory");
    }
    (void)pthread_mutex_init(&rt->lock, NULL);
    rt->owner = pthread_self();
    rc = open_source(rt, source, &cause);
    rc = rc < 0 ? pexcz_embed_fail_with(err, &cause) : start(rt, options, err);
    if (rc < 0) {
        release(rt);
        atomic_flag_clear(&in_use);
        return rc;
    }
    *ret = rt;
    return PEXCZ_RUNTIME_OK;
}

int
pexcz_runtime_open_file(struct pexcz_runtime **ret, const char *path,
                        const struct pexcz_runtime_options *options,
                        struct pexcz_runtime_error *err)
{
    struct source source = {.path = path, .fd = -1};

    return open_runtime(ret, &source, options, err);
}

int
pexcz_runtime_open_fd(struct pexcz_runtime **ret, int fd,
                      const struct pexcz_runtime_options *options,
                      struct pexcz_runtime_error *err)
{
    struct source source = {.fd = fd};

    if (fd < 0) {
        return pexcz_embed_fail(err, PEXCZ_RUNTIME_E_USAGE,
                                "%d is no descriptor", fd);
    }
    return open_runtime(ret, &source, options, err);
}

int
pexcz_runtime_open_memory(struct pexcz_runtime **ret, const void *data,
                          size_t size,
                          const struct pexcz_runtime_options *options,
                          struct pexcz_runtime_error *err)
{
    struct source source = {.fd = -1, .memory = pexcz_slice_make(data, size)};

    return open_runtime(ret, &source, options, err);
}

int
pexcz_runtime_close(struct pexcz_runtime *rt, struct pexcz_runtime_error *err)
{
    int rc = PEXCZ_RUNTIME_OK;

    if (rt == NULL) {
        return rc;
    }
    if (pthread_equal(rt->owner, pthread_self()) == 0) {
        return pexcz_embed_fail(err, PEXCZ_RUNTIME_E_USAGE,
                                "only the thread that opened may close");
    }
    PyEval_RestoreThread(rt->main_state);
    if (Py_FinalizeEx() < 0) {
        rc = pexcz_embed_fail(err, PEXCZ_RUNTIME_E_EXCEPTION,
                              "sys.stdout could not be flushed");
    }
    pexcz_vfs_unmount();
    pexcz_shared_objects_forget();
    release(rt);
    atomic_flag_clear(&in_use);
    return rc;
}
