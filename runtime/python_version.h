/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs between the versions of CPython that a base may have: the only
 * file of the runtime that knows their numbers.
 */
#ifndef PEXCZ_PYTHON_VERSION_H
#define PEXCZ_PYTHON_VERSION_H

#include <Python.h>

/*
 * A heap snapshot restores CPython's static data and thread state by hand, as
 * these versions have them; another one boots ordinarily.
 */
#if (PY_VERSION_HEX >= 0x030b0000 && PY_VERSION_HEX < 0x030c0000)             \
    || (PY_VERSION_HEX >= 0x030d0000 && PY_VERSION_HEX < 0x030e0000)
#define PEXCZ_HAS_SNAPSHOT 1
#else
#define PEXCZ_HAS_SNAPSHOT 0
#endif

/* It moved from the public headers into the internal ones. */
#if PY_VERSION_HEX >= 0x030d0000
extern const PyConfig *_PyInterpreterState_GetConfig(PyInterpreterState *);
#endif

/* The key under which a thread finds its PyThreadState; pycore_runtime.h. */
#if PY_VERSION_HEX >= 0x030d0000
#define PEXCZ_THREAD_STATE_KEY (_PyRuntime.autoTSSkey._key)
#else
#define PEXCZ_THREAD_STATE_KEY (_PyRuntime.gilstate.autoTSSkey._key)
#endif

/* The text of site's `credits`. */
#if PY_VERSION_HEX >= 0x030d0000
#define PEXCZ_CREDITS                                                         \
    "    Thanks to CWI, CNRI, BeOpen, Zope Corporation, the Python Software"  \
    "\n    Foundation, and a cast of thousands for supporting Python\n    "   \
    "development.  See www.python.org for more information."
#else
#define PEXCZ_CREDITS                                                         \
    "    Thanks to CWI, CNRI, BeOpen.com, Zope Corporation and a cast of "    \
    "thousands\n    for supporting Python development.  See www.python.org "  \
    "for more information."
#endif

/* Reports the exception that is set, of `o`, while Python ends: "on …". */
static inline void
pexcz_report_unraisable(PyObject *o, const char *when)
{
#if PY_VERSION_HEX >= 0x030d0000
    (void)o;
    PyErr_FormatUnraisable("Exception ignored %s", when);
#else
    (void)when;
    PyErr_WriteUnraisable(o);
#endif
}

/* Whether every generator has a handler of the compiler's, for StopIteration,
 * which closing it need not run; then RESUME says whether it is in another. */
#define PEXCZ_GENERATORS_HAVE_HANDLER (PY_VERSION_HEX >= 0x030d0000)

/* Whether threading.Thread has a _handle, which knows the thread's number. */
#define PEXCZ_THREADS_HAVE_HANDLES (PY_VERSION_HEX >= 0x030d0000)

/* Whether a generator or coroutine waits to be continued: pycore_frame.h,
 * FRAME_SUSPENDED and, later, FRAME_SUSPENDED_YIELD_FROM. */
static inline int
pexcz_generator_is_suspended(const PyGenObject *generator)
{
#if PY_VERSION_HEX >= 0x030d0000
    return generator->gi_frame_state == -1 || generator->gi_frame_state == -2;
#else
    return generator->gi_frame_state == -1;
#endif
}

/* The code object of a generator or coroutine. */
static inline PyCodeObject *
pexcz_generator_code(PyObject *generator)
{
#if PY_VERSION_HEX >= 0x030d0000
    PyCodeObject *code = PyGen_GetCode((PyGenObject *)generator);

    Py_DECREF(code); /* the generator has another reference */
    return code;
#else
    return ((PyGenObject *)generator)->gi_code;
#endif
}

#endif
