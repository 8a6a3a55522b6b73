/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configures Python for a tree at PEXCZ_PREFIX: every path is preset, so that
 * CPython's getpath looks at nothing on disk and PYTHONHOME has no say.
 */
#ifndef PEXCZ_PYCONFIG_H
#define PEXCZ_PYCONFIG_H

#include <Python.h>

#include "tree.h"

struct pexcz_python_options {
    const struct pexcz_tree *tree;
    const char *executable;      /* becomes sys.executable */
    const char *base_executable; /* sys._base_executable; NULL: the same */
    int argc;
    char **argv; /* interpreter options, program, arguments */
    int program; /* index of "-" or the script in argv */
    int original_argc;
    char *const *original_argv; /* becomes sys.orig_argv */
    int process_argc;           /* main()'s, for Py_GetArgcArgv() of an    */
    char *const *process_argv;  /* application: setproctitle looks for them */
    bool guest; /* in another program: argv is sys.argv; UTF-8 mode; the
                   locale and C's streams stay as they are */
    bool signal_handlers;   /* of a guest; else Python installs them */
    bool isolated;          /* as `python -I` */
    bool environment;       /* PYTHONHASHSEED and the like count */
    bool python_path;       /* so does PYTHONPATH */
    bool site;              /* import site; else it is left to the caller */
    bool venv;              /* in a virtual environment made with this one */
    uint32_t hash_seed;     /* 0: as Python chooses */
    const char *extra_path; /* entries behind the stdlib, joined by ':', or
                               NULL */
};

/*
 * Preinitialises Python (locale, memory), which start() does if need be;
 * initialises the interpreter; the finder is in place before the first import
 * from the tree.  The status may ask for an exit (-V, --help, a wrong option):
 * the caller passes it to Py_ExitStatusException().
 */
PyStatus pexcz_python_preconfigure(const struct pexcz_python_options *options);
PyStatus pexcz_python_start(const struct pexcz_python_options *options);

#endif
