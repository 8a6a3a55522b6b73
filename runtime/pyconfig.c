/* SPDX-License-Identifier: Apache-2.0 */
#include "pyconfig.h"

#include "config_in_use.h"
#include "exe_layout.h"
#include "importer.h"
#include "preconfig.h"
#include "tree_site.h"

#include <stdlib.h>
#include <string.h>

#define LIB_DIR                                                               \
    "lib/python" Py_STRINGIFY(PY_MAJOR_VERSION) "." Py_STRINGIFY(             \
        PY_MINOR_VERSION)
#define ZIP_NAME                                                              \
    "lib/python" Py_STRINGIFY(PY_MAJOR_VERSION)                               \
        Py_STRINGIFY(PY_MINOR_VERSION) ".zip"

static PyStatus
set_fields(PyConfig *config, const struct pexcz_python_options *options)
{
    const char *executable = options->executable;
    const char *base = options->base_executable;
    const struct {
        wchar_t **field;
        const char *value;
    } fields[] = {
        {&config->home, PEXCZ_PREFIX},
        {&config->prefix, PEXCZ_PREFIX},
        {&config->exec_prefix, PEXCZ_PREFIX},
        {&config->base_prefix, PEXCZ_PREFIX},
        {&config->base_exec_prefix, PEXCZ_PREFIX},
        {&config->stdlib_dir, PEXCZ_PREFIX "/" LIB_DIR},
        {&config->platlibdir, "lib"},
        {&config->executable, executable},
        {&config->base_executable, base != NULL ? base : executable},
        {&config->program_name, executable},
    };
    PyStatus status = PyStatus_Ok();

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        status = PyConfig_SetBytesString(config, fields[i].field,
                                         fields[i].value);
        if (PyStatus_Exception(status)) {
            return status;
        }
    }
    return status;
}

static PyStatus
append(PyWideStringList *list, const char *text, size_t len)
{
    char *copy = strndup(text, len);
    wchar_t *wide = copy != NULL ? Py_DecodeLocale(copy, NULL) : NULL;
    PyStatus status = wide != NULL ? PyWideStringList_Append(list, wide)
                                   : PyStatus_NoMemory();

    PyMem_RawFree(wide);
    free(copy);
    return status;
}

/* The parts of `path` between colons; empty ones as well, as Python does. */
static PyStatus
append_split(PyWideStringList *list, const char *path)
{
    PyStatus status = PyStatus_Ok();

    while (path != NULL && !PyStatus_Exception(status)) {
        size_t n = strcspn(path, ":");

        status = append(list, path, n);
        path = path[n] != '\0' ? path + n + 1 : NULL;
    }
    return status;
}

/* PYTHONPATH, if the command line (-E, -I) leaves it its say; NULL: no entry.
 * A second PyConfig_Read() would lose -X warn_default_encoding. */
static const char *
read_python_path(const struct pexcz_python_options *options)
{
    const char *value = options->python_path ? getenv("PYTHONPATH") : NULL;
    PyPreConfig pre;

    if (value == NULL || value[0] == '\0') {
        return NULL;
    }
    pexcz_preconfig_get(&pre);
    return pre.use_environment ? value : NULL;
}

static PyStatus
set_search_paths(PyConfig *config, const struct pexcz_python_options *options)
{
    const char *const own[] = {
        PEXCZ_PREFIX "/" ZIP_NAME,
        PEXCZ_PREFIX "/" LIB_DIR,
        PEXCZ_PREFIX "/" LIB_DIR "/lib-dynload",
    };
    PyWideStringList *list = &config->module_search_paths;
    PyStatus status = append_split(list, read_python_path(options));

    config->module_search_paths_set = 1;
    for (size_t i = 0;
         !PyStatus_Exception(status) && i < sizeof(own) / sizeof(own[0]);
         i++) {
        status = append(list, own[i], strlen(own[i]));
    }
    return PyStatus_Exception(status)
               ? status
               : append_split(list, options->extra_path);
}

