/* SPDX-License-Identifier: Apache-2.0 */
#include "pyconfig.h"

#include "exe_layout.h"
#include "importer.h"

#include <stdio.h>

#define LIB_DIR "lib/python" Py_STRINGIFY(PY_MAJOR_VERSION) "." \
    Py_STRINGIFY(PY_MINOR_VERSION)
#define ZIP_NAME "lib/python" Py_STRINGIFY(PY_MAJOR_VERSION) \
    Py_STRINGIFY(PY_MINOR_VERSION) ".zip"

static PyStatus
set_paths(PyConfig *config, const char *executable)
{
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
        {&config->executable, executable},
        {&config->base_executable, executable},
        {&config->program_name, executable},
    };
    const wchar_t *const search[] = {
        L"" PEXCZ_PREFIX "/" ZIP_NAME,
        L"" PEXCZ_PREFIX "/" LIB_DIR,
        L"" PEXCZ_PREFIX "/" LIB_DIR "/lib-dynload",
    };
    PyStatus status = PyStatus_Ok();

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        status = PyConfig_SetBytesString(config, fields[i].field,
                                         fields[i].value);
        if (PyStatus_Exception(status)) {
            return status;
        }
    }
    config->module_search_paths_set = 1;
    for (size_t i = 0; i < sizeof(search) / sizeof(search[0]); i++) {
        status = PyWideStringList_Append(&config->module_search_paths,
                                         search[i]);
        if (PyStatus_Exception(status)) {
            return status;
        }
    }
    return status;
}

static PyStatus
preconfigure(const struct pexcz_python_options *options)
{
    PyPreConfig pre;

    PyPreConfig_InitPythonConfig(&pre);
    pre.isolated = !options->application;
    pre.use_environment = options->application && options->environment;
    return Py_PreInitializeFromBytesArgs(&pre, options->argc, options->argv);
}

static void
set_flags(PyConfig *config, const struct pexcz_python_options *options)
{
    config->use_environment = options->application && options->environment;
    config->pathconfig_warnings = 0;
    config->_init_main = 0;
    if (options->application) {
        config->site_import = 0;
    }
    else {
        config->isolated = 1;
        config->user_site_directory = 0;
        config->safe_path = 1;
    }
}

PyStatus
pexcz_python_start(const struct pexcz_python_options *options)
{
    PyConfig config;
    PyStatus status = preconfigure(options);

    if (PyStatus_Exception(status)) {
        return status;
    }
    PyConfig_InitPythonConfig(&config);
    set_flags(&config, options);
    status = set_paths(&config, options->executable);
    if (PyStatus_Exception(status)) {
        goto out;
    }
    status = PyConfig_SetBytesArgv(&config, options->argc, options->argv);
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
    status = _Py_InitializeMain();

out:
    PyConfig_Clear(&config);
    return status;
}
