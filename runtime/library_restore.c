/* SPDX-License-Identifier: Apache-2.0 */
#include "library_restore.h"

#include "exe_layout.h"
#include "library_absent.h"
#include "library_actions.h"
#include "library_construct.h"
#include "library_cpu.h"
#include "library_outside.h"
#include "library_state.h"
#include "library_stubs.h"
#include "library_tls.h"
#include "library_watch.h"
#include "page_runs.h"
#include "snapshot_header.h"

#include <fcntl.h>
#include <gnu/libc-version.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
    int argc;
    char *const *argv;
} arguments;

/* --- checks -------------------------------------------------------------- */

static bool
is_whole(uint64_t value)
{
    return value % PEXCZ_PAGE_SIZE == 0;
}

static bool
is_inside(uint64_t start, uint64_t size, uint64_t first, uint64_t end)
{
    return start >= first && start <= end && size <= end - start;
}

static bool
is_sound(const struct pexcz_snapshot_library *l, size_t count, uint64_t limit)
{
    uint64_t end;

    if (!is_whole(l->base) || !is_whole(l->size)
        || !is_inside(l->base, l->size, PEXCZ_ADDR_LIBRARIES, limit)
        || l->segment_count > PEXCZ_SNAPSHOT_SEGMENTS
        || memchr(l->path, '\0', sizeof(l->path)) == NULL) {
        return false;
    }
    end = l->base + l->size;
    if (!is_inside(l->relro, l->relro_size, l->base, end)
        || l->symbol_count > l->size / sizeof(Elf64_Sym)
        || !is_inside(l->symbols, l->symbol_count * sizeof(Elf64_Sym), l->base,
                      end)
        || !is_inside(l->strings, l->strings_size, l->base, end)
        || l->phdr_count > 64
        || !is_inside(l->phdrs, l->phdr_count * sizeof(Elf64_Phdr), l->base,
                      end)
        || (l->tls_block == 0
                ? !is_inside(l->tls, l->tls_size, 0, PEXCZ_LIBRARY_TLS)
                : !is_inside(l->tls_block, l->tls_size, l->base, end))
        || l->needed_count > PEXCZ_SNAPSHOT_NEEDED
        || l->init_count > PEXCZ_PAGE_SIZE
        || (l->init != 0 && !is_inside(l->init, 1, l->base, end))
        || !is_inside(l->init_array, l->init_count * sizeof(uint64_t), l->base,
                      end)) {
        return false;
    }
    for (size_t i = 0; i < l->needed_count; i++) {
        if (l->needed[i] >= count) {
            return false;
        }
    }
    for (size_t i = 0; i < l->segment_count; i++) {
        const struct pexcz_snapshot_segment *s = &l->segments[i];

        if (!is_whole(s->start) || !is_whole(s->size) || !is_whole(s->offset)
            || !is_inside(s->start, s->size, l->base, end)
            || (s->flags & ~(uint64_t)(PF_R | PF_W | PF_X)) != 0) {
            return false;
        }
    }
    return true;
}

static bool
is_text(uint64_t address, const struct pexcz_located *located)
{
    struct pexcz_slice app = located->app.bytes;
    uint64_t at = address - (uintptr_t)app.ptr;

    return at < app.len
           && memchr(app.ptr + at, '\0', app.len - (size_t)at) != NULL;
}

static bool
are_imports_sound(struct pexcz_slice table,
                  const struct pexcz_located *located)
{
    const struct pexcz_snapshot_import *imports = (const void *)table.ptr;
    size_t count = table.len / sizeof(*imports);

    for (size_t i = 0; i < count; i++) {
        if (!is_text(imports[i].name, located)
            || (imports[i].version != 0
                && !is_text(imports[i].version, located))
            || (imports[i].library != 0
                && !is_text(imports[i].library, located))) {
            return false;
        }
    }
    return count <= PEXCZ_LIBRARY_STUBS;
}

static bool
are_words_sound(struct pexcz_slice table, size_t imports, uint64_t limit,
                uint64_t heap_end)
{
    const struct pexcz_snapshot_word *words = (const void *)table.ptr;

    for (size_t i = 0; i < table.len / sizeof(*words); i++) {
        if (((words[i].kind == PEXCZ_WORD_IMPORT
              || words[i].kind >= PEXCZ_WORD_REQUIRED)
             && words[i].kind != PEXCZ_WORD_C_LOCALE
             && words[i].import >= imports)
            || !(is_inside(words[i].address, sizeof(uint64_t),
                           PEXCZ_ADDR_LIBRARIES, limit)
                 || is_inside(words[i].address, sizeof(uint64_t),
                              PEXCZ_ADDR_SNAPSHOT, heap_end))) {
            return false;
        }
    }
    return true;
}

