/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line that importlib's exec_module() has in tracebacks.
 */
#include "importer_state.h"

#include <frameobject.h>
#include <traceback.h>

static PyCodeObject *
code_of_base(const struct pexcz_importer_state *state)
{
    PyObject *function
        = PyObject_GetAttrString(state->source_file_loader, "exec_module");
    PyObject *code = function != NULL
                         ? PyObject_GetAttrString(function, "__code__")
                         : NULL;

    Py_XDECREF(function);
    if (code != NULL && !PyCode_Check(code)) {
        Py_CLEAR(code);
    }
    return (PyCodeObject *)code;
}

/* Of the lines of its body the last, or the first but for the `def`. */
static int
line_in(PyCodeObject *code, bool last)
{
    PyObject *lines = PyObject_CallMethod((PyObject *)code, "co_lines", NULL);
    PyObject *item;
    long found = 0;

    while (lines != NULL && (item = PyIter_Next(lines)) != NULL) {
        long line = PyTuple_Check(item) && PyTuple_GET_SIZE(item) == 3
                            && PyLong_Check(PyTuple_GET_ITEM(item, 2))
                        ? PyLong_AsLong(PyTuple_GET_ITEM(item, 2))
                        : 0;

        if (line > code->co_firstlineno
            && (found == 0 || (last ? line > found : line < found))) {
            found = line;
        }
        Py_DECREF(item);
    }
    Py_XDECREF(lines);
    PyErr_Clear();
    return found != 0 ? (int)found : code->co_firstlineno;
}

void
pexcz_importer_trace_exec(const struct pexcz_importer_state *state,
                          bool executing)
{
    PyObject *type;
    PyObject *value;
    PyObject *traceback;
    PyCodeObject *base;
    PyCodeObject *code = NULL;
    PyFrameObject *frame = NULL;

    PyErr_Fetch(&type, &value, &traceback);
    base = code_of_base(state);
    if (base != NULL) {
        const char *file = PyUnicode_AsUTF8(base->co_filename);

        code = file != NULL ? PyCode_NewEmpty(file, "exec_module",
                                              line_in(base, executing))
                            : NULL;
    }
    if (code != NULL) {
        frame = PyFrame_New(PyThreadState_Get(), code, state->sys_dict, NULL);
    }
    PyErr_Restore(type, value, traceback);
    if (frame != NULL) {
        (void)PyTraceBack_Here(frame);
    }
    Py_XDECREF(frame);
    Py_XDECREF(code);
    Py_XDECREF(base);
}
