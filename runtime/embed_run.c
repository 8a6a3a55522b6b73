/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedding library's calls into a running Python.
 */
#include "embed.h"

#include "command.h"
#include "entry_point.h"
#include "exe_layout.h"

#include <stdlib.h>
#include <string.h>

static void
flush(const char *name)
{
    PyObject *stream = PySys_GetObject(name);
    PyObject *result = stream != NULL && stream != Py_None
                           ? PyObject_CallMethod(stream, "flush", NULL)
                           : NULL;

    Py_XDECREF(result);
    PyErr_Clear();
}

static bool
has_entry_point(const struct pexcz_runtime *rt)
{
    struct pexcz_slice value;

    return rt->app != NULL
           && (pexcz_blob_boot_get(rt->app, PEXCZ_BOOT_ENTRY_MODULE, &value)
               || pexcz_blob_boot_get(rt->app, PEXCZ_BOOT_ENTRY_SCRIPT,
                                      &value));
}

int
pexcz_runtime_run(struct pexcz_runtime *rt, int *ret_exit_code,
                  struct pexcz_runtime_error *err)
{
    const struct pexcz_pex_variables none = {0};
    const struct pexcz_command command = {.role = PEXCZ_ROLE_APPLICATION};
    PyGILState_STATE gil;
    int code = 0;
    int rc = PEXCZ_RUNTIME_OK;

    if (!has_entry_point(rt)) {
        return pexcz_embed_fail(err, PEXCZ_RUNTIME_E_NOT_FOUND,
                                "%s: no entry point", rt->file.path);
    }
    gil = PyGILState_Ensure();
    if (pexcz_run_entry_point(rt->app, &command, &none) < 0) {
        if (PyErr_ExceptionMatches(PyExc_SystemExit)) {
            code = pexcz_embed_system_exit(err);
        }
        else {
            rc = pexcz_embed_exception(err);
        }
    }
    flush("stdout");
    flush("stderr");
    PyGILState_Release(gil);
    if (rc == PEXCZ_RUNTIME_OK && ret_exit_code != NULL) {
        *ret_exit_code = code;
    }
    return rc;
}

int
pexcz_runtime_run_string(struct pexcz_runtime *rt, const char *code,
                         const char *name, struct pexcz_runtime_error *err)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *compiled = Py_CompileString(
        code, name != NULL ? name : "<string>", Py_file_input);
    PyObject *module = PyImport_AddModule("__main__");
    PyObject *dict = module != NULL ? PyModule_GetDict(module) : NULL;
    PyObject *result = NULL;
    int rc = PEXCZ_RUNTIME_OK;

    (void)rt;
    if (compiled != NULL && dict != NULL) {
        result = PyEval_EvalCode(compiled, dict, dict);
    }
    if (result == NULL) {
        rc = pexcz_embed_exception(err);
    }
    Py_XDECREF(result);
    Py_XDECREF(compiled);
    flush("stdout");
    flush("stderr");
    PyGILState_Release(gil);
    return rc;
}

/* --- values ---------------------------------------------------------------
 */

static PyObject *
to_python(const struct pexcz_runtime_value *value)
{
    switch (value->type) {
    case PEXCZ_RUNTIME_NONE:
        return Py_NewRef(Py_None);
    case PEXCZ_RUNTIME_BOOL:
        return PyBool_FromLong(value->as.boolean);
    case PEXCZ_RUNTIME_INT:
        return PyLong_FromLongLong(value->as.integer);
    case PEXCZ_RUNTIME_FLOAT:
        return PyFloat_FromDouble(value->as.number);
    case PEXCZ_RUNTIME_TEXT:
        return PyUnicode_DecodeUTF8(value->as.bytes.data,
                                    (Py_ssize_t)value->as.bytes.size, NULL);
    case PEXCZ_RUNTIME_BYTES:
        return PyBytes_FromStringAndSize(value->as.bytes.data,
                                         (Py_ssize_t)value->as.bytes.size);
    }
    return PyErr_Format(PyExc_ValueError, "no such type of a value: %d",
                        (int)value->type);
}

static int
copy_bytes(const void *data, Py_ssize_t size, enum pexcz_runtime_type type,
           struct pexcz_runtime_value *ret, struct pexcz_runtime_error *err)
{
    char *copy = malloc((size_t)size + 1);

    if (copy == NULL) {
        return pexcz_embed_fail(err, PEXCZ_RUNTIME_E_NOMEM, "out of memory");
    }
    if (size != 0) {
        memcpy(copy, data, (size_t)size);
    }
    copy[size] = '\0';
    *ret = (struct pexcz_runtime_value){.type = type};
    ret->as.bytes.data = copy;
    ret->as.bytes.size = (size_t)size;
    return PEXCZ_RUNTIME_OK;
}

static int
int_to_c(PyObject *object, struct pexcz_runtime_value *ret,
         struct pexcz_runtime_error *err)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(object, &overflow);

    if (overflow != 0) {
        return pexcz_embed_fail(err, PEXCZ_RUNTIME_E_VALUE,
                                "the result is an int beyond 64 bits");
    }
    if (number == -1 && PyErr_Occurred() != NULL) {
        return pexcz_embed_exception(err);
    }
    *ret = (struct pexcz_runtime_value){.type = PEXCZ_RUNTIME_INT};
    ret->as.integer = number;
    return PEXCZ_RUNTIME_OK;
}

