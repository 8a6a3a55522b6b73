/* SPDX-License-Identifier: Apache-2.0 */
#include "pex_run.h"
#include "pex_helper.h"
#include "python_version.h"

#include "entry_point.h"

#include <stdlib.h>
#include <string.h>

/* What run_method() runs; there is one application in a process. */
static struct {
    const struct pexcz_blob *app;
    const struct pexcz_command *command;
    const struct pexcz_pex_variables *variables;
} current;

bool
pexcz_pex_is_ordinary(const struct pexcz_pex_variables *variables)
{
    return variables->module == NULL && variables->script == NULL
           && variables->extra_sys_path == NULL && variables->pex_path == NULL
           && variables->python_path == NULL && !variables->tools
           && !variables->profile && !variables->coverage;
}

static int
check(PyObject *result)
{
    Py_XDECREF(result);
    return result != NULL ? 0 : -1;
}

int
pexcz_pex_setup(const struct pexcz_pex_variables *v)
{
    int rc = 0;

    if (v->pex_path != NULL) {
        rc = check(pexcz_helper_call(PEXCZ_HELPER_RUN, "add_pexes", "(N)",
                                     pexcz_helper_text(v->pex_path)));
    }
    if (rc == 0 && v->python_path != NULL) {
        rc = check(pexcz_helper_call(PEXCZ_HELPER_RUN, "inherit", "(Ns)",
                                     pexcz_helper_text(v->python_path),
                                     v->inherit_path));
    }
    return rc;
}

int
pexcz_pex_prompt_setup(const struct pexcz_pex_variables *v)
{
    const char *file
        = v->history_file != NULL ? v->history_file : "~/.python_history";
    int rc = pexcz_pex_setup(v);

    if (rc == 0) {
        rc = check(
            pexcz_helper_call(PEXCZ_HELPER_RUN, "use_history", "(N)",
                              pexcz_helper_text(v->history ? file : NULL)));
    }
    return rc;
}

bool
pexcz_pex_will_prompt(void)
{
    const PyConfig *config
        = _PyInterpreterState_GetConfig(PyInterpreterState_Get());

    return config->run_command == NULL && config->run_module == NULL
           && config->run_filename == NULL && config->argv.length > 0
           && wcscmp(config->argv.items[0], L"-") != 0;
}

int
pexcz_pex_prompt(const struct pexcz_blob *app,
                 const struct pexcz_pex_variables *v, const char *executable)
{
    const char *file
        = v->history_file != NULL ? v->history_file : "~/.python_history";
    struct pexcz_slice info = {0};
    PyObject *wheels;

    (void)pexcz_blob_boot_get(app, PEXCZ_BOOT_PEX_INFO, &info);
    wheels = pexcz_helper_call(PEXCZ_HELPER_TOOLS, "wheel_names", "(s#)",
                               (const char *)info.ptr, (Py_ssize_t)info.len);
    if (wheels == NULL) {
        return -1;
    }
    return check(pexcz_helper_call(
        PEXCZ_HELPER_PROMPT, "run", "(Ns#NN)",
        pexcz_helper_text(executable + (executable[0] == '/')),
        (const char *)info.ptr, (Py_ssize_t)info.len, wheels,
        pexcz_helper_text(v->history ? file : NULL)));
}

static PyObject *
run_method(PyObject *self, PyObject *args)
{
    (void)self;
    (void)args;
    if (pexcz_run_entry_point(current.app, current.command, current.variables)
        < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static int
run_measured(const struct pexcz_pex_variables *v)
{
    static PyMethodDef method
        = {"run", run_method, METH_NOARGS, "Runs the application."};

    return check(pexcz_helper_call(
        PEXCZ_HELPER_RUN, "measured", "(NNNNNN)",
        PyCFunction_New(&method, NULL), PyBool_FromLong(v->profile),
        pexcz_helper_text(v->profile_file), pexcz_helper_text(v->profile_sort),
        PyBool_FromLong(v->coverage), pexcz_helper_text(v->coverage_file)));
}

static PyObject *
list_of(char *const *items, int count)
{
    PyObject *list = PyList_New(count);

    for (int i = 0; list != NULL && i < count; i++) {
        PyObject *item = PyUnicode_DecodeFSDefault(items[i]);

        if (item == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, item);
    }
    return list;
}

static int
run_tools(const struct pexcz_blob *app, const struct pexcz_command *command,
          const char *executable)
{
    struct pexcz_slice info = {0};
    PyObject *result;

    (void)pexcz_blob_boot_get(app, PEXCZ_BOOT_PEX_INFO, &info);
    result = pexcz_helper_call(
        PEXCZ_HELPER_TOOLS, "main", "(Ns#N)",
        pexcz_helper_text(executable + (executable[0] == '/')),
        (const char *)info.ptr, (Py_ssize_t)info.len,
        list_of(command->args, command->arg_count));
    if (result != NULL) {
        PyErr_SetObject(PyExc_SystemExit, result);
        Py_DECREF(result);
    }
    return -1;
}

/* The title that Pex gives to the process, if the PEX has setproctitle. */
static int
set_title(const struct pexcz_blob *app, const char *executable)
{
    static const char name[] = "/setproctitle";
    char stem[PEXCZ_MAX_PATH];
    struct pexcz_slice site;
    struct pexcz_slice whole;
    struct pexcz_module module;

    if (!pexcz_blob_boot_get(app, PEXCZ_BOOT_SEARCH_PATH, &site)
        || site.len + sizeof(name) > sizeof(stem)) {
        return 0;
    }
    memcpy(stem, site.ptr, site.len);
    memcpy(stem + site.len, name, sizeof(name));
    whole = pexcz_slice_make(stem, site.len + sizeof(name) - 1);
    if (!pexcz_blob_find_module(app, whole, pexcz_blob_hash(whole), &module)) {
        return 0;
    }
    return check(pexcz_helper_call(
        PEXCZ_HELPER_RUN, "set_title", "(N)",
        pexcz_helper_text(executable + (executable[0] == '/'))));
}

int
pexcz_pex_run(const struct pexcz_blob *app,
              const struct pexcz_command *command,
              const struct pexcz_pex_variables *variables,
              const char *executable)
{
    if (variables->tools) {
        return run_tools(app, command, executable);
    }
    if (set_title(app, executable) < 0) {
        return -1;
    }
    if (!variables->profile && !variables->coverage) {
        return pexcz_run_entry_point(app, command, variables);
    }
    current.app = app;
    current.command = command;
    current.variables = variables;
    return run_measured(variables);
}
