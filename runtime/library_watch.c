/* SPDX-License-Identifier: Apache-2.0 */
#include "library_watch.h"

#include "library_absent.h"
#include "library_actions.h"
#include "library_construct.h"
#include "library_entropy.h"
#include "library_outside.h"
#include "library_processors.h"
#include "library_relocate.h"
#include "library_settle.h"
#include "library_stubs.h"
#include "library_tls.h"
#include "process_facts.h"

#include <dlfcn.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern char *__real_getenv(const char *name);
extern char *__wrap_getenv(const char *name);
extern int __wrap_pthread_key_create(pthread_key_t *key,
                                     void (*destructor)(void *));
extern int __real_pthread_key_create(pthread_key_t *key,
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

/* A library may have let go of the interpreter while it works (cffi); the
 * frames of the thread are still those that have called it. */
static void
tell(const char *what)
{
    PyGILState_STATE state;
    PyObject *result;
    PyObject *type;
    PyObject *value;
    PyObject *traceback;

    if (watch.report == NULL || PyGILState_GetThisThreadState() == NULL) {
        if (watch.unreported[0] == '\0') {
            (void)snprintf(watch.unreported, sizeof(watch.unreported), "%s",
                           what);
        }
        return;
    }
    state = PyGILState_Ensure();
    PyErr_Fetch(&type, &value, &traceback);
    result = PyObject_CallFunction(watch.report, "s", what);
    if (result == NULL) {
        PyErr_WriteUnraisable(watch.report);
    }
    Py_XDECREF(result);
    PyErr_Restore(type, value, traceback);
    PyGILState_Release(state);
}

/* What constructors do is remade. */
static void
report(const char *what)
{
    if (!pexcz_library_constructor_acts()
        && !pexcz_library_is_constructors_thread()) {
        tell(what);
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

/* `kind`: '$', or '=' where a constructor reads it at each start. */
static void
tell_variable(char kind, const char *name)
{
    char text[128];

    if (watch.making && watch.report != NULL) {
        (void)snprintf(text, sizeof(text), "%c%s", kind, name);
        tell(text);
    }
}

static char *
library_getenv(const char *name)
{
    char *value = NULL;

    if (pexcz_library_is_constructing()) {
        tell_variable('=', name);
        value = __real_getenv(name);
        if (pexcz_library_constructor_variable(name, value, &value)
            || value != NULL) {
            (void)pexcz_library_constructor_acts();
            return value;
        } /* of any other the snapshot is bound to its value */
    }
    tell_variable('$', name);
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

/* libc has one of its own for "C", which does not move. */
static locale_t
library_newlocale(int mask, const char *name, locale_t base)
{
    locale_t made = newlocale(mask, name, base);

    if (watch.making && made != (locale_t)0) {
        if ((mask & LC_ALL_MASK) == LC_ALL_MASK && base == (locale_t)0
            && strcmp(name, "C") == 0) {
            pexcz_library_settle_locale(made);
        }
        else {
            pexcz_library_watched("newlocale");
        }
    }
    return made;
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

static int
library_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    int rc;

    if (!pexcz_library_is_constructing()) {
        return __wrap_pthread_key_create(key, destructor);
    }
    rc = __real_pthread_key_create(key, destructor);
    if (rc == 0) {
        pexcz_library_constructor_key(*key);
    }
    return rc;
}

/* --- in the place of libstdc++'s ------------------------------------------
 */

/* libstdc++'s own knows what to do when there is no memory. */
static void *
new_of_libstdcxx(size_t size)
{
    typedef void *new_fn(size_t);
    void *found = pexcz_library_outside_find("libstdc++.so.6", "_Znwm", NULL);
    new_fn *real;

    memcpy(&real, &found, sizeof(found));
    if (real == NULL) {
        abort();
    }
    return real(size);
}

static void *
library_new(size_t size)
{
    void *block = malloc(size != 0 ? size : 1);

    return block != NULL ? block : new_of_libstdcxx(size);
}

static void *
library_new_nothrow(size_t size)
{
    return malloc(size != 0 ? size : 1);
}

static void *
library_new_aligned(size_t size, size_t align)
{
    size_t whole = (size + align - 1) & ~(align - 1);
    void *block = aligned_alloc(align, whole != 0 ? whole : align);

    return block != NULL ? block : new_of_libstdcxx(SIZE_MAX);
}

static void
library_delete(void *block)
{
    free(block);
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

#define REPLACEMENT(name, function)                                           \
    {                                                                         \
        name, (uintptr_t)(void *)(function)                                   \
    }

struct replacement {
    const char *name;
    uint64_t address;
};

static uint64_t
find(const struct replacement *all, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(all[i].name, name) == 0) {
            return all[i].address;
        }
    }
    return 0;
}

uint64_t
pexcz_library_replacement(const char *name)
{
    static const struct replacement all[] = {
        REPLACEMENT("dlopen", pexcz_library_dlopen),
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
        REPLACEMENT("newlocale", library_newlocale),
        REPLACEMENT("__cxa_atexit", pexcz_library_cxa_atexit),
        REPLACEMENT("__register_atfork", pexcz_library_register_atfork),
        REPLACEMENT("__tls_get_addr", pexcz_library_tls_get_addr),
        REPLACEMENT("pthread_key_create", library_key_create),
        REPLACEMENT("__pthread_key_create", library_key_create),
        REPLACEMENT("pthread_key_delete", __wrap_pthread_key_delete),
        REPLACEMENT("pthread_self", __wrap_pthread_self),
    };

    return find(all, sizeof(all) / sizeof(all[0]), name);
}

uint64_t
pexcz_library_new_replacement(const char *name)
{
    static const struct replacement all[] = {
        REPLACEMENT("__cxa_thread_atexit", library_thread_atexit),
        REPLACEMENT("_Znwm", library_new),
        REPLACEMENT("_Znam", library_new),
        REPLACEMENT("_ZnwmRKSt9nothrow_t", library_new_nothrow),
        REPLACEMENT("_ZnamRKSt9nothrow_t", library_new_nothrow),
        REPLACEMENT("_ZnwmSt11align_val_t", library_new_aligned),
        REPLACEMENT("_ZnamSt11align_val_t", library_new_aligned),
        REPLACEMENT("_ZdlPv", library_delete),
        REPLACEMENT("_ZdaPv", library_delete),
        REPLACEMENT("_ZdlPvm", library_delete),
        REPLACEMENT("_ZdaPvm", library_delete),
        REPLACEMENT("_ZdlPvRKSt9nothrow_t", library_delete),
        REPLACEMENT("_ZdaPvRKSt9nothrow_t", library_delete),
        REPLACEMENT("_ZdlPvSt11align_val_t", library_delete),
        REPLACEMENT("_ZdaPvSt11align_val_t", library_delete),
        REPLACEMENT("_ZdlPvmSt11align_val_t", library_delete),
        REPLACEMENT("_ZdaPvmSt11align_val_t", library_delete),
    };

    return find(all, sizeof(all) / sizeof(all[0]), name);
}
