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
preconfigure(Py_ssize_t argc, char **argv)
{
    PyPreConfig pre;

    PyPreConfig_InitPythonConfig(&pre);
    pre.isolated = 1;
    pre.use_environment = 0;
    return Py_PreInitializeFromBytesArgs(&pre, argc, argv);
}

PyStatus
pexcz_python_start(const struct pexcz_tree *tree, const char *executable,
                   Py_ssize_t argc, char **argv)
{
    PyConfig config;
    PyStatus status = preconfigure(argc, argv);

    if (PyStatus_Exception(status)) {
        return status;
    }
    PyConfig_InitPythonConfig(&config);
    config.isolated = 1;
    config.use_environment = 0;
    config.user_site_directory = 0;
    config.safe_path = 1;
    config.pathconfig_warnings = 0;
    config._init_main = 0;
    status = set_paths(&config, executable);
    if (PyStatus_Exception(status)) {
        goto out;
    }
    status = PyConfig_SetBytesArgv(&config, argc, argv);
    if (PyStatus_Exception(status)) {
        goto out;
    }
    status = Py_InitializeFromConfig(&config);
    if (PyStatus_Exception(status)) {
        goto out;
    }
    if (pexcz_importer_install(tree) < 0) {
        PyErr_Print();
        status = PyStatus_Error("cannot install the importer");
        goto out;
    }
    status = _Py_InitializeMain();

out:
    PyConfig_Clear(&config);
    return status;
}
