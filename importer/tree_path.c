/* SPDX-License-Identifier: Apache-2.0 */
#include "importer_state.h"

/* Whether every component is a plain name. */
static bool
is_plain(struct pexcz_slice path)
{
    size_t start = 0;

    for (size_t i = 0; i <= path.len; i++) {
        size_t n = i - start;

        if (i < path.len && path.ptr[i] != '/') {
            continue;
        }
        if (n == 0
            || (n <= 2 && path.ptr[start] == '.'
                && (n == 1 || path.ptr[start + 1] == '.'))) {
            return false;
        }
        start = i + 1;
    }
    return true;
}

bool
pexcz_importer_tree_path(PyObject *path, struct pexcz_slice *ret)
{
    struct pexcz_slice s;
    Py_ssize_t len;
    const char *text;

    if (!PyUnicode_Check(path)) {
        return false;
    }
    text = PyUnicode_AsUTF8AndSize(path, &len);
    if (text == NULL) { /* surrogates: left to the vfs */
        PyErr_Clear();
        return false;
    }
    s = pexcz_slice_make(text, (size_t)len);
    if (s.len < PEXCZ_PREFIX_LEN
        || memcmp(text, PEXCZ_PREFIX, PEXCZ_PREFIX_LEN) != 0
        || memchr(text, '\0', s.len) != NULL) {
        return false;
    }
    while (s.len > PEXCZ_PREFIX_LEN && text[s.len - 1] == '/') {
        s.len--;
    }
    if (s.len == PEXCZ_PREFIX_LEN) {
        *ret = pexcz_slice_make(text + s.len, 0);
        return true;
    }
    if (text[PEXCZ_PREFIX_LEN] != '/') {
        return false;
    }
    s.ptr += PEXCZ_PREFIX_LEN + 1;
    s.len -= PEXCZ_PREFIX_LEN + 1;
    if (s.len > PEXCZ_MAX_PATH || !is_plain(s)) {
        return false;
    }
    *ret = s;
    return true;
}

PyObject *
pexcz_importer_path_str(const char *bytes, size_t len)
{
    return PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)len, "surrogateescape");
}

static bool
ends_with(struct pexcz_slice s, const char *suffix)
{
    size_t n = strlen(suffix);

    return s.len > n && memcmp(s.ptr + s.len - n, suffix, n) == 0;
}

bool
pexcz_importer_module_of_file(struct pexcz_slice path,
                              const struct pexcz_blob **ret_blob,
                              struct pexcz_module *ret)
{
    const struct pexcz_tree *tree = pexcz_importer_tree();
    enum pexcz_module_kind kind;
    struct pexcz_slice stem = path;

    if (ends_with(path, ".py")) {
        kind = PEXCZ_MODULE_SOURCE;
        stem.len -= 3;
    }
    else if (ends_with(path, ".pyc")) {
        kind = PEXCZ_MODULE_BYTECODE;
        stem.len -= 4;
    }
    else {
        return false;
    }
    if (ends_with(stem, "/__init__")) {
        struct pexcz_slice package
            = pexcz_slice_make(stem.ptr, stem.len - strlen("/__init__"));

        return pexcz_tree_find_module(tree, package, ret_blob, ret)
               && ret->package && ret->kind == kind;
    }
    return pexcz_tree_find_module(tree, stem, ret_blob, ret) && !ret->package
           && ret->kind == kind;
}
