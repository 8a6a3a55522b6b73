/* SPDX-License-Identifier: Apache-2.0 */
#define Py_BUILD_CORE 1
#include <Python.h>

#include "orig_argv.h"

#include <internal/pycore_initconfig.h>
#include <internal/pycore_runtime.h>
#include <string.h>

/* CPython has no call for this alone: writing the configuration again, which
 * is otherwise the one that it has, sets the arguments as well. */
static int
write_arguments(const PyWideStringList *argv)
{
    PyConfig config = *_PyInterpreterState_GetConfig(PyInterpreterState_Get());

    config.orig_argv = *argv;
    return PyStatus_Exception(_PyConfig_Write(&config, &_PyRuntime)) ? -1 : 0;
}

/* As Py_DecodeLocale(), but without libc's tables of character sets where each
 * encoding gives the same. */
static wchar_t *
decode(const char *text)
{
    size_t n = strlen(text);
    wchar_t *wide;

    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] >= 0x80) {
            return Py_DecodeLocale(text, NULL);
        }
    }
    wide = PyMem_RawMalloc((n + 1) * sizeof(*wide));
    for (size_t i = 0; wide != NULL && i <= n; i++) {
        wide[i] = text[i];
    }
    return wide;
}

int
pexcz_orig_argv_put(int argc, char *const *argv)
{
    PyWideStringList list = {
        .items = PyMem_RawCalloc((size_t)argc + 1, sizeof(wchar_t *)),
    };
    int rc = list.items != NULL ? 0 : -1;

    while (rc == 0 && list.length < argc) {
        wchar_t *text = decode(argv[list.length]);

        list.items[list.length] = text;
        list.length += text != NULL ? 1 : 0;
        rc = text != NULL ? 0 : -1;
    }
    if (rc == 0) {
        rc = write_arguments(&list);
    }
    for (Py_ssize_t i = 0; i < list.length; i++) {
        PyMem_RawFree(list.items[i]);
    }
    PyMem_RawFree(list.items);
    return rc;
}
