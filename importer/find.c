/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One look-up in one directory of the tree, and the specs that come of it.
 */
#include "importer_state.h"

/* A path under construction: the prefix, a slash, a path under the root. */
struct path_buf {
    char text[PEXCZ_PREFIX_LEN + 1 + PEXCZ_MAX_PATH + 1];
    size_t len;
};

#define ROOT_LEN (PEXCZ_PREFIX_LEN + 1)

static bool
append(struct path_buf *p, const void *bytes, size_t len)
{
    if (len > sizeof(p->text) - 1 - p->len) {
        return false;
    }
    memcpy(p->text + p->len, bytes, len);
    p->len += len;
    return true;
}

static struct pexcz_slice
under_root(const struct path_buf *p)
{
    return pexcz_slice_make(p->text + ROOT_LEN, p->len - ROOT_LEN);
}

static bool
append_part(struct path_buf *p, const void *bytes, size_t len)
{
    return (p->len == ROOT_LEN || append(p, "/", 1)) && append(p, bytes, len);
}

/* The last component of a dotted name.  False: no file can have that name. */
static bool
tail_of(const char *text, Py_ssize_t len, struct pexcz_slice *ret)
{
    const char *dot = memrchr(text, '.', (size_t)len);

    *ret = dot == NULL
               ? pexcz_slice_make(text, (size_t)len)
               : pexcz_slice_make(dot + 1, (size_t)(text + len - dot - 1));
    return ret->len != 0 && ret->len <= PEXCZ_MAX_NAME
           && memchr(ret->ptr, '/', ret->len) == NULL
           && memchr(ret->ptr, '\0', ret->len) == NULL;
}

/* --- specs -------------------------------------------------------------- */

static PyObject *
new_spec(const struct pexcz_importer_state *state, PyObject *fullname,
         PyObject *loader, PyObject *origin)
{
    PyObject *args[] = {fullname, loader, origin};

    return PyObject_Vectorcall(state->module_spec, args, 2,
                               state->module_spec_kw);
}

PyObject *
pexcz_importer_namespace_spec(const struct pexcz_importer_state *state,
                              PyObject *fullname, PyObject *locations)
{
    PyObject *spec = NULL;

    if (locations == NULL) {
        return NULL;
    }
    spec = new_spec(state, fullname, Py_None, Py_None);
    if (spec != NULL
        && PyObject_SetAttr(spec, state->str_search_locations, locations)
               < 0) {
        Py_CLEAR(spec);
    }
    Py_DECREF(locations);
    return spec;
}

long
pexcz_importer_flag(const struct pexcz_importer_state *state, PyObject *name)
{
    PyObject *flags
        = PyDict_GetItemWithError(state->sys_dict, state->str_flags);
    PyObject *flag;
    long value;

    if (flags == NULL) {
        return PyErr_Occurred() != NULL ? -1 : 0;
    }
    flag = PyObject_GetAttr(flags, name);
    if (flag == NULL) {
        return -1;
    }
    value = PyLong_AsLong(flag);
    Py_DECREF(flag);
    return value;
}

/*
 * What importlib's cache_from_source() gives for the file `path`, which ends
 * in ".py".  *ret is NULL when only importlib itself can tell (a cache
 * folder elsewhere, no cache tag).
 */
static int
cached_path(const struct pexcz_importer_state *state,
            const struct path_buf *path, PyObject **ret)
{
    PyObject *prefix
        = PyDict_GetItemWithError(state->sys_dict, state->str_pycache_prefix);
    PyObject *impl
        = PyDict_GetItemWithError(state->sys_dict, state->str_implementation);
    const char *slash = memrchr(path->text, '/', path->len);
    size_t dir = (size_t)(slash - path->text) + 1;
    PyObject *tag = NULL;
    const char *tag_text;
    struct path_buf out;
    char opt[32] = "";
    long level = pexcz_importer_flag(state, state->str_optimize);

    out.len = 0;
    *ret = NULL;
    if (level < 0) {
        return -1;
    }
    if ((prefix != NULL && prefix != Py_None) || impl == NULL) {
        return PyErr_Occurred() != NULL ? -1 : 0;
    }
    tag = PyObject_GetAttr(impl, state->str_cache_tag);
    if (tag == NULL || !PyUnicode_Check(tag)) {
        Py_XDECREF(tag);
        PyErr_Clear();
        return 0;
    }
    tag_text = PyUnicode_AsUTF8(tag);
    if (level > 0) {
        (void)PyOS_snprintf(opt, sizeof(opt), ".opt-%ld", level);
    }
    if (tag_text != NULL && append(&out, path->text, dir)
        && append(&out, "__pycache__/", 12)
        && append(&out, path->text + dir, path->len - dir - 2)
        && append(&out, tag_text, strlen(tag_text))
        && append(&out, opt, strlen(opt)) && append(&out, ".pyc", 4)) {
        *ret = pexcz_importer_path_str(out.text, out.len);
    }
    Py_DECREF(tag);
    return PyErr_Occurred() != NULL ? -1 : 0;
}

