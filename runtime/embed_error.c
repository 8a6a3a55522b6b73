/* SPDX-License-Identifier: Apache-2.0 */
#include "embed.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
reset(struct pexcz_runtime_error *err, int code)
{
    memset(err, 0, sizeof(*err));
    err->code = code;
}

int
pexcz_embed_fail(struct pexcz_runtime_error *err, int code, const char *fmt,
                 ...)
{
    va_list ap;

    if (err != NULL) {
        reset(err, code);
        va_start(ap, fmt);
        (void)vsnprintf(err->message, sizeof(err->message), fmt, ap);
        va_end(ap);
    }
    return code;
}

int
pexcz_embed_fail_with(struct pexcz_runtime_error *err,
                      const struct pexcz_error *cause)
{
    int code = (int)cause->code;

    (void)pexcz_embed_fail(err, code, "%s", cause->msg);
    if (err != NULL) {
        err->sys_errno = cause->sys_errno;
    }
    return code;
}

int
pexcz_embed_fail_status(struct pexcz_runtime_error *err,
                        const PyStatus *status)
{
    if (PyStatus_IsExit(*status)) {
        return pexcz_embed_fail(err, PEXCZ_RUNTIME_E_START,
                                "Python asks for an exit, code %d",
                                status->exitcode);
    }
    return pexcz_embed_fail(
        err, PEXCZ_RUNTIME_E_START, "Python cannot be started: %s%s%s",
        status->func != NULL ? status->func : "",
        status->func != NULL ? ": " : "",
        status->err_msg != NULL ? status->err_msg : "no reason given");
}

/* str(object) into dst[cap], cut at a character. */
static void
copy_text(PyObject *object, char *dst, size_t cap)
{
    PyObject *text = object != NULL ? PyObject_Str(object) : NULL;
    PyObject *bytes
        = text != NULL
              ? PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace")
              : NULL;
    size_t len = bytes != NULL ? (size_t)PyBytes_GET_SIZE(bytes) : 0;

    if (len >= cap) {
        len = cap - 1;
        while (len > 0 && (PyBytes_AS_STRING(bytes)[len] & 0xc0) == 0x80) {
            len--;
        }
    }
    if (len != 0) {
        memcpy(dst, PyBytes_AS_STRING(bytes), len);
    }
    dst[len] = '\0';
    Py_XDECREF(bytes);
    Py_XDECREF(text);
    PyErr_Clear();
}

/* "module.Name", without "builtins.". */
static void
copy_type(PyObject *type, char *dst, size_t cap)
{
    PyObject *module = PyObject_GetAttrString(type, "__module__");
    PyObject *name = PyObject_GetAttrString(type, "__qualname__");
    bool plain = module == NULL || !PyUnicode_Check(module)
                 || PyUnicode_CompareWithASCIIString(module, "builtins") == 0;
    PyObject *whole = name == NULL ? NULL
                      : plain      ? Py_NewRef(name)
                              : PyUnicode_FromFormat("%U.%S", module, name);

    PyErr_Clear();
    copy_text(whole, dst, cap);
    Py_XDECREF(whole);
    Py_XDECREF(name);
    Py_XDECREF(module);
}

static void
copy_traceback(PyObject *type, PyObject *value, PyObject *tb, char *dst,
               size_t cap)
{
    PyObject *traceback = PyImport_ImportModule("traceback");
    PyObject *parts
        = traceback != NULL
              ? PyObject_CallMethod(traceback, "format_exception", "OOO", type,
                                    value, tb != NULL ? tb : Py_None)
              : NULL;
    PyObject *empty = PyUnicode_FromString("");
    PyObject *whole
        = parts != NULL && empty != NULL ? PyUnicode_Join(empty, parts) : NULL;

    PyErr_Clear();
    if (whole != NULL) {
        copy_text(whole, dst, cap);
    }
    Py_XDECREF(whole);
    Py_XDECREF(empty);
    Py_XDECREF(parts);
    Py_XDECREF(traceback);
}

int
pexcz_embed_exception(struct pexcz_runtime_error *err)
{
    PyObject *type;
    PyObject *value;
    PyObject *tb;

    PyErr_Fetch(&type, &value, &tb);
    PyErr_NormalizeException(&type, &value, &tb);
    if (tb != NULL && value != NULL) {
        (void)PyException_SetTraceback(value, tb);
    }
    if (err != NULL) {
        reset(err, PEXCZ_RUNTIME_E_EXCEPTION);
        if (type != NULL) {
            copy_type(type, err->type, sizeof(err->type));
        }
        copy_text(value, err->message, sizeof(err->message));
        if (type != NULL) {
            copy_traceback(type, value, tb, err->traceback,
                           sizeof(err->traceback));
        }
    }
    Py_XDECREF(tb);
    Py_XDECREF(value);
    Py_XDECREF(type);
    PyErr_Clear();
    return PEXCZ_RUNTIME_E_EXCEPTION;
}

int
pexcz_embed_system_exit(struct pexcz_runtime_error *err)
{
    PyObject *type;
    PyObject *value;
    PyObject *tb;
    PyObject *code;
    int rc = 0;

    PyErr_Fetch(&type, &value, &tb);
    PyErr_NormalizeException(&type, &value, &tb);
    code = value != NULL ? PyObject_GetAttrString(value, "code") : NULL;
    PyErr_Clear();
    if (code != NULL && PyLong_Check(code)) {
        /* As exit() does it: the process's code is its low byte. */
        rc = (int)PyLong_AsLong(code) & 0xff;
        PyErr_Clear();
    }
    else if (code != NULL && code != Py_None) {
        rc = 1;
        if (err != NULL) {
            copy_text(code, err->message, sizeof(err->message));
        }
    }
    Py_XDECREF(code);
    Py_XDECREF(tb);
    Py_XDECREF(value);
    Py_XDECREF(type);
    return rc;
}
