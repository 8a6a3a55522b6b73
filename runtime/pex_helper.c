/* SPDX-License-Identifier: Apache-2.0 */
#include "pex_helper.h"

#include "text_file.h"

#include <stdarg.h>

extern const char pexcz_pex_prompt_text[];
extern const char pexcz_pex_run_text[];
extern const char pexcz_pex_tools_text[];

PEXCZ_TEXT_FILE(pexcz_pex_prompt_text, "pex_prompt.py");
PEXCZ_TEXT_FILE(pexcz_pex_run_text, "pex_run.py");
PEXCZ_TEXT_FILE(pexcz_pex_tools_text, "pex_tools.py");

static PyObject *
load(enum pexcz_helper helper)
{
    static PyObject *namespaces[3];
    static const char *const texts[3] = {
        [PEXCZ_HELPER_PROMPT] = pexcz_pex_prompt_text,
        [PEXCZ_HELPER_RUN] = pexcz_pex_run_text,
        [PEXCZ_HELPER_TOOLS] = pexcz_pex_tools_text,
    };
    static const char *const names[3] = {
        [PEXCZ_HELPER_PROMPT] = "<pexcz: pex_prompt.py>",
        [PEXCZ_HELPER_RUN] = "<pexcz: pex_run.py>",
        [PEXCZ_HELPER_TOOLS] = "<pexcz: pex_tools.py>",
    };
    PyObject *dict = namespaces[helper];
    PyObject *code;
    PyObject *result;

    if (dict != NULL) {
        return dict;
    }
    code = Py_CompileString(texts[helper], names[helper], Py_file_input);
    dict = code != NULL ? PyDict_New() : NULL;
    if (dict == NULL
        || PyDict_SetItemString(dict, "__builtins__", PyEval_GetBuiltins()) < 0
        || (result = PyEval_EvalCode(code, dict, dict)) == NULL) {
        Py_XDECREF(code);
        Py_XDECREF(dict);
        return NULL;
    }
    Py_DECREF(result);
    Py_DECREF(code);
    namespaces[helper] = dict;
    return dict;
}

PyObject *
pexcz_helper_call(enum pexcz_helper helper, const char *function,
                  const char *format, ...)
{
    PyObject *dict = load(helper);
    PyObject *callable = dict != NULL ? PyDict_GetItemString(dict, function)
                                      : NULL; /* borrowed */
    PyObject *args = NULL;
    PyObject *result = NULL;
    va_list ap;

    if (callable != NULL) {
        va_start(ap, format);
        args = Py_VaBuildValue(format, ap);
        va_end(ap);
    }
    if (args != NULL) {
        result = PyObject_CallObject(callable, args);
    }
    Py_XDECREF(args);
    return result;
}

PyObject *
pexcz_helper_text(const char *text)
{
    return text != NULL ? PyUnicode_DecodeFSDefault(text) : Py_NewRef(Py_None);
}
