/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every base and every packed executable does first: find the blobs,
 * mount their tree, then be the application or a Python.
 */
#include "app_environment.h"
#include "app_site.h"
#include "arenas.h"
#include "command.h"
#include "exit.h"
#include "library_direct.h"
#include "loaded_objects.h"
#include "locate.h"
#include "orig_argv.h"
#include "own_venv.h"
#include "pex_run.h"
#include "prompt.h"
#include "pyconfig.h"
#include "real_files.h"
#include "shared_objects.h"
#include "snapshot.h"
#include "snapshot_rehearsal.h"
#include "snapshot_role.h"
#include "verify_first.h"
#include "vfs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* As env and nohup: the program itself could not be run. */
#define EXIT_BROKEN 127
/* As Pex, for an environment that makes no sense. */
#define EXIT_USAGE 1

static void
fail(const struct pexcz_error *err)
{
    (void)dprintf(STDERR_FILENO, "pexcz: %s\n", err->msg);
    _exit(err->code == PEXCZ_E_USAGE ? EXIT_USAGE : EXIT_BROKEN);
}

/* sys.executable: the file itself, spelled with a second leading slash, by
 * which the process that it starts knows that it is to be a Python. */
static void
own_path(char *dst, size_t cap)
{
    ssize_t n;

    dst[0] = '/';
    n = readlink("/proc/self/exe", dst + 1, cap - 2);
    dst[n > 0 ? n + 1 : 0] = '\0';
}

static void
start_python(const struct pexcz_python_options *options)
{
    PyStatus status;

    pexcz_arenas_use();
    status = pexcz_python_start(options);
    if (!PyStatus_Exception(status)
        && options->original_argv != options->process_argv
        && pexcz_orig_argv_put(options->process_argc, options->process_argv)
               < 0) {
        status = PyStatus_NoMemory();
    }
    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status);
    }
}

/* The environment and the command line that Python gets in a PEX's roles. */
static void
prepare_pex(const struct pexcz_blob *app, const struct pexcz_command *command,
            struct pexcz_pex_variables *variables,
            struct pexcz_python_options *options)
{
    bool inject = variables->module == NULL && variables->script == NULL
                  && !variables->tools;
    struct pexcz_error err;

    if (pexcz_pex_variables_inherit(app, variables, &err) < 0
        || pexcz_app_environment(app, variables, options->executable, &err)
               < 0) {
        fail(&err);
    }
    options->extra_path = variables->extra_sys_path;
    options->original_argv = pexcz_command_original(
        command, options->executable, options->original_argc,
        options->original_argv, &options->original_argc);
    options->argv = pexcz_command_argv(command, app, inject, &options->argc,
                                       &options->program);
    if (options->argv == NULL || options->original_argv == NULL) {
        (void)pexcz_fail(&err, PEXCZ_E_NOMEM, 0, "out of memory");
        fail(&err);
    }
}

static bool
shared_objects_are_noticeable(void)
{
    return pexcz_libraries_are_noticeable()
           || pexcz_loaded_objects_are_noticeable();
}

static _Noreturn void
run_application(const struct pexcz_located *located,
                const struct pexcz_command *command,
                const struct pexcz_pex_variables *variables,
                const struct pexcz_python_options *options)
{
    const struct pexcz_blob *app = &located->app;
    int restored
        = command->option_count == 0 && pexcz_pex_is_ordinary(variables)
              ? pexcz_snapshot_restore(located, options, command->name)
              : 0;
    bool ready = restored > 0;

    if (restored == 0) {
        start_python(options);
        ready = pexcz_app_site(app, command->name) == 0
                && pexcz_pex_setup(variables) == 0;
    }
    if (ready && pexcz_real_files_add(&located->tree, app) == 0) {
        (void)pexcz_pex_run(app, command, variables, options->executable);
    }
    pexcz_exit(shared_objects_are_noticeable);
}

static void
enter_venv(const struct pexcz_command *command,
           struct pexcz_python_options *options)
{
    static char name[PEXCZ_MAX_PATH + 2];
    static char base[sizeof(name)];

    if (pexcz_own_venv_find(command->name, options->executable, name, base,
                            sizeof(name))) {
        options->venv = true;
        options->base_executable = base;
        options->executable = name;
    }
}

int
main(int argc, char **argv)
{
    static struct pexcz_located located;
    static char path[PEXCZ_MAX_PATH + 2];
    struct pexcz_python_options options = {
        .tree = &located.tree,
        .executable = path,
        .site = true,
    };
    struct pexcz_pex_variables variables = {0};
    struct pexcz_command command;
    struct pexcz_error err;

    if (pexcz_locate(&located, &err) < 0) {
        fail(&err);
    }
    located.stdlib.on_corrupt = fail;
    located.app.on_corrupt = fail;
    if (pexcz_verify_first(&located.tree, located.snapshot, &err) < 0) {
        fail(&err);
    }
    own_path(path, sizeof(path));
    pexcz_shared_objects_init(&located.tree, path);
    pexcz_vfs_set_self(path);
    pexcz_vfs_mount(&located.tree);
    if (pexcz_is_snapshot_role(&located, argc, argv)) {
        pexcz_snapshot_role(&located, argc, argv);
    }
    if (pexcz_rehearsal_begin(&located, &argc, &argv)) {
        /* It must not show in a snapshot who packs, and where. */
        (void)strcpy(path, PEXCZ_SNAPSHOT_EXECUTABLE);
        pexcz_vfs_set_owner(0, 0);
    }
    options.argc = options.original_argc = options.process_argc = argc;
    options.argv = argv;
    options.process_argv = argv;
    options.original_argv = argv;
    options.isolated = !located.has_app;
    options.environment = located.has_app && pexcz_trusts_environment();
    if (options.environment
        && pexcz_pex_variables_read(pexcz_command_name(argc, argv), &variables,
                                    &err)
               < 0) {
        fail(&err);
    }
    pexcz_command_read(located.has_app ? &located.app : NULL, &variables, argc,
                       argv, &command);
    if (command.is_choice_needed) {
        pexcz_command_list(&located.app, &command);
        return EXIT_USAGE;
    }
    if (command.role == PEXCZ_ROLE_PYTHON) {
        options.python_path = options.environment;
        enter_venv(&command, &options);
    }
    else {
        prepare_pex(&located.app, &command, &variables, &options);
    }
    if (command.role == PEXCZ_ROLE_APPLICATION) {
        options.site = false;
        run_application(&located, &command, &variables, &options);
    }
    start_python(&options);
    if (located.has_app
        && pexcz_real_files_add(&located.tree, &located.app) < 0) {
        pexcz_exit(NULL);
    }
    if (options.isolated) {
        pexcz_prompt_edit();
    }
    if (command.role == PEXCZ_ROLE_PEX_PYTHON
        && pexcz_pex_prompt_setup(&variables) < 0) {
        pexcz_exit(NULL);
    }
    if (command.role == PEXCZ_ROLE_PEX_PYTHON && pexcz_pex_will_prompt()) {
        (void)pexcz_pex_prompt(&located.app, &variables, path);
        pexcz_exit(shared_objects_are_noticeable);
    }
    return Py_RunMain();
}
