/* SPDX-License-Identifier: Apache-2.0 */
/* loader PLUGIN ARGUMENT…: runs plugin_main() of a shared object. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int
main(int argc, char **argv)
{
    void *handle = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    int (*plugin_main)(int argc, char **argv);
    void *found;
    int rc;

    if (handle == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    found = dlsym(handle, "plugin_main");
    memcpy(&plugin_main, &found, sizeof(found));
    rc = plugin_main(argc - 1, argv + 1);
    /* Loaded it stays: Python's thread keys point into it. */
    return dlclose(handle) != 0 ? 1 : rc;
}
