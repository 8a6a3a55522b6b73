/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the importer share: the module's state (one for each
 * interpreter) and the few functions that cross files.
 */
#ifndef PEXCZ_IMPORTER_STATE_H
#define PEXCZ_IMPORTER_STATE_H

#include <Python.h>

#include "exe_layout.h"
#include "tree.h"

#define PEXCZ_PREFIX_LEN (sizeof(PEXCZ_PREFIX) - 1)

/* Attribute and key names, interned once: X(C name, text). */
#define PEXCZ_IMPORTER_NAMES(X)                                               \
    X(cache_tag, "cache_tag")                                                 \
    X(cached, "_cached")                                                      \
    X(dict, "__dict__")                                                       \
    X(find_spec, "find_spec")                                                 \
    X(fullname, "fullname")                                                   \
    X(get_code, "get_code")                                                   \
    X(get_data, "get_data")                                                   \
    X(get_spec, "_get_spec")                                                  \
    X(implementation, "implementation")                                       \
    X(loader, "loader")                                                       \
    X(loaders, "_loaders")                                                    \
    X(meta_path, "meta_path")                                                 \
    X(module, "module")                                                       \
    X(dunder_name, "__name__")                                                \
    X(name, "name")                                                           \
    X(optimize, "optimize")                                                   \
    X(path, "path")                                                           \
    X(path_cache, "_path_cache")                                              \
    X(path_hooks, "path_hooks")                                               \
    X(path_importer_cache, "path_importer_cache")                             \
    X(path_mtime, "_path_mtime")                                              \
    X(pycache_prefix, "pycache_prefix")                                       \
    X(query_cache, "_path_importer_cache")                                    \
    X(relaxed_path_cache, "_relaxed_path_cache")                              \
    X(search_locations, "submodule_search_locations")                         \
    X(set_fileattr, "_set_fileattr")                                          \
    X(spec, "spec")                                                           \
    X(flags, "flags")                                                         \
    X(stdlib_dir, "_stdlib_dir")                                              \
    X(verbose, "verbose")                                                     \
    X(target, "target")

/* Python objects that the state owns: X(C name). */
#define PEXCZ_IMPORTER_OBJECTS(X)                                             \
    X(builtin_names) /* frozenset */                                          \
    X(frozen_names)  /* frozenset: names that may be frozen */                \
    X(is_frozen)     /* _imp.is_frozen */                                     \
    X(sys_dict)                                                               \
    X(exec)         /* builtins.exec */                                       \
    X(call_trimmed) /* importlib's _call_with_frames_removed */               \
    X(module_spec)                                                            \
    X(module_spec_kw) /* ("origin",) */                                       \
    X(builtin_importer)                                                       \
    X(frozen_importer)                                                        \
    X(path_finder)                                                            \
    X(namespace_path)                                                         \
    X(file_finder) /* importlib's own classes */                              \
    X(source_file_loader)                                                     \
    X(sourceless_file_loader)                                                 \
    X(extension_file_loader)                                                  \
    X(finder_type) /* ours */                                                 \
    X(path_entry_finder_type)                                                 \
    X(source_loader_type)                                                     \
    X(sourceless_loader_type)                                                 \
    X(suffixes)       /* tuple: extension suffixes, ".py", ".pyc" */          \
    X(loader_details) /* FileFinder._loaders */                               \
    X(path_hook)                                                              \
    X(empty_tuple)                                                            \
    X(minus_one)

struct pexcz_importer_state {
#define DECLARE(id, text) PyObject *str_##id;
    PEXCZ_IMPORTER_NAMES(DECLARE)
#undef DECLARE
#define DECLARE(id) PyObject *id;
    PEXCZ_IMPORTER_OBJECTS(DECLARE)
#undef DECLARE
    uint32_t magic;      /* of this interpreter's bytecode */
    bool hook_placed;    /* path_hook was put before zipimport's */
    bool stdlib_dir_set; /* sys._stdlib_dir is not None */
    int gc_credit;       /* collections that may still be put off */
};