static int
buffer_to_c(PyObject *object, struct pexcz_runtime_value *ret,
            struct pexcz_runtime_error *err)
{
    Py_buffer view;
    int rc;

    if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0) {
        return pexcz_embed_exception(err);
    }
    rc = copy_bytes(view.buf, view.len, PEXCZ_RUNTIME_BYTES, ret, err);
    PyBuffer_Release(&view);
    return rc;
}

static int
to_c(PyObject *object, struct pexcz_runtime_value *ret,
     struct pexcz_runtime_error *err)
{
    if (object == Py_None) {
        *ret = (struct pexcz_runtime_value){.type = PEXCZ_RUNTIME_NONE};
        return PEXCZ_RUNTIME_OK;
    }
    if (PyBool_Check(object)) {
        *ret = (struct pexcz_runtime_value){.type = PEXCZ_RUNTIME_BOOL};
        ret->as.boolean = object == Py_True;
        return PEXCZ_RUNTIME_OK;
    }
    if (PyLong_Check(object)) {
        return int_to_c(object, ret, err);
    }
    if (PyFloat_Check(object)) {
        *ret = (struct pexcz_runtime_value){.type = PEXCZ_RUNTIME_FLOAT};
        ret->as.number = PyFloat_AS_DOUBLE(object);
        return PEXCZ_RUNTIME_OK;
    }
    if (PyUnicode_Check(object)) {
        Py_ssize_t size;
        const char *text = PyUnicode_AsUTF8AndSize(object, &size);

        return text != NULL
                   ? copy_bytes(text, size, PEXCZ_RUNTIME_TEXT, ret, err)
                   : pexcz_embed_exception(err);
    }
    if (PyObject_CheckBuffer(object)) {
        return buffer_to_c(object, ret, err);
    }
    return pexcz_embed_fail(err, PEXCZ_RUNTIME_E_VALUE,
                            "the result is no C value but of type %.200s",
                            Py_TYPE(object)->tp_name);
}

void
pexcz_runtime_value_done(struct pexcz_runtime_value *value)
{
    if (value->type == PEXCZ_RUNTIME_TEXT
        || value->type == PEXCZ_RUNTIME_BYTES) {
        free((void *)(uintptr_t)value->as.bytes.data);
    }
    memset(value, 0, sizeof(*value));
}

/* --- calls ----------------------------------------------------------------
 */

/* The object that "module:attr.attr" names; NULL with an exception. */
static PyObject *
find_target(const char *target, const char *colon)
{
    PyObject *name
        = PyUnicode_FromStringAndSize(target, (Py_ssize_t)(colon - target));
    PyObject *value = name != NULL ? PyImport_Import(name) : NULL;
    const char *p = colon + 1;

    if (value != NULL) {
        /* a.b itself, not a. */
        Py_SETREF(value, PyImport_GetModule(name));
    }
    Py_XDECREF(name);
    while (value != NULL && *p != '\0') {
        size_t n = strcspn(p, ".");
        PyObject *attr = PyUnicode_FromStringAndSize(p, (Py_ssize_t)n);

        Py_SETREF(value, attr != NULL ? PyObject_GetAttr(value, attr) : NULL);
        Py_XDECREF(attr);
        p += n + (p[n] == '.');
    }
    return value;
}

static PyObject *
call(PyObject *function, const struct pexcz_runtime_value *args, size_t count)
{
    PyObject *tuple = PyTuple_New((Py_ssize_t)count);
    PyObject *result;

    for (size_t i = 0; tuple != NULL && i < count; i++) {
        PyObject *item = to_python(&args[i]);

        if (item == NULL) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, item);
    }
    if (tuple == NULL) {
        return NULL;
    }
    result = PyObject_CallObject(function, tuple);
    Py_DECREF(tuple);
    return result;
}

int
pexcz_runtime_call(struct pexcz_runtime *rt, const char *target,
                   const struct pexcz_runtime_value *args, size_t count,
                   struct pexcz_runtime_value *ret_value,
                   struct pexcz_runtime_error *err)
{
    const char *colon = strchr(target, ':');
    PyGILState_STATE gil;
    PyObject *function;
    PyObject *result;
    int rc = PEXCZ_RUNTIME_OK;

    (void)rt;
    if (colon == NULL || colon == target || colon[1] == '\0') {
        return pexcz_embed_fail(err, PEXCZ_RUNTIME_E_NOT_FOUND,
                                "'%s' is not of the form module:function",
                                target);
    }
    gil = PyGILState_Ensure();
    function = find_target(target, colon);
    result = function != NULL ? call(function, args, count) : NULL;
    if (result == NULL) {
        rc = pexcz_embed_exception(err);
    }
    else if (ret_value != NULL) {
        rc = to_c(result, ret_value, err);
    }
    Py_XDECREF(result);
    Py_XDECREF(function);
    PyGILState_Release(gil);
    return rc;
}

int
pexcz_runtime_resource(struct pexcz_runtime *rt, const char *name,
                       const void **ret_data, size_t *ret_size,
                       struct pexcz_runtime_error *err)
{
    struct pexcz_slice content;
    int rc = pexcz_embed_resource(rt, name, &content, err);

    if (rc == PEXCZ_RUNTIME_OK) {
        *ret_data = content.ptr;
        *ret_size = content.len;
    }
    return rc;
}
