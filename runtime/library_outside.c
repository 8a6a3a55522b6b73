/* SPDX-License-Identifier: Apache-2.0 */
#include "library_outside.h"

#include "heap.h"
#include "library_stubs.h"

#include <dlfcn.h>
#include <link.h>

#define MAX_OUTSIDE 64

static struct {
    size_t count;
    struct {
        const char *name;
        void *handle;
        bool required;
    } items[MAX_OUTSIDE];
} outside;

bool
pexcz_library_is_of_libc(const char *name)
{
    static const char *const all[] = {
        "libc.so.6",  "libm.so.6",    "libpthread.so.0",      "libdl.so.2",
        "librt.so.1", "libutil.so.1", "ld-linux-x86-64.so.2",
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (strcmp(all[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static size_t
number_of(const char *name)
{
    size_t i = 0;

    while (i < outside.count && strcmp(outside.items[i].name, name) != 0) {
        i++;
    }
    return i;
}

/* The segments of an object. */
struct object {
    uint64_t base;
    const char *path;
    bool found;
};

static int
adopt_code(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct object *o = arg;

    (void)size;
    if (info->dlpi_addr != o->base || strcmp(info->dlpi_name, o->path) != 0) {
        return 0;
    }
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];

        if (p->p_type == PT_LOAD && (p->p_flags & PF_X) != 0) {
            pexcz_heap_serve(info->dlpi_addr + p->p_vaddr, p->p_memsz);
        }
    }
    return 1;
}

bool
pexcz_library_outside_open(const char *name)
{
    size_t i = number_of(name);
    struct link_map *map;
    void *handle;

    if (i < outside.count) {
        return true;
    }
    handle = i < MAX_OUTSIDE ? dlopen(name, RTLD_LAZY) : NULL;
    if (handle == NULL) {
        return false;
    }
    if (dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0) {
        struct object o = {.base = map->l_addr, .path = map->l_name};

        (void)dl_iterate_phdr(adopt_code, &o);
    }
    outside.items[i].name = name;
    outside.items[i].handle = handle;
    outside.count++;
    return true;
}

void *
pexcz_library_outside_find(const char *library, const char *name,
                           const char *version)
{
    void *handle;
    void *found;

    if (!pexcz_library_outside_open(library)) {
        return NULL;
    }
    handle = outside.items[number_of(library)].handle;
    found = version != NULL ? dlvsym(handle, name, version) : NULL;
    return found != NULL || version != NULL ? found : dlsym(handle, name);
}

bool
pexcz_library_outside_tls(const char *library, const char *name,
                          const char *version, uint64_t *ret_module,
                          uint64_t *ret_offset)
{
    const char *address = pexcz_library_outside_find(library, name, version);
    void *handle;
    size_t module = 0;
    void *data = NULL;

    if (address == NULL) {
        return false;
    }
    handle = outside.items[number_of(library)].handle;
    if (dlinfo(handle, RTLD_DI_TLS_MODID, &module) != 0 || module == 0
        || dlinfo(handle, RTLD_DI_TLS_DATA, &data) != 0 || data == NULL) {
        return false;
    }
    *ret_module = module;
    *ret_offset = (uint64_t)(address - (const char *)data);
    return true;
}

void
pexcz_library_outside_require(const char *name)
{
    size_t i = number_of(name);

    if (i < outside.count) {
        outside.items[i].required = true;
    }
}

int
pexcz_library_outside_write(struct pexcz_buf *out, struct pexcz_error *err)
{
    int rc = PEXCZ_OK;

    for (size_t i = 0; i < outside.count && rc == PEXCZ_OK; i++) {
        uint64_t name = (uintptr_t)outside.items[i].name;

        if (outside.items[i].required) {
            rc = pexcz_buf_append(out, &name, sizeof(name), err);
        }
    }
    return rc;
}

bool
pexcz_library_outside_resume(struct pexcz_slice table)
{
    const uint64_t *names = (const void *)table.ptr;

    for (size_t i = 0; i < table.len / sizeof(*names); i++) {
        if (!pexcz_library_outside_open((const char *)(uintptr_t)names[i])) {
            return false;
        }
    }
    return true;
}