/* The tree of this process; never NULL once the finder is installed. */
const struct pexcz_tree *pexcz_importer_tree(void);

/* --- tree_path.c -------------------------------------------------------- */

/*
 * The path under the tree's root that `path` spells, a slice of the str.
 * False (no exception) when it lies elsewhere or is not in plain form: no dot
 * components, no doubled slashes; slashes at the end are dropped.
 */
bool pexcz_importer_tree_path(PyObject *path, struct pexcz_slice *ret);

/* `len` bytes of a path as str, bytes that are not UTF-8 as surrogates. */
PyObject *pexcz_importer_path_str(const char *bytes, size_t len);

/*
 * The source or bytecode module whose file is `path` (as in
 * pexcz_importer_tree_path), with its blob.  False: not in the table.
 */
bool pexcz_importer_module_of_file(struct pexcz_slice path,
                                   const struct pexcz_blob **ret_blob,
                                   struct pexcz_module *ret);

/* --- importer_module.c -------------------------------------------------- */

/*
 * Arguments of a METH_FASTCALL | METH_KEYWORDS function into values[max]
 * (borrowed; those not given stay as they are).  -1 with TypeError.
 */
int pexcz_importer_args(const char *function, PyObject *const *args,
                        Py_ssize_t nargs, PyObject *kwnames,
                        PyObject *const *names, Py_ssize_t min, Py_ssize_t max,
                        PyObject **values);

/* For slots, which are not told their class: of a type that is one of ours or
 * derived from it.  NULL with an exception. */
const struct pexcz_importer_state *pexcz_importer_state_of(PyTypeObject *type);

/* Sets ImportError, or MemoryError if that is what `err` says; "cannot load
 * module 'x': app: corrupt payload 7".  `path` may be NULL. */
void pexcz_importer_fail(PyObject *name, PyObject *path,
                         const struct pexcz_error *err);

/* --- find.c ------------------------------------------------------------- */

enum pexcz_importer_found {
    PEXCZ_FOUND_ERROR = -1,
    PEXCZ_FOUND_NOTHING = 0,
    PEXCZ_FOUND_PORTION = 1, /* of a namespace package; *ret: its path */
    PEXCZ_FOUND_SPEC = 2,    /* *ret: a spec, as a path entry finder's */
};

/* Looks `fullname` up in the directory of `finder` (a _pexcz.FileFinder). */
enum pexcz_importer_found
pexcz_importer_find(const struct pexcz_importer_state *state, PyObject *finder,
                    PyObject *fullname, PyObject **ret);

/* A field of sys.flags, never negative; or -1 with an exception. */
long pexcz_importer_flag(const struct pexcz_importer_state *state,
                         PyObject *name);

/* ModuleSpec(fullname, None) with these search locations (stolen; NULL is
 * passed on as failure). */
PyObject *
pexcz_importer_namespace_spec(const struct pexcz_importer_state *state,
                              PyObject *fullname, PyObject *locations);

/* --- traceback_entry.c --------------------------------------------------- */

/*
 * Adds the entry of importlib's SourceLoader.exec_module() to the traceback of
 * the current exception, as if it were a frame of Python code: the line that
 * executes the module, or the one that gets its code.
 */
void pexcz_importer_trace_exec(const struct pexcz_importer_state *state,
                               bool executing);

/* --- finder.c, loader.c -------------------------------------------------- */

int pexcz_importer_add_finders(PyObject *module,
                               struct pexcz_importer_state *state);
int pexcz_importer_add_loaders(PyObject *module,
                               struct pexcz_importer_state *state);

/* The path hook; `path` as the import system gives it. */
PyObject *pexcz_importer_path_hook(const struct pexcz_importer_state *state,
                                   PyObject *path);

#endif
