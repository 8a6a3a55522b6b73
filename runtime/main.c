/* SPDX-License-Identifier: Apache-2.0 */
#include "locate.h"
#include "pyconfig.h"

#include <stdio.h>
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

int
main(int argc, char **argv)
{
    static struct pexcz_located located;
    struct pexcz_error err;
    char path[PEXCZ_MAX_PATH + 2];
    PyStatus status;

    if (pexcz_locate(&located, &err) < 0) {
        broken(&err);
    }
    located.stdlib.on_corrupt = broken;
    located.app.on_corrupt = broken;
    own_path(path, sizeof(path));
    status = pexcz_python_start(&located.tree, path, argc, argv);
    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status);
    }
    return Py_RunMain();
}
