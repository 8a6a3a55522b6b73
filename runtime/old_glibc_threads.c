/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What glibc before 2.34 has in libpthread and libdl only.  Newer ones have it
 * in libc, and two empty libraries, which cost a start 70 us if they are asked
 * for.  So the executable asks for libc and libm, and an old glibc is made to
 * load the two here.  Their symbols are weak in the executable (link_base.py):
 * with LD_BIND_NOW, ld.so looks for all of them before that.
 */
#include "gnu_hash.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WITH_THREADS_MAJOR 2
#define WITH_THREADS_MINOR 34
/* Of glibc < 2.34: a call of dlopen() that libc makes for itself. */
#define OPEN_NAME "__libc_dlopen_mode"
#define OPEN_FOR_LIBC 0x80000000u
#define EXIT_OF_LOADER 127
#ifdef __x86_64__
#define JUMP_SLOT R_X86_64_JUMP_SLOT
#else
#define JUMP_SLOT R_AARCH64_JUMP_SLOT
#endif

typedef void *open_function(const char *name, int mode);
typedef void *find_function(void *handle, const char *name);

/* As ld.so has left it: with addresses. */
static const void *
dynamic_entry(const ElfW(Dyn) * dynamic, ElfW(Sxword) tag)
{
    while (dynamic->d_tag != DT_NULL && dynamic->d_tag != tag) {
        dynamic++;
    }
    return dynamic->d_tag == tag ? (const void *)dynamic->d_un.d_ptr : NULL;
}

static const struct link_map *
find_object(const char *soname)
{
    const struct r_debug *debug = dynamic_entry(_DYNAMIC, DT_DEBUG);
    const struct link_map *map = debug != NULL ? debug->r_map : NULL;

    while (map != NULL && strcmp(basename(map->l_name), soname) != 0) {
        map = map->l_next;
    }
    return map;
}

/* Without dlsym(), which is in libdl: by the hash table of DT_GNU_HASH, whose
 * chains end with a hash that is odd. */
static bool
find_function_in(const char *soname, const char *name, void *ret)
{
    const struct link_map *map = find_object(soname);
    const uint32_t *table
        = map != NULL ? dynamic_entry(map->l_ld, DT_GNU_HASH) : NULL;
    const ElfW(Sym) * symbols;
    const char *strings;
    const uint32_t *buckets;
    const uint32_t *hashes;
    uint32_t hash = pexcz_gnu_hash(name);
    uint32_t i;

    if (table == NULL) {
        return false;
    }
    symbols = dynamic_entry(map->l_ld, DT_SYMTAB);
    strings = dynamic_entry(map->l_ld, DT_STRTAB);
    buckets = table + 4 + table[2] * (sizeof(ElfW(Addr)) / sizeof(*table));
    hashes = buckets + table[0];
    i = buckets[hash % table[0]];
    for (bool more = i != 0; more; i++) {
        uint32_t other = hashes[i - table[1]];

        if ((other | 1) == (hash | 1)
            && strcmp(strings + symbols[i].st_name, name) == 0) {
            uintptr_t address = map->l_addr + symbols[i].st_value;

            memcpy(ret, &address, sizeof(address));
            return true;
        }
        more = (other & 1) == 0;
    }
    return false;
}

static void
fail(const char *name)
{
    static const char before[] = "pexcz: cannot load ";
    static const char after[] = ", which this glibc has its threads in\n";

    (void)!write(STDERR_FILENO, before, sizeof(before) - 1);
    (void)!write(STDERR_FILENO, name, strlen(name));
    (void)!write(STDERR_FILENO, after, sizeof(after) - 1);
    _exit(EXIT_OF_LOADER);
}

/* Where ld.so was told to look for all functions at once, and found none. */
static void
bind_the_rest(void)
{
    const ElfW(Rela) *slots = dynamic_entry(_DYNAMIC, DT_JMPREL);
    size_t size = (uintptr_t)dynamic_entry(_DYNAMIC, DT_PLTRELSZ);
    const ElfW(Sym) *symbols = dynamic_entry(_DYNAMIC, DT_SYMTAB);
    const char *strings = dynamic_entry(_DYNAMIC, DT_STRTAB);
    find_function *find = NULL;

    for (size_t i = 0; i < size / sizeof(*slots); i++) {
        void **slot = (void **)slots[i].r_offset;

        if (ELF64_R_TYPE(slots[i].r_info) != JUMP_SLOT || *slot != NULL) {
            continue;
        }
        if (find == NULL && !find_function_in("libdl.so.2", "dlsym", &find)) {
            fail("libdl.so.2");
        }
        *slot = find(RTLD_DEFAULT,
                     strings + symbols[ELF64_R_SYM(slots[i].r_info)].st_name);
    }
}

static bool
has_threads_in_libc(const char *version)
{
    char *end;
    long major = strtol(version, &end, 10);

    return major > WITH_THREADS_MAJOR
           || (major == WITH_THREADS_MAJOR && *end == '.'
               && strtol(end + 1, NULL, 10) >= WITH_THREADS_MINOR);
}

/* Before all other constructors. */
__attribute__((constructor(101))) static void
load_libraries(void)
{
    static const char *const names[] = {"libpthread.so.0", "libdl.so.2"};
    open_function *open;

    if (has_threads_in_libc(gnu_get_libc_version())) {
        return;
    }
    if (!find_function_in("libc.so.6", OPEN_NAME, &open)) {
        fail(names[0]);
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        int mode = (int)(RTLD_NOW | RTLD_GLOBAL | OPEN_FOR_LIBC);

        if (open(names[i], mode) == NULL) {
            fail(names[i]);
        }
    }
    bind_the_rest();
}
