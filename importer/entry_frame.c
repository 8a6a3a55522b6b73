/* SPDX-License-Identifier: Apache-2.0 */
#include "entry_frame.h"

#define VARIABLE "entry_point"

/* In the owned data, so that a snapshot has it; elsewhere NULL. */
static PyObject *prepared;

static PyObject *
compile(void)
{
    return Py_CompileString(VARIABLE "()", "<pexcz>", Py_eval_input);
}

int
pexcz_entry_frame_prepare(void)
{
    prepared = compile();
    return prepared != NULL ? 0 : -1;
}

static void
drop_own_entry(PyObject *code)
{
    PyObject *type;
    PyObject *value;
    PyObject *traceback;

    PyErr_Fetch(&type, &value, &traceback);
    if (traceback != NULL && PyTraceBack_Check(traceback)) {
        const PyTracebackObject *entry = (const void *)traceback;
        PyCodeObject *of_frame = PyFrame_GetCode(entry->tb_frame);
        PyObject *next = (PyObject *)entry->tb_next;

        if ((PyObject *)of_frame == code) {
            Py_XINCREF(next);
            Py_SETREF(traceback, next);
        }
        Py_DECREF(of_frame);
    }
    PyErr_Restore(type, value, traceback);
}

PyObject *
pexcz_entry_frame_call(PyObject *function)
{
    PyObject *module = PyImport_AddModule("__main__");
    PyObject *code = prepared != NULL ? Py_NewRef(prepared) : compile();
    PyObject *locals = Py_BuildValue("{sO}", VARIABLE, function);
    PyObject *result = NULL;

    if (module != NULL && code != NULL && locals != NULL) {
        result = PyEval_EvalCode(code, PyModule_GetDict(module), locals);
    }
    if (result == NULL && code != NULL) {
        drop_own_entry(code);
    }
    Py_XDECREF(locals);
    Py_XDECREF(code);
    return result;
}
