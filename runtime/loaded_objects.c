/* SPDX-License-Identifier: Apache-2.0 */
#include "loaded_objects.h"

#include "library_watch.h"
#include "shared_objects.h"

#include <link.h>
#include <string.h>

struct symbols {
    const Elf64_Sym *all;
    const char *strings;
    size_t strings_size;
    size_t count; /* of those that come first: all that are undefined */
};

/* As ld.so has left the table: with addresses. */
static bool
read_dynamic(const Elf64_Dyn *dynamic, struct symbols *ret)
{
    memset(ret, 0, sizeof(*ret));
    for (const Elf64_Dyn *d = dynamic; d->d_tag != DT_NULL; d++) {
        switch (d->d_tag) {
        case DT_SYMTAB:
            ret->all = (const Elf64_Sym *)d->d_un.d_ptr;
            break;
        case DT_STRTAB:
            ret->strings = (const char *)d->d_un.d_ptr;
            break;
        case DT_STRSZ:
            ret->strings_size = d->d_un.d_val;
            break;
        case DT_GNU_HASH: /* the first symbol that others can see */
            ret->count = ((const uint32_t *)d->d_un.d_ptr)[1];
            break;
        default:
            break;
        }
    }
    /* A table of nothing begins at 1 or behind the last one. */
    return ret->all != NULL && ret->strings != NULL && ret->count > 1;
}

/* Of libc, what is not in library_pure.c since it is no computation, but done
 * to memory, or to be asked for. */
static bool
is_quiet(const char *name)
{
    static const char *const names[] = {
        "__cxa_atexit",
        "__cxa_thread_atexit_impl",
        "__stack_chk_guard", /* ld.so's variable, on aarch64 */
        "__strdup",
        "aligned_alloc",
        "calloc",
        "clock",
        "clock_gettime",
        "free",
        "getenv",
        "getpid",
        "gettimeofday",
        "gmtime",
        "localtime",
        "localtime_r",
        "malloc",
        "malloc_usable_size",
        "memalign",
        "mktime",
        "newlocale",
        "posix_memalign",
        "pthread_key_create",
        "pthread_key_delete",
        "pthread_self",
        "realloc",
        "secure_getenv",
        "strdup",
        "strndup",
        "sysconf",
        "time",
        "uselocale",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool
cannot_be_noticed(const char *name)
{
    if (strncmp(name, "Py", 2) == 0 || strncmp(name, "_Py", 3) == 0) {
        return !pexcz_library_is_print(name);
    }
    return strncmp(name, "_ITM_", 5) == 0 || pexcz_library_is_pure(name)
           || is_quiet(name);
}

static int
look_at(struct dl_phdr_info *info, size_t size, void *context)
{
    const Elf64_Dyn *dynamic = NULL;
    struct symbols symbols;

    (void)size;
    (void)context;
    if (pexcz_shared_objects_name(info->dlpi_name) == info->dlpi_name) {
        return 0; /* not one of the tree */
    }
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC) {
            dynamic = (const Elf64_Dyn *)(info->dlpi_addr
                                          + info->dlpi_phdr[i].p_vaddr);
        }
    }
    if (dynamic == NULL || !read_dynamic(dynamic, &symbols)) {
        return 1;
    }
    for (size_t i = 1; i < symbols.count; i++) {
        const Elf64_Sym *s = &symbols.all[i];

        if (s->st_shndx == SHN_UNDEF && s->st_name != 0
            && (s->st_name >= symbols.strings_size
                || !cannot_be_noticed(symbols.strings + s->st_name))) {
            return 1;
        }
    }
    return 0;
}

bool
pexcz_loaded_objects_are_noticeable(void)
{
    return pexcz_shared_objects_used() && dl_iterate_phdr(look_at, NULL) != 0;
}