static PyStatus
preconfigure_guest(const struct pexcz_python_options *options)
{
    PyPreConfig pre;

    if (options->environment) {
        PyPreConfig_InitPythonConfig(&pre);
        pre.configure_locale = 0;
        pre.coerce_c_locale = 0;
        pre.coerce_c_locale_warn = 0;
    }
    else {
        PyPreConfig_InitIsolatedConfig(&pre);
    }
    pre.utf8_mode = 1;
    return Py_PreInitialize(&pre);
}

/* Isolated, unless the environment is to count. */
static void
init_guest(PyConfig *config, const struct pexcz_python_options *options)
{
    if (options->environment) {
        PyConfig_InitPythonConfig(config);
        config->parse_argv = 0;
        config->configure_c_stdio = 0;
        config->safe_path = 1;
    }
    else {
        PyConfig_InitIsolatedConfig(config);
    }
    config->install_signal_handlers = options->signal_handlers;
}

PyStatus
pexcz_python_preconfigure(const struct pexcz_python_options *options)
{
    PyPreConfig pre;

    if (options->guest) {
        return preconfigure_guest(options);
    }
    PyPreConfig_InitPythonConfig(&pre);
    pre.isolated = options->isolated;
    pre.use_environment = options->environment;
    if (options->program == 1) {
        /* No options to look for: to decode the arguments for that loads
         * libc's tables of character sets. */
        return Py_PreInitialize(&pre);
    }
    return Py_PreInitializeFromBytesArgs(&pre, options->argc, options->argv);
}

static PyStatus
set_arguments(PyConfig *config, const struct pexcz_python_options *options)
{
    PyStatus status = PyStatus_Ok();

    for (int i = 0; i < options->original_argc && !PyStatus_Exception(status);
         i++) {
        const char *arg = options->original_argv[i];

        status = append(&config->orig_argv, arg, strlen(arg));
    }
    return PyStatus_Exception(status)
               ? status
               : PyConfig_SetBytesArgv(config, options->argc, options->argv);
}

static void
set_flags(PyConfig *config, const struct pexcz_python_options *options)
{
    config->use_environment = options->environment;
    config->pathconfig_warnings = 0;
    config->_init_main = 0;
    config->site_import = options->site;
    if (options->hash_seed != 0) {
        config->use_hash_seed = 1;
        config->hash_seed = options->hash_seed;
    }
    if (options->isolated) {
        config->isolated = 1;
        config->safe_path = 1;
    }
}

/*
 * Without `site`, which has a form of its own here unless the process is in a
 * virtual environment.  `home` was for PYTHONHOME; nothing else is to know it.
 */
static PyStatus
initialise_main(const struct pexcz_python_options *options)
{
    PyConfig *config = pexcz_config_in_use();
    bool site = config->site_import != 0 && !options->venv;
    PyStatus status;

    config->site_import = config->site_import != 0 && options->venv;
    status = _Py_InitializeMain();
    PyMem_RawFree(config->home);
    config->home = NULL;
    /* Subinterpreters have the same: the packages of the tree. */
    if (site || (!options->site && !options->guest)) {
        config->site_import = 1;
        config->user_site_directory = 0;
    }
    if (!site || PyStatus_Exception(status)) {
        return status;
    }
    return pexcz_tree_site_run(options->executable) == 0
               ? status
               : PyStatus_Error("Failed to import the site module");
}

PyStatus
pexcz_python_start(const struct pexcz_python_options *options)
{
    PyConfig config;
    PyStatus status = pexcz_python_preconfigure(options);

    if (PyStatus_Exception(status)) {
        return status;
    }
    if (options->guest) {
        init_guest(&config, options);
    }
    else {
        PyConfig_InitPythonConfig(&config);
    }
    set_flags(&config, options);
    status = set_fields(&config, options);
    if (PyStatus_Exception(status)) {
        goto out;
    }
    status = set_arguments(&config, options);
    if (PyStatus_Exception(status)) {
        goto out;
    }
    status = set_search_paths(&config, options);
    if (PyStatus_Exception(status)) {
        goto out;
    }
    status = Py_InitializeFromConfig(&config);
    if (PyStatus_Exception(status)) {
        goto out;
    }
    if (pexcz_importer_install(options->tree) < 0) {
        PyErr_Print();
        status = PyStatus_Error("cannot install the importer");
        goto out;
    }
    status = initialise_main(options);

out:
    PyConfig_Clear(&config);
    return status;
}
