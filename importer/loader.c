/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SourceFileLoader and SourcelessFileLoader: heirs of importlib's, with
 * bytecode and data straight from the blob.  What is not defined here is
 * inherited and works through these methods and the vfs.
 */
#include "gc_credit.h"
#include "importer_state.h"
#include "standby.h"

#include <marshal.h>

/* --- bytecode ----------------------------------------------------------- */

/*
 * The code object of payload `code`.  Unmarshalling trusts its input, which
 * the payload's hash has vouched for.
 */
static PyObject *
read_code(const struct pexcz_blob *blob, uint32_t code, PyObject *name,
          PyObject *path)
{
    struct pexcz_error err;
    struct pexcz_buf scratch = {0};
    struct pexcz_slice bytes;
    PyObject *result = NULL;

    if (pexcz_tree_content(pexcz_importer_tree(), blob, code, &scratch, &bytes,
                           &err)
        < 0) {
        pexcz_importer_fail(name, path, &err);
        goto out;
    }
    result = PyMarshal_ReadObjectFromString((const char *)bytes.ptr,
                                            (Py_ssize_t)bytes.len);
    if (result != NULL && !PyCode_Check(result)) {
        PyObject *message
            = PyUnicode_FromFormat("Non-code object in %R", path);

        Py_CLEAR(result);
        if (message != NULL) {
            (void)PyErr_SetImportError(message, name, path);
            Py_DECREF(message);
        }
    }

out:
    pexcz_buf_done(&scratch);
    return result;
}

/* The blob's code for the file `path`; NULL without exception: none. */
static PyObject *
stored_code(const struct pexcz_importer_state *state, PyObject *name,
            PyObject *path)
{
    const struct pexcz_blob *blob;
    struct pexcz_module module;
    struct pexcz_slice inner;
    PyObject *code;
    long verbose;

    if (!pexcz_importer_tree_path(path, &inner)
        || !pexcz_importer_module_of_file(inner, &blob, &module)
        || module.code == PEXCZ_NONE || blob->python_magic != state->magic) {
        return NULL;
    }
    /* With -O the source is compiled: the blob's code has its asserts. */
    if (module.kind == PEXCZ_MODULE_SOURCE
        && pexcz_importer_flag(state, state->str_optimize) != 0) {
        return NULL;
    }
    code = read_code(blob, module.code, name, path);
    verbose
        = code != NULL ? pexcz_importer_flag(state, state->str_verbose) : 0;
    if (verbose < 0) {
        Py_CLEAR(code);
    }
    else if (verbose > 0) {
        PySys_FormatStderr("# code object from %R\n", path);
    }
    return code;
}

/* Calls the method of importlib's class that ours hides. */
static PyObject *
call_base(const struct pexcz_importer_state *state, PyObject *self,
          PyObject *method_name, PyObject *arg)
{
    PyTypeObject *source = (PyTypeObject *)state->source_file_loader;
    PyObject *base = PyObject_TypeCheck(self, source)
                         ? state->source_file_loader
                         : state->sourceless_file_loader;
    PyObject *method = PyObject_GetAttr(base, method_name);
    PyObject *args[] = {self, arg};
    PyObject *result;

    if (method == NULL) {
        return NULL;
    }
    result = PyObject_Vectorcall(method, args, 2, NULL);
    Py_DECREF(method);
    return result;
}

/* Whether `self` is of a class of ours, not of one that a program derived,
 * in which another method may have a say on what the code is. */
static bool
is_our_loader(const struct pexcz_importer_state *state, PyObject *self)
{
    PyObject *type = (PyObject *)Py_TYPE(self);

    return type == state->source_loader_type
           || type == state->sourceless_loader_type;
}

static PyObject *
loader_get_code(PyObject *self, PyTypeObject *cls, PyObject *const *args,
                Py_ssize_t nargs, PyObject *kwnames)
{
    const struct pexcz_importer_state *state = PyType_GetModuleState(cls);
    PyObject *names[] = {state->str_fullname};
    PyObject *fullname = NULL;
    PyObject *own_name = NULL;
    PyObject *path = NULL;
    PyObject *code = NULL;
    int same;

    if (pexcz_importer_args("get_code", args, nargs, kwnames, names, 1, 1,
                            &fullname)
        < 0) {
        return NULL;
    }
    if (!is_our_loader(state, self)) {
        return call_base(state, self, state->str_get_code, fullname);
    }
    own_name = PyObject_GetAttr(self, state->str_name);
    path = own_name != NULL ? PyObject_GetAttr(self, state->str_path) : NULL;
    if (path == NULL) {
        goto out;
    }
    /* Another name than the loader's own is an error that the base words. */
    same = PyObject_RichCompareBool(own_name, fullname, Py_EQ);
    if (same == 1) {
        code = stored_code(state, fullname, path);
    }
    if (code == NULL && PyErr_Occurred() == NULL) {
        code = call_base(state, self, state->str_get_code, fullname);
    }

out:
    Py_XDECREF(own_name);
    Py_XDECREF(path);
    return code;
}