/* As FileLoader.__init__() leaves it. */
static PyObject *
new_loader(const struct pexcz_importer_state *state, PyObject *type,
           PyObject *fullname, PyObject *path)
{
    PyObject *loader
        = ((PyTypeObject *)type)
              ->tp_new((PyTypeObject *)type, state->empty_tuple, NULL);

    if (loader != NULL
        && (PyObject_SetAttr(loader, state->str_name, fullname) < 0
            || PyObject_SetAttr(loader, state->str_path, path) < 0)) {
        Py_CLEAR(loader);
    }
    return loader;
}

static PyObject *
loader_type(const struct pexcz_importer_state *state,
            enum pexcz_module_kind kind)
{
    switch (kind) {
    case PEXCZ_MODULE_SOURCE:
        return state->source_loader_type;
    case PEXCZ_MODULE_BYTECODE:
        return state->sourceless_loader_type;
    case PEXCZ_MODULE_EXTENSION:
        break;
    }
    return state->extension_file_loader;
}

/* As spec_from_file_location(); `base` is the package's directory or NULL. */
static PyObject *
file_spec(const struct pexcz_importer_state *state, PyObject *fullname,
          enum pexcz_module_kind kind, const struct path_buf *path,
          PyObject *base)
{
    PyObject *origin = pexcz_importer_path_str(path->text, path->len);
    PyObject *loader = NULL;
    PyObject *cached = NULL;
    PyObject *locations = NULL;
    PyObject *spec = NULL;

    if (origin == NULL) {
        goto error;
    }
    loader = new_loader(state, loader_type(state, kind), fullname, origin);
    if (loader == NULL) {
        goto error;
    }
    spec = new_spec(state, fullname, loader, origin);
    if (spec == NULL
        || PyObject_SetAttr(spec, state->str_set_fileattr, Py_True) < 0) {
        goto error;
    }
    if (kind == PEXCZ_MODULE_SOURCE) {
        if (cached_path(state, path, &cached) < 0) {
            goto error;
        }
    }
    else if (kind == PEXCZ_MODULE_BYTECODE) {
        cached = Py_NewRef(origin);
    }
    if (cached != NULL
        && PyObject_SetAttr(spec, state->str_cached, cached) < 0) {
        goto error;
    }
    if (base != NULL) {
        locations = Py_BuildValue("[O]", base);
        if (locations == NULL
            || PyObject_SetAttr(spec, state->str_search_locations, locations)
                   < 0) {
            goto error;
        }
    }
    goto out;

error:
    Py_CLEAR(spec);
out:
    Py_XDECREF(origin);
    Py_XDECREF(loader);
    Py_XDECREF(cached);
    Py_XDECREF(locations);
    return spec;
}

/* --- look-up ------------------------------------------------------------ */

/* FileFinder's own search, through the vfs. */
static enum pexcz_importer_found
find_slowly(const struct pexcz_importer_state *state, PyObject *finder,
            PyObject *fullname, PyObject **ret)
{
    PyObject *method
        = PyObject_GetAttr(state->file_finder, state->str_find_spec);
    PyObject *args[] = {finder, fullname};
    PyObject *spec = NULL;

    if (method != NULL) {
        spec = PyObject_Vectorcall(method, args, 2, NULL);
        Py_DECREF(method);
    }
    if (spec == NULL) {
        return PEXCZ_FOUND_ERROR;
    }
    if (spec == Py_None) {
        Py_DECREF(spec);
        return PEXCZ_FOUND_NOTHING;
    }
    *ret = spec;
    return PEXCZ_FOUND_SPEC;
}

/* Whether `path` followed by `middle` and a module suffix is a link, which
 * the module table does not follow.  Leaves `path` as it is. */
static bool
has_linked_file(const struct pexcz_importer_state *state,
                struct path_buf *path, const char *middle)
{
    size_t path_len = path->len;
    bool found = false;

    for (Py_ssize_t i = 0; !found && i < PyTuple_GET_SIZE(state->suffixes);
         i++) {
        struct pexcz_node node;
        Py_ssize_t len;
        const char *suffix = PyUnicode_AsUTF8AndSize(
            PyTuple_GET_ITEM(state->suffixes, i), &len);

        if (suffix == NULL) {
            PyErr_Clear();
            continue;
        }
        found = append(path, middle, strlen(middle))
                && append(path, suffix, (size_t)len)
                && pexcz_tree_find(pexcz_importer_tree(), under_root(path),
                                   &node)
                && node.entry.kind == PEXCZ_KIND_SYMLINK;
        path->len = path_len;
    }
    return found;
}

