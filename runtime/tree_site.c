/* SPDX-License-Identifier: Apache-2.0 */
#include "tree_site.h"

#include "blob_reader.h"
#include "exe_layout.h"
#include "sys_flags.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Whether site.venv() would find a pyvenv.cfg, beside the executable or in the
 * folder above. */
static bool
is_in_environment(const char *executable)
{
    static const char name[] = "/pyvenv.cfg";
    char path[PEXCZ_MAX_PATH + sizeof(name)];
    int n = snprintf(path, PEXCZ_MAX_PATH, "%s", executable);

    for (int i = 0; n > 0 && (size_t)n < PEXCZ_MAX_PATH && i < 2; i++) {
        char *slash = strrchr(path, '/');

        if (slash == NULL) {
            return false;
        }
        memcpy(slash, name, sizeof(name));
        if (access(path, F_OK) == 0) {
            return true;
        }
        *slash = '\0';
    }
    return false;
}

static int
import_site(void)
{
    PyObject *site = PyImport_ImportModule("site");

    Py_XDECREF(site);
    return site != NULL ? 0 : -1;
}

/* As the Python of the tree itself, which lies in no environment. */
static int
import_as_inner(void)
{
    PyObject *outer = Py_XNewRef(PySys_GetObject("executable"));
    PyObject *inner = PyUnicode_FromString(PEXCZ_PREFIX "/bin/python3");
    int rc = -1;

    if (outer != NULL && inner != NULL
        && PySys_SetObject("executable", inner) == 0) {
        rc = import_site();
        if (PySys_SetObject("executable", outer) < 0) {
            rc = -1;
        }
    }
    Py_XDECREF(inner);
    Py_XDECREF(outer);
    return rc;
}

int
pexcz_tree_site_run(const char *executable)
{
    long user = pexcz_get_sys_flag("no_user_site");
    int rc;

    if (user < 0 || pexcz_set_sys_flag("no_site", 0) < 0
        || pexcz_set_sys_flag("no_user_site", 1) < 0) {
        return -1;
    }
    rc = is_in_environment(executable) ? import_as_inner() : import_site();
    if (pexcz_set_sys_flag("no_user_site", user) < 0) {
        return -1;
    }
    return rc;
}