/* --- execution ---------------------------------------------------------- */

static PyObject *
loader_create_module(PyObject *self, PyTypeObject *cls, PyObject *const *args,
                     Py_ssize_t nargs, PyObject *kwnames)
{
    const struct pexcz_importer_state *state = PyType_GetModuleState(cls);
    PyObject *names[] = {state->str_spec};
    PyObject *spec = NULL;
    PyObject *module;

    if (pexcz_importer_args("create_module", args, nargs, kwnames, names, 1, 1,
                            &spec)
        < 0) {
        return NULL;
    }
    module = is_our_loader(state, self) ? pexcz_standby_take(spec) : NULL;
    return module != NULL ? module : Py_NewRef(Py_None); /* the default */
}

static PyObject *
loader_exec_module(PyObject *self, PyTypeObject *cls, PyObject *const *args,
                   Py_ssize_t nargs, PyObject *kwnames)
{
    struct pexcz_importer_state *state = PyType_GetModuleState(cls);
    PyObject *names[] = {state->str_module};
    PyObject *module = NULL;
    PyObject *name = NULL;
    PyObject *code = NULL;
    PyObject *dict = NULL;
    PyObject *result = NULL;
    int done;

    if (pexcz_importer_args("exec_module", args, nargs, kwnames, names, 1, 1,
                            &module)
        < 0) {
        return NULL;
    }
    name = PyObject_GetAttr(module, state->str_dunder_name);
    if (name == NULL) {
        goto out;
    }
    done = is_our_loader(state, self) ? pexcz_standby_exec(module) : 0;
    if (done != 0) {
        result = done > 0 ? Py_NewRef(Py_None) : NULL;
        goto out;
    }
    pexcz_gc_credit(&state->gc_credit);
    code = PyObject_CallMethodOneArg(self, state->str_get_code, name);
    if (code == NULL) {
        pexcz_importer_trace_exec(state, false);
        goto out;
    }
    if (code == Py_None) { /* of a subclass */
        (void)PyErr_Format(PyExc_ImportError,
                           "cannot load module %R when get_code() returns "
                           "None",
                           name);
        goto out;
    }
    dict = PyObject_GetAttr(module, state->str_dict);
    if (dict == NULL) {
        goto out;
    }
    /* Through importlib's function, which marks where the import machinery's
     * frames are cut out of a traceback. */
    result = PyObject_CallFunctionObjArgs(state->call_trimmed, state->exec,
                                          code, dict, NULL);
    if (result == NULL) {
        pexcz_importer_trace_exec(state, true);
    }

out:
    Py_XDECREF(name);
    Py_XDECREF(code);
    Py_XDECREF(dict);
    return result;
}

/* --- data --------------------------------------------------------------- */

/* 1: *ret has the content of the regular file at `path` of the tree (NULL
 * with an exception on failure); 0: not such a file. */
static int
read_data(PyObject *path, PyObject **ret)
{
    struct pexcz_slice inner;
    struct pexcz_node node;
    struct pexcz_payload payload;
    struct pexcz_error err;

    *ret = NULL;
    if (!pexcz_importer_tree_path(path, &inner) || inner.len == 0
        || PyUnicode_READ_CHAR(path, PyUnicode_GET_LENGTH(path) - 1) == '/'
        || !pexcz_tree_find(pexcz_importer_tree(), inner, &node)
        || node.entry.kind != PEXCZ_KIND_FILE) {
        return 0;
    }
    if (pexcz_blob_payload(node.blob, node.entry.payload, &payload, &err)
        < 0) {
        goto corrupt;
    }
    *ret = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)payload.size);
    if (*ret != NULL
        && pexcz_blob_content_into(node.blob, node.entry.payload,
                                   PyBytes_AS_STRING(*ret),
                                   (size_t)payload.size, &err)
               < 0) {
        Py_CLEAR(*ret);
        goto corrupt;
    }
    return 1;

corrupt:
    if (err.code == PEXCZ_E_NOMEM) {
        (void)PyErr_NoMemory();
        return 1;
    }
    (void)PyErr_Format(PyExc_OSError, "cannot read %R: %s", path, err.msg);
    return 1;
}

static PyObject *
loader_get_data(PyObject *self, PyTypeObject *cls, PyObject *const *args,
                Py_ssize_t nargs, PyObject *kwnames)
{
    const struct pexcz_importer_state *state = PyType_GetModuleState(cls);
    PyObject *names[] = {state->str_path};
    PyObject *path = NULL;
    PyObject *text;
    PyObject *data = NULL;
    int found;

    if (pexcz_importer_args("get_data", args, nargs, kwnames, names, 1, 1,
                            &path)
        < 0) {
        return NULL;
    }
    text = PyUnicode_Check(path) ? Py_NewRef(path) : PyOS_FSPath(path);
    if (text == NULL) {
        PyErr_Clear(); /* the base has its own opinion of other types */
        return call_base(state, self, state->str_get_data, path);
    }
    found = read_data(text, &data);
    Py_DECREF(text);
    if (found) {
        return data;
    }
    return call_base(state, self, state->str_get_data, path);
}

