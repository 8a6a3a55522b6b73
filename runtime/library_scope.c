/* SPDX-License-Identifier: Apache-2.0 */
#include "library_scope.h"

#include "library_outside.h"
#include "library_state.h"
#include "library_watch.h"

#include <string.h>

bool
pexcz_library_named(const char *name, size_t *ret)
{
    const struct pexcz_library_state *s = &pexcz_library_state;

    for (size_t i = 0; i < s->count; i++) {
        const char *soname = s->files[i].soname;

        if (strcmp(soname != NULL ? soname : basename(s->made[i].path), name)
            == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static bool
has(const struct pexcz_library_scope *scope, const char *outside,
    size_t number)
{
    for (size_t i = 0; i < scope->count; i++) {
        const char *other = scope->items[i].outside;

        if (outside == NULL ? other == NULL && scope->items[i].number == number
                            : other != NULL && strcmp(other, outside) == 0) {
            return true;
        }
    }
    return false;
}

/* One that library `by` needs. */
static const char *
add(struct pexcz_library_scope *scope, size_t by, const char *name)
{
    struct pexcz_snapshot_library *library = &pexcz_library_state.made[by];
    const char *stored;
    size_t number;

    if (pexcz_library_is_of_libc(name)) {
        return NULL;
    }
    if (scope->count == PEXCZ_LIBRARY_SCOPE) {
        return "needs too many other libraries";
    }
    if (pexcz_library_named(name, &number)) {
        bool known = false;

        for (size_t i = 0; i < library->needed_count; i++) {
            known = known || library->needed[i] == number;
        }
        if (!known) {
            library->needed[library->needed_count++] = (uint16_t)number;
        }
        if (!has(scope, NULL, number)) {
            scope->items[scope->count].outside = NULL;
            scope->items[scope->count++].number = number;
        }
        return NULL;
    }
    stored = name; /* a string of a file in the application's blob */
    if (!pexcz_library_outside_open(stored)) {
        return "needs a library that is not there";
    }
    if (!has(scope, stored, 0)) {
        scope->items[scope->count++].outside = stored;
    }
    return NULL;
}

const char *
pexcz_library_scope_make(size_t root, struct pexcz_library_scope *ret)
{
    const char *why = NULL;

    ret->count = 1;
    ret->items[0].outside = NULL;
    ret->items[0].number = root;
    for (size_t i = 0; i < ret->count && why == NULL; i++) {
        const struct pexcz_library_elf *file;

        if (ret->items[i].outside != NULL) {
            continue;
        }
        file = &pexcz_library_state.files[ret->items[i].number];
        for (size_t k = 0; k < file->needed_count && why == NULL; k++) {
            why = add(ret, ret->items[i].number, file->needed[k]);
        }
    }
    return why;
}

static void
set_found(size_t number, struct pexcz_library_found *ret)
{
    ret->outside = NULL;
    ret->number = number;
    ret->address = (ret->symbol.st_shndx != SHN_ABS
                        ? pexcz_library_state.made[number].base
                        : 0)
                   + ret->symbol.st_value;
}

/* Of a symbol that is to be one in the whole process, the first that was
 * loaded is it. */
static void
find_unique(const char *name, struct pexcz_library_found *found)
{
    const struct pexcz_library_state *s = &pexcz_library_state;

    for (size_t i = 0; i < s->count; i++) {
        Elf64_Sym symbol;

        if (pexcz_library_definition(&s->files[i], name, NULL, &symbol)
            && ELF64_ST_BIND(symbol.st_info) == STB_GNU_UNIQUE) {
            found->symbol = symbol;
            set_found(i, found);
            return;
        }
    }
}

bool
pexcz_library_scope_find(const struct pexcz_library_scope *scope,
                         const char *name, const char *version,
                         struct pexcz_library_found *ret)
{
    for (size_t i = 0; i < scope->count; i++) {
        size_t number = scope->items[i].number;

        if (scope->items[i].outside != NULL) {
            void *address = pexcz_library_outside_find(scope->items[i].outside,
                                                       name, version);

            if (address != NULL) {
                ret->outside = scope->items[i].outside;
                ret->address = (uintptr_t)address;
                return true;
            }
        }
        else if (pexcz_library_definition(&pexcz_library_state.files[number],
                                          name, version, &ret->symbol)) {
            set_found(number, ret);
            if (ELF64_ST_BIND(ret->symbol.st_info) == STB_GNU_UNIQUE) {
                find_unique(name, ret);
            }
            return true;
        }
    }
    return false;
}