static bool
are_names_sound(struct pexcz_slice table, const struct pexcz_located *located)
{
    const uint64_t *names = (const void *)table.ptr;

    for (size_t i = 0; i < table.len / sizeof(*names); i++) {
        if (!is_text(names[i], located)) {
            return false;
        }
    }
    return true;
}

static bool
are_actions_sound(struct pexcz_slice table, size_t libraries, size_t imports,
                  const struct pexcz_located *located)
{
    const struct pexcz_snapshot_action *a = (const void *)table.ptr;

    for (size_t i = 0; i < table.len / sizeof(*a); i++) {
        if ((a[i].kind == PEXCZ_ACTION_CONSTRUCT && a[i].function >= libraries)
            || (a[i].kind == PEXCZ_ACTION_STREAMS && a[i].function >= imports)
            || ((a[i].kind == PEXCZ_ACTION_SETENV
                 || a[i].kind == PEXCZ_ACTION_UNSETENV)
                && !is_text(a[i].function, located))) {
            return false;
        }
    }
    return true;
}

static bool
is_new_enough(uint32_t minor)
{
    const char *version = gnu_get_libc_version();

    return minor == 0
           || (strncmp(version, "2.", 2) == 0
               && strtoul(version + 2, NULL, 10) >= minor);
}

static bool
is_same_processor(const struct pexcz_snapshot_header *header)
{
    uint32_t facts[PEXCZ_SNAPSHOT_CPU_FACTS];

    if (header->cpu_count == 0) {
        return true;
    }
    pexcz_cpu_facts(facts);
    return memcmp(facts, header->cpu, sizeof(facts)) == 0;
}

const char *
pexcz_libraries_check(const struct pexcz_located *located,
                      const struct pexcz_snapshot_header *header)
{
    struct pexcz_slice table
        = pexcz_snapshot_table(header, &header->libraries);
    const struct pexcz_snapshot_library *all = (const void *)table.ptr;
    struct pexcz_slice imports
        = pexcz_snapshot_table(header, &header->imports);

    if (table.len == 0) {
        return NULL;
    }
    if (header->libraries_end > PEXCZ_ADDR_LIBRARIES_END
        || header->libraries_end < PEXCZ_ADDR_LIBRARIES
        || !is_whole(header->libraries_end)
        || !are_imports_sound(imports, located)
        || !are_words_sound(pexcz_snapshot_table(header, &header->words),
                            imports.len / sizeof(struct pexcz_snapshot_import),
                            header->libraries_end, header->heap_end)
        || !are_names_sound(pexcz_snapshot_table(header, &header->outside),
                            located)
        || !are_actions_sound(
            pexcz_snapshot_table(header, &header->actions),
            table.len / sizeof(*all),
            imports.len / sizeof(struct pexcz_snapshot_import), located)
        || !pexcz_library_changes_check(
            pexcz_snapshot_table(header, &header->changes),
            header->libraries_end)
        || table.len / sizeof(*all) > PEXCZ_LIBRARIES
        || header->tls.size > PEXCZ_LIBRARY_TLS) {
        return "the snapshot is damaged";
    }
    for (size_t i = 0; i < table.len / sizeof(*all); i++) {
        if (!is_sound(&all[i], table.len / sizeof(*all),
                      header->libraries_end)) {
            return "the snapshot is damaged";
        }
    }
    if (getauxval(AT_PAGESZ) != PEXCZ_PAGE_SIZE) {
        return "pages have another size";
    }
    if (!is_new_enough(header->glibc_minor)) {
        return "the shared objects need a newer libc";
    }
    return is_same_processor(header)
               ? NULL
               : "a shared object was made for another processor";
}

/* --- in place ------------------------------------------------------------ */

bool
pexcz_library_map_code(const struct pexcz_snapshot_library *library, int fd)
{
    for (size_t i = 0; i < library->segment_count; i++) {
        const struct pexcz_snapshot_segment *s = &library->segments[i];
        int protection = PROT_READ | ((s->flags & PF_X) != 0 ? PROT_EXEC : 0);

        if ((s->flags & PF_W) == 0
            && mmap((void *)(uintptr_t)s->start, s->size, protection,
                    MAP_PRIVATE | MAP_FIXED, fd, (off_t)s->offset)
                   == MAP_FAILED) {
            return false;
        }
    }
    return true;
}

bool
pexcz_library_protect(const struct pexcz_snapshot_library *library)
{
    return library->relro_size == 0
           || mprotect((void *)(uintptr_t)library->relro, library->relro_size,
                       PROT_READ)
                  == 0;
}

void
pexcz_libraries_remove(const struct pexcz_snapshot_header *header)
{
    if (header->libraries.size != 0) {
        (void)munmap((void *)(uintptr_t)PEXCZ_ADDR_LIBRARIES,
                     (size_t)(header->libraries_end - PEXCZ_ADDR_LIBRARIES));
    }
}