/* --- comparison ---------------------------------------------------------- */

/* The class that `type` counts as: importlib's own for ours. */
static PyObject *
counted_as(const struct pexcz_importer_state *state, PyTypeObject *type)
{
    if ((PyObject *)type == state->source_loader_type) {
        return state->source_file_loader;
    }
    if ((PyObject *)type == state->sourceless_loader_type) {
        return state->sourceless_file_loader;
    }
    return (PyObject *)type;
}

/* As FileLoader.__eq__(): class and attributes. */
static PyObject *
loader_compare(PyObject *self, PyObject *other, int op)
{
    const struct pexcz_importer_state *state
        = pexcz_importer_state_of(Py_TYPE(self));
    PyObject *a;
    PyObject *b;
    PyObject *result = NULL;

    if (state == NULL) {
        return NULL;
    }
    if ((op != Py_EQ && op != Py_NE)
        || counted_as(state, Py_TYPE(self))
               != counted_as(state, Py_TYPE(other))) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    a = PyObject_GetAttr(self, state->str_dict);
    b = a != NULL ? PyObject_GetAttr(other, state->str_dict) : NULL;
    if (b != NULL) {
        result = PyObject_RichCompare(a, b, op);
    }
    Py_XDECREF(a);
    Py_XDECREF(b);
    return result;
}

/* As FileLoader.__hash__(), which a type that compares does not inherit. */
static Py_hash_t
loader_hash(PyObject *self)
{
    const struct pexcz_importer_state *state
        = pexcz_importer_state_of(Py_TYPE(self));
    PyObject *names[2];
    Py_hash_t sum = 0;

    if (state == NULL) {
        return -1;
    }
    names[0] = state->str_name;
    names[1] = state->str_path;
    for (size_t i = 0; i < 2; i++) {
        PyObject *value = PyObject_GetAttr(self, names[i]);
        Py_hash_t hash = value != NULL ? PyObject_Hash(value) : -1;

        Py_XDECREF(value);
        if (hash == -1) {
            return -1;
        }
        sum ^= hash;
    }
    return sum != -1 ? sum : -2;
}

/* --- types -------------------------------------------------------------- */

#define METHOD(function) (PyCFunction)(void (*)(void))(function)
#define METHOD_FLAGS (METH_METHOD | METH_FASTCALL | METH_KEYWORDS)

static PyMethodDef loader_methods[] = {
    {"create_module", METHOD(loader_create_module), METHOD_FLAGS,
     PyDoc_STR("create_module($self, spec)\n--\n\n"
               "Use default semantics for module creation.")},
    {"exec_module", METHOD(loader_exec_module), METHOD_FLAGS,
     PyDoc_STR("exec_module($self, module)\n--\n\nExecute the module.")},
    {"get_code", METHOD(loader_get_code), METHOD_FLAGS,
     PyDoc_STR("get_code($self, fullname)\n--\n\n"
               "The module's code object.")},
    {"get_data", METHOD(loader_get_data), METHOD_FLAGS,
     PyDoc_STR("get_data($self, path)\n--\n\n"
               "Return the data from path as raw bytes.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot source_slots[] = {
    {Py_tp_methods, loader_methods},
    {Py_tp_richcompare, (void *)loader_compare},
    {Py_tp_hash, (void *)loader_hash},
    {Py_tp_doc, (void *)(uintptr_t) "Loads source modules of the packed tree "
                                    "from their bytecode."},
    {0, NULL},
};

static PyType_Spec source_spec = {
    .name = "_pexcz.SourceFileLoader",
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = source_slots,
};

static PyType_Slot sourceless_slots[] = {
    {Py_tp_methods, loader_methods},
    {Py_tp_richcompare, (void *)loader_compare},
    {Py_tp_hash, (void *)loader_hash},
    {Py_tp_doc, (void *)(uintptr_t) "Loads modules of the packed tree that "
                                    "have no source."},
    {0, NULL},
};

static PyType_Spec sourceless_spec = {
    .name = "_pexcz.SourcelessFileLoader",
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = sourceless_slots,
};

int
pexcz_importer_add_loaders(PyObject *module,
                           struct pexcz_importer_state *state)
{
    state->source_loader_type = PyType_FromModuleAndSpec(
        module, &source_spec, state->source_file_loader);
    state->sourceless_loader_type = PyType_FromModuleAndSpec(
        module, &sourceless_spec, state->sourceless_file_loader);
    if (state->source_loader_type == NULL
        || state->sourceless_loader_type == NULL
        || PyModule_AddType(module, (PyTypeObject *)state->source_loader_type)
               < 0) {
        return -1;
    }
    return PyModule_AddType(module,
                            (PyTypeObject *)state->sourceless_loader_type);
}
