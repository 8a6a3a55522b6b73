/* SPDX-License-Identifier: Apache-2.0 */
#include "library_watch.h"

#include "library_absent.h"
#include "library_entropy.h"
#include "library_processors.h"
#include "library_relocate.h"
#include "library_settle.h"
#include "library_stubs.h"
#include "process_facts.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern char *__wrap_getenv(const char *name);
extern int __wrap_pthread_key_create(pthread_key_t *key,
                                     void (*destructor)(void *));
extern int __wrap_pthread_key_delete(pthread_key_t key);
extern pthread_t __wrap_pthread_self(void);

static struct {
    bool making;
    PyObject *report;     /* borrowed */
    char unreported[128]; /* see the header */
} watch;

void
pexcz_library_watch(PyObject *report)
{
    watch.making = true;
    watch.report = report;
}

static void
report(const char *what)
{
    PyObject *result;

    if (watch.report == NULL || !PyGILState_Check()) {
        if (watch.unreported[0] == '\0') {
            (void)snprintf(watch.unreported, sizeof(watch.unreported), "%s",
                           what);
        }
        return;
    }
    {
        PyObject *type;
        PyObject *value;
        PyObject *traceback;

        PyErr_Fetch(&type, &value, &traceback);
        result = PyObject_CallFunction(watch.report, "s", what);
        if (result == NULL) {
            PyErr_WriteUnraisable(watch.report);
        }
        Py_XDECREF(result);
        PyErr_Restore(type, value, traceback);
    }
}

void
pexcz_library_watched(const char *name)
{
    report(name);
}

const char *
pexcz_library_unreported(void)
{
    return watch.unreported[0] != '\0' ? watch.unreported : NULL;
}

/* --- in the place of libc's ---------------------------------------------- */

static char *
library_getenv(const char *name)
{
    if (watch.making && watch.report != NULL) {
        char text[128];

        (void)snprintf(text, sizeof(text), "$%s", name);
        report(text);
    }
    return __wrap_getenv(name);
}

/* libc's own would take the copy from libc's heap, which is not stored. */
static char *
library_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);

    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

static char *
library_strndup(const char *text, size_t max)
{
    size_t size = strnlen(text, max);
    char *copy = malloc(size + 1);

    if (copy == NULL) {
        return NULL;
    }
    copy[size] = '\0';
    return memcpy(copy, text, size);
}

/* What would be done to thread-local data at the end of the thread.  Of the
 * main thread's nothing has to be: the process ends with it. */
static int
library_thread_atexit(void (*destroy)(void *), void *object, void *library)
{
    typedef int real_function(void (*)(void *), void *, void *);
    real_function *real;
    void *found;

    if (watch.making) {
        return 0;
    }
    /* Not of glibc 2.17, which the base is linked for. */
    found = pexcz_library_look_up("__cxa_thread_atexit_impl", NULL);
    memcpy(&real, &found, sizeof(found));
    return real != NULL ? real(destroy, object, library) : 0;
}

/* For a function that may be missing in an older libc. */
static void *
library_dlsym(void *handle, const char *name)
{
    void *found;

    if (!watch.making) {
        return dlsym(handle, name);
    }
    found = handle == RTLD_DEFAULT ? pexcz_library_constant(name) : NULL;
    if (found == NULL) {
        report("dlsym");
        return dlsym(handle, name);
    }
    return found;
}

uint64_t
pexcz_library_replacement(const char *name)
{
#define REPLACEMENT(name, function)                                           \
    {                                                                         \
        name, (uintptr_t)(void *)(function)                                   \
    }
    static const struct {
        const char *name;
        uint64_t address;
    } all[] = {
        REPLACEMENT("dlsym", library_dlsym),
        REPLACEMENT("fopen", pexcz_library_fopen),
        REPLACEMENT("fopen64", pexcz_library_fopen),
        REPLACEMENT("stat", pexcz_library_stat),
        REPLACEMENT("stat64", pexcz_library_stat),
        REPLACEMENT("access", pexcz_library_access),
        REPLACEMENT("getrandom", pexcz_library_getrandom),
        REPLACEMENT("getentropy", pexcz_library_getentropy),
        REPLACEMENT("gettid", pexcz_library_gettid),
        REPLACEMENT("getenv", library_getenv),
        REPLACEMENT("secure_getenv", library_getenv),
        REPLACEMENT("__secure_getenv", library_getenv),
        REPLACEMENT("strdup", library_strdup),
        REPLACEMENT("__strdup", library_strdup),
        REPLACEMENT("strndup", library_strndup),
        REPLACEMENT("__strndup", library_strndup),
        REPLACEMENT("sysconf", pexcz_library_sysconf),
        REPLACEMENT("sched_getaffinity", pexcz_library_sched_getaffinity),
        REPLACEMENT("open", pexcz_library_open_file),
        REPLACEMENT("open64", pexcz_library_open_file),
        REPLACEMENT("__cxa_thread_atexit_impl", library_thread_atexit),
        REPLACEMENT("pthread_key_create", __wrap_pthread_key_create),
        REPLACEMENT("__pthread_key_create", __wrap_pthread_key_create),
        REPLACEMENT("pthread_key_delete", __wrap_pthread_key_delete),
        REPLACEMENT("pthread_self", __wrap_pthread_self),
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (strcmp(all[i].name, name) == 0) {
            return all[i].address;
        }
    }
    return 0;
}
