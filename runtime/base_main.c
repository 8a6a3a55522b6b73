/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every base and every packed executable does first: find the blobs,
 * mount their tree, then be the application or a Python.
 */
#include "entry_point.h"
#include "exit.h"
#include "locate.h"
#include "pyconfig.h"
#include "settings.h"
#include "shared_objects.h"
#include "vfs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* As env and nohup: the program itself could not be run. */
#define EXIT_BROKEN 127

static void
broken(const struct pexcz_error *err)
{
    (void)dprintf(STDERR_FILENO, "pexcz: %s\n", err->msg);
    _exit(EXIT_BROKEN);
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
start(const struct pexcz_python_options *options)
{
    PyStatus status = pexcz_python_start(options);

    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status);
    }
}

static _Noreturn void
run_application(struct pexcz_python_options *options,
                const struct pexcz_blob *app)
{
    const char *argv0 = options->argc > 0 ? options->argv[0] : "";
    struct pexcz_error err;

    options->application = true;
    options->environment = pexcz_trusts_environment();
    if (pexcz_app_environment(app) < 0) {
        (void)pexcz_fail(&err, PEXCZ_E_NOMEM, 0, "out of memory");
        broken(&err);
    }
    options->argv = pexcz_app_argv(app, options->argc, options->argv,
                                   &options->argc);
    if (options->argv == NULL) {
        (void)pexcz_fail(&err, PEXCZ_E_NOMEM, 0, "out of memory");
        broken(&err);
    }
    start(options);
    if (pexcz_prepare_site(app, argv0) == 0) {
        (void)pexcz_run_entry_point(app);
    }
    pexcz_exit(pexcz_shared_objects_used());
}

int
main(int argc, char **argv)
{
    static struct pexcz_located located;
    static char path[PEXCZ_MAX_PATH + 2];
    struct pexcz_python_options options = {.argc = argc, .argv = argv};
    struct pexcz_error err;
    struct pexcz_slice entry;
    bool has_entry;
    int skip;

    if (pexcz_locate(&located, &err) < 0) {
        broken(&err);
    }
    located.stdlib.on_corrupt = broken;
    located.app.on_corrupt = broken;
    own_path(path, sizeof(path));
    pexcz_shared_objects_init(&located.tree);
    pexcz_vfs_set_library_resolver(pexcz_shared_objects_resolve);
    pexcz_vfs_set_self(path);
    pexcz_vfs_mount(&located.tree);
    options.tree = &located.tree;
    options.executable = path;
    has_entry
        = located.has_app
          && (pexcz_blob_boot_get(&located.app, PEXCZ_BOOT_ENTRY_MODULE,
                                  &entry)
              || pexcz_blob_boot_get(&located.app, PEXCZ_BOOT_ENTRY_SCRIPT,
                                     &entry));
    if (!pexcz_is_interpreter(has_entry, argc, argv, &skip)) {
        options.argc -= skip;
        options.argv += skip;
        run_application(&options, &located.app);
    }
    start(&options);
    return Py_RunMain();
}
