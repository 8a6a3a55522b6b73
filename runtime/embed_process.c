/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library's place in somebody else's process.
 */
#include "embed.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>

static const void *
own_address(void)
{
    const void *p;
    const char *(*function)(void) = Py_GetVersion;

    /* ISO C has no conversion from function to object pointers. */
    memcpy(&p, &function, sizeof(p));
    return p;
}

static int
find_libpython(struct dl_phdr_info *info, size_t size, void *data)
{
    const char *name = basename(info->dlpi_name);

    (void)size;
    if (strncmp(name, "libpython", 9) == 0) {
        /* Copied: the object may be unloaded when this returns. */
        (void)strncat(data, info->dlpi_name, PATH_MAX - 1);
        return 1;
    }
    return 0;
}

int
pexcz_embed_check_process(struct pexcz_runtime_error *err)
{
    char other[PATH_MAX] = "";
    const void *visible = dlsym(RTLD_DEFAULT, "Py_GetVersion");
    Dl_info info;

    if (Py_IsInitialized()) {
        return pexcz_embed_fail(err, PEXCZ_RUNTIME_E_CONFLICT,
                                "Python is initialised already, not by "
                                "pexcz_runtime");
    }
    if (visible != NULL && visible != own_address()) {
        return pexcz_embed_fail(err, PEXCZ_RUNTIME_E_CONFLICT,
                                "another Python is in this process: %s",
                                dladdr(visible, &info) != 0
                                    ? info.dli_fname
                                    : "of unknown origin");
    }
    if (dl_iterate_phdr(find_libpython, other) != 0) {
        return pexcz_embed_fail(err, PEXCZ_RUNTIME_E_CONFLICT,
                                "another Python is in this process: %s",
                                other);
    }
    return PEXCZ_RUNTIME_OK;
}

/* Opens the object that the library is part of once more, with these flags.
 * For a program itself ld.so refuses, and there is nothing to do. */
static void
reopen(int flags)
{
    Dl_info info;

    if (dladdr(own_address(), &info) != 0 && info.dli_fname != NULL) {
        (void)dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | flags);
    }
}

void
pexcz_embed_stay_loaded(void)
{
    reopen(RTLD_NODELETE);
}

void
pexcz_embed_show_api(void)
{
    reopen(RTLD_GLOBAL);
}