bool
pexcz_libraries_place(const struct pexcz_snapshot_header *header)
{
    struct pexcz_slice table
        = pexcz_snapshot_table(header, &header->libraries);
    const struct pexcz_snapshot_library *all = (const void *)table.ptr;
    size_t size = (size_t)(header->libraries_end - PEXCZ_ADDR_LIBRARIES);
    void *want = (void *)(uintptr_t)PEXCZ_ADDR_LIBRARIES;
    bool done = true;
    int fd;

    if (table.len == 0) {
        return true;
    }
    fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    if (mmap(want, size, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
             -1, 0)
        != want) {
        (void)close(fd);
        return false;
    }
    for (size_t i = 0; i < table.len / sizeof(*all) && done; i++) {
        done = pexcz_library_map_code(&all[i], fd);
    }
    (void)close(fd);
    if (done) {
        done = pexcz_page_runs_move(
            pexcz_snapshot_table(header, &header->pages), header,
            PEXCZ_ADDR_LIBRARIES, PEXCZ_ADDR_LIBRARIES_END);
    }
    if (!done) {
        pexcz_libraries_remove(header);
    }
    return done;
}

/* Many words mean the same: vtables of libstdc++. */
static const void *
import_once(unsigned int number)
{
    static const void *found[PEXCZ_LIBRARY_STUBS];

    if (number >= PEXCZ_LIBRARY_STUBS) {
        return NULL;
    }
    if (found[number] == NULL) {
        found[number] = pexcz_library_import(number);
    }
    return found[number];
}

bool
pexcz_library_set_word(const struct pexcz_snapshot_word *word)
{
    uint64_t value = 0;
    uint64_t offset = 0;
    const void *found;

    switch (word->kind) {
    case PEXCZ_WORD_IMPORT:
        found = import_once((unsigned int)word->import);
        if (found == NULL) {
            return false;
        }
        value = (uintptr_t)found + word->addend;
        break;
    case PEXCZ_WORD_REQUIRED:
        return pexcz_library_import((unsigned int)word->import) != NULL;
    case PEXCZ_WORD_TLS_MODULE:
    case PEXCZ_WORD_TLS_OFFSET:
        if (!pexcz_library_import_tls((unsigned int)word->import, &value,
                                      &offset)) {
            return false;
        }
        value = word->kind == PEXCZ_WORD_TLS_MODULE ? value
                                                    : offset + word->addend;
        break;
    case PEXCZ_WORD_C_LOCALE:
        value = (uintptr_t)newlocale(LC_ALL_MASK, "C", (locale_t)0);
        break;
    case PEXCZ_WORD_THREAD:
        value = (uint64_t)syscall(SYS_gettid);
        break;
    case PEXCZ_WORD_ARGC:
        value = (uint64_t)arguments.argc;
        break;
    case PEXCZ_WORD_ARGV:
        value = (uintptr_t)arguments.argv;
        break;
    case PEXCZ_WORD_ENVIRON:
        value = (uintptr_t)environ;
        break;
    default:
        return false;
    }
    memcpy((void *)(uintptr_t)word->address, &value, sizeof(value));
    return true;
}

bool
pexcz_libraries_resume(const struct pexcz_snapshot_header *header, int argc,
                       char *const *argv)
{
    struct pexcz_slice table
        = pexcz_snapshot_table(header, &header->libraries);
    struct pexcz_slice words = pexcz_snapshot_table(header, &header->words);
    const struct pexcz_snapshot_library *all = (const void *)table.ptr;
    const struct pexcz_snapshot_word *word = (const void *)words.ptr;
    size_t count = table.len / sizeof(*all);

    if (count == 0) {
        return true;
    }
    arguments.argc = argc;
    arguments.argv = argv;
    pexcz_library_state.all = all;
    pexcz_library_state.count = count;
    pexcz_library_stubs_adopt(pexcz_snapshot_table(header, &header->imports));
    if (!pexcz_library_outside_resume(
            pexcz_snapshot_table(header, &header->outside))) {
        return false;
    }
    for (size_t i = 0; i < words.len / sizeof(*word); i++) {
        if (!pexcz_library_set_word(&word[i])) {
            return false;
        }
    }
    if (!pexcz_library_tls_set(
            pexcz_snapshot_table(header, &header->tls),
            pexcz_snapshot_table(header, &header->tls_inner))) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!pexcz_library_tls_begin_threads(&all[i])
            || !pexcz_library_protect(&all[i])) {
            return false;
        }
    }
    return true;
}

void
pexcz_libraries_act(const struct pexcz_snapshot_header *header)
{
    pexcz_library_actions_do(pexcz_snapshot_table(header, &header->actions),
                             arguments.argc, arguments.argv);
    pexcz_library_changes_apply(
        pexcz_snapshot_table(header, &header->changes));
    pexcz_library_stubs_forget(pexcz_library_is_output);
    pexcz_library_files_forget();
}
