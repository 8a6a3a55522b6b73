/* SPDX-License-Identifier: Apache-2.0 */
#define Py_BUILD_CORE 1
#include "main_thread.h"
#include "import.h"
#include "python_version.h"

#include <internal/pycore_pystate.h>
#include <internal/pycore_runtime.h>
#include <pthread.h>
#include <string.h>

/* Of threading's main thread, for the number that the process will have. */
#define NEUTRAL_NATIVE_ID 1

/* 0, or -1 with an exception. */
static int
renew_handle(PyObject *threading, PyObject *main_thread, unsigned long ident)
{
    PyObject *handle;
    int rc;

    if (!PEXCZ_THREADS_HAVE_HANDLES) {
        return 0;
    }
    handle = PyObject_CallMethod(threading, "_make_thread_handle", "k", ident);
    rc = handle != NULL
             ? PyObject_SetAttrString(main_thread, "_handle", handle)
             : -1;
    Py_XDECREF(handle);
    return rc;
}

/* threading's main thread under another identifier, if threading is there. */
static int
rekey(unsigned long ident, PyObject *native_id)
{
    PyObject *name = PyUnicode_FromString("threading");
    PyObject *threading = name != NULL ? PyImport_GetModule(name) : NULL;
    PyObject *main_thread;
    PyObject *active;
    PyObject *old;
    PyObject *new;
    int rc = -1;

    Py_XDECREF(name);
    if (threading == NULL) {
        return PyErr_Occurred() != NULL ? -1 : 0;
    }
    main_thread = pexcz_attribute(threading, "_main_thread");
    active = pexcz_attribute(threading, "_active");
    old = main_thread != NULL ? pexcz_attribute(main_thread, "_ident") : NULL;
    new = PyLong_FromUnsignedLong(ident);
    if (active != NULL && old != NULL
        && new != NULL &&PyObject_DelItem(active, old) == 0
        && PyObject_SetItem(active, new, main_thread) == 0
        && PyObject_SetAttrString(main_thread, "_ident", new) == 0
        && renew_handle(threading, main_thread, ident) == 0) {
        rc = PyObject_SetAttrString(main_thread, "_native_id", native_id);
    }
    Py_XDECREF(new);
    Py_XDECREF(old);
    Py_XDECREF(active);
    Py_XDECREF(main_thread);
    Py_DECREF(threading);
    return rc;
}

int
pexcz_main_thread_forget(void)
{
    PyThreadState *state = PyThreadState_Get();
    PyObject *native_id = PyLong_FromLong(NEUTRAL_NATIVE_ID);
    int rc = native_id != NULL ? rekey(state->thread_id, native_id) : -1;

    Py_XDECREF(native_id);
    state->native_thread_id = 0;
    return rc;
}

void
pexcz_main_thread_clear_frames(void)
{
    PyThreadState *state = PyThreadState_Get();

    memset(state->datastack_top, 0,
           (size_t)((char *)state->datastack_limit
                    - (char *)state->datastack_top));
}

void
pexcz_main_thread_adopt(PyThreadState *state)
{
    (void)pthread_setspecific(PEXCZ_THREAD_STATE_KEY, state);
#if PEXCZ_THREADS_HAVE_HANDLES
    _Py_tss_tstate = state;
    HEAD_UNLOCK(&_PyRuntime); /* of PyOS_BeforeFork(); handles need it */
#endif
    state->thread_id = PyThread_get_thread_ident();
    state->native_thread_id = PyThread_get_thread_native_id();
    _PyRuntime.main_thread = state->thread_id;
}

int
pexcz_main_thread_rekey(void)
{
    PyObject *native_id
        = PyLong_FromUnsignedLong(PyThread_get_thread_native_id());
    int rc = native_id != NULL ? rekey(PyThread_get_thread_ident(), native_id)
                               : -1;

    Py_XDECREF(native_id);
    return rc;
}
