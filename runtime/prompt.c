/* SPDX-License-Identifier: Apache-2.0 */
#include <Python.h>

#include "prompt.h"
#include "python_version.h"

#include <stdbool.h>
#include <unistd.h>

static bool
will_prompt(void)
{
    const PyConfig *config
        = _PyInterpreterState_GetConfig(PyInterpreterState_Get());

    return isatty(STDIN_FILENO) != 0
           && (config->inspect != 0
               || (config->run_command == NULL && config->run_module == NULL
                   && config->run_filename == NULL));
}

void
pexcz_prompt_edit(void)
{
    PyObject *readline;
    PyObject *completer = NULL;
    PyObject *bound = NULL;

    if (!will_prompt()) {
        return;
    }
    readline = PyImport_ImportModule("readline");
    if (readline != NULL) {
        completer = PyImport_ImportModule("rlcompleter");
        bound = PyObject_CallMethod(readline, "parse_and_bind", "s",
                                    "bind ^I rl_complete");
    }
    Py_XDECREF(bound);
    Py_XDECREF(completer);
    Py_XDECREF(readline);
    /* A Python that was built without it has a plain prompt. */
    PyErr_Clear();
}