/* Extends `path`, a stem, to the module's file; `dir` is its directory. */
static bool
append_file(struct path_buf *path, const struct pexcz_module *module,
            struct pexcz_slice name)
{
    if (module->package) {
        return append_part(path, name.ptr, name.len);
    }
    return module->suffix_size <= name.len
           && append(path, name.ptr + name.len - module->suffix_size,
                     module->suffix_size);
}

static enum pexcz_importer_found
found_module(const struct pexcz_importer_state *state, PyObject *fullname,
             struct path_buf *path, const struct pexcz_blob *blob,
             const struct pexcz_module *module, bool as_package,
             PyObject **ret)
{
    struct pexcz_error err;
    struct pexcz_entry entry;
    PyObject *base = NULL;

    if (pexcz_blob_entry(blob, module->entry, &entry, &err) < 0) {
        pexcz_importer_fail(fullname, NULL, &err);
        return PEXCZ_FOUND_ERROR;
    }
    if (as_package) {
        base = pexcz_importer_path_str(path->text, path->len);
        if (base == NULL) {
            return PEXCZ_FOUND_ERROR;
        }
    }
    if (!append_file(path, module, entry.name)) {
        Py_XDECREF(base);
        return PEXCZ_FOUND_NOTHING;
    }
    *ret = file_spec(state, fullname, module->kind, path, base);
    Py_XDECREF(base);
    return *ret != NULL ? PEXCZ_FOUND_SPEC : PEXCZ_FOUND_ERROR;
}

/* No module has the stem in `path`: a directory, a link or nothing. */
static enum pexcz_importer_found
find_without_module(const struct pexcz_importer_state *state, PyObject *finder,
                    PyObject *fullname, struct path_buf *path, PyObject **ret)
{
    struct pexcz_node node;
    bool found
        = pexcz_tree_find(pexcz_importer_tree(), under_root(path), &node);
    bool is_dir = found && node.entry.kind == PEXCZ_KIND_DIR;

    if ((found && node.entry.kind == PEXCZ_KIND_SYMLINK)
        || has_linked_file(state, path, "")
        || (is_dir && has_linked_file(state, path, "/__init__"))) {
        return find_slowly(state, finder, fullname, ret);
    }
    if (!is_dir) {
        return PEXCZ_FOUND_NOTHING;
    }
    *ret = pexcz_importer_path_str(path->text, path->len);
    return *ret != NULL ? PEXCZ_FOUND_PORTION : PEXCZ_FOUND_ERROR;
}

enum pexcz_importer_found
pexcz_importer_find(const struct pexcz_importer_state *state, PyObject *finder,
                    PyObject *fullname, PyObject **ret)
{
    const struct pexcz_tree *tree = pexcz_importer_tree();
    PyObject *dir_str = PyObject_GetAttr(finder, state->str_path);
    struct path_buf path;
    const struct pexcz_blob *blob;
    struct pexcz_module module;
    struct pexcz_slice dir;
    struct pexcz_slice tail;
    size_t dir_len;
    const char *name;
    Py_ssize_t name_len;
    enum pexcz_importer_found rc = PEXCZ_FOUND_NOTHING;

    if (dir_str == NULL) {
        return PEXCZ_FOUND_ERROR;
    }
    name = PyUnicode_AsUTF8AndSize(fullname, &name_len);
    if (name == NULL) { /* surrogates: left to the vfs */
        PyErr_Clear();
    }
    if (name == NULL || !pexcz_importer_tree_path(dir_str, &dir)) {
        rc = find_slowly(state, finder, fullname, ret);
        goto out;
    }
    memcpy(path.text, PEXCZ_PREFIX "/", ROOT_LEN);
    path.len = ROOT_LEN;
    if (!tail_of(name, name_len, &tail) || !append(&path, dir.ptr, dir.len)) {
        goto out;
    }
    dir_len = path.len;
    if (!append_part(&path, tail.ptr, tail.len)) {
        goto out;
    }
    if (pexcz_tree_find_module(tree, under_root(&path), &blob, &module)) {
        rc = found_module(state, fullname, &path, blob, &module,
                          module.package, ret);
        goto out;
    }
    /* `import package.__init__` makes a second, plain module of the file. */
    if (pexcz_slice_eq(tail, pexcz_slice_str("__init__"))
        && pexcz_tree_find_module(tree, dir, &blob, &module)
        && module.package) {
        path.len = dir_len;
        rc = found_module(state, fullname, &path, blob, &module, false, ret);
        goto out;
    }
    rc = find_without_module(state, finder, fullname, &path, ret);

out:
    Py_DECREF(dir_str);
    return rc;
}
