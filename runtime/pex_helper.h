/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Python code of the runtime's own, for what is rare at start: it lies in the
 * executable as text and is compiled when it is called.
 */
#ifndef PEXCZ_PEX_HELPER_H
#define PEXCZ_PEX_HELPER_H

/* Lengths in formats are Py_ssize_t. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

enum pexcz_helper {
    PEXCZ_HELPER_PROMPT, /* pex_prompt.py */
    PEXCZ_HELPER_RUN,    /* pex_run.py */
    PEXCZ_HELPER_TOOLS,  /* pex_tools.py */
};

/* Calls a function with the arguments that Py_BuildValue() makes of `format`,
 * which begins with '('.  A new reference, NULL with an exception. */
PyObject *pexcz_helper_call(enum pexcz_helper helper, const char *function,
                            const char *format, ...);

/* For Py_BuildValue()'s "N": text of the environment, or None for NULL. */
PyObject *pexcz_helper_text(const char *text);

#endif
