/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_rehearsal.h"

#include "arenas.h"
#include "command.h"
#include "exe_layout.h"
#include "owned_data.h"
#include "snapshot_format.h"
#include "snapshot_place.h"
#include "snapshot_rehearsal_calls.h"
#include "type_lookups.h"

#include <Python.h>

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

#define SNAPSHOT_FD 3
#define TABLE_FD 4
#define SEEN_FD 5
#define FIXED_ARGUMENTS 3
#define TRAP_FLAG 0x100
/* A page that was written to so often without anything new stays open.  This
 * looks at one page alone, or a write more here would change what is seen
 * there; and a script is a guess anyway, and everybody packs with it. */
#define USELESS_TRAPS 128
#define USELESS_TRAPS_OF_SCRIPT 32
/* For applications that run for long: behind so many none is closed. */
#define MAX_TRAPS 400000
#define NOT_WATCHED UINT8_MAX /* more than USELESS_TRAPS + MAX_OPEN */
/* One instruction writes to no more pages. */
#define MAX_OPEN 4

static struct {
    const char *script; /* NULL: the application runs */
    bool paused;
    size_t page_count;
    uint8_t *useless; /* traps of each page since the last that was new */
    uint64_t heap_end;
    struct pexcz_place_seen *lookups; /* NULL: no rehearsal */
    uint8_t *seen;                    /* a bit for each grain */
    unsigned int traps;
    uint8_t limit; /* of `useless` */
} rehearsal;

static __thread struct {
    size_t count;
    size_t pages[MAX_OPEN];
} open_pages;

static void
protect(size_t page, int protection)
{
    void *p = (void *)(uintptr_t)(PEXCZ_ADDR_HEAP + page * PEXCZ_PAGE_SIZE);

    (void)mprotect(p, PEXCZ_PAGE_SIZE, protection);
}

static bool
is_watched(size_t page)
{
    return rehearsal.useless[page] < rehearsal.limit;
}

static void
open_page(size_t page)
{
    protect(page, PROT_READ | PROT_WRITE);
}

/* It stays open when it was written to often without anything new. */
static void
close_page(size_t page)
{
    if (is_watched(page) && rehearsal.traps < MAX_TRAPS) {
        protect(page, PROT_READ);
    }
}

/* Of a watched page. */
static void
note_write(uint64_t offset)
{
    uint8_t *seen = &rehearsal.seen[offset / PEXCZ_PLACE_GRAIN / 8];
    uint8_t bit = (uint8_t)(1u << offset / PEXCZ_PLACE_GRAIN % 8);

    if ((*seen & bit) == 0 && !rehearsal.paused) {
        *seen |= bit;
        rehearsal.useless[offset / PEXCZ_PAGE_SIZE] = 0;
    }
}

/* The page is opened for one instruction. */
static void
on_write(int number, siginfo_t *info, void *context)
{
    uint64_t offset = (uint64_t)(uintptr_t)info->si_addr - PEXCZ_ADDR_HEAP;
    size_t page = offset / PEXCZ_PAGE_SIZE;
    greg_t *flags = &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];

    if (page >= rehearsal.page_count || open_pages.count == MAX_OPEN) {
        (void)signal(number, SIG_DFL); /* comes again */
        return;
    }
    note_write(offset);
    open_page(page);
    open_pages.pages[open_pages.count++] = page;
    *flags |= TRAP_FLAG;
}

static void
on_step(int number, siginfo_t *info, void *context)
{
    greg_t *flags = &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];

    (void)number;
    (void)info;
    *flags &= ~(greg_t)TRAP_FLAG;
    while (open_pages.count != 0) {
        size_t page = open_pages.pages[--open_pages.count];

        rehearsal.useless[page]++;
        close_page(page);
    }
    rehearsal.traps++;
}

/* Calls use(offset) of what is watched in the range, once for each `step`. */
static void
for_watched(uint64_t start, uint64_t size, uint64_t step,
            void (*use)(uint64_t offset))
{
    uint64_t heap_size = rehearsal.page_count * PEXCZ_PAGE_SIZE;
    uint64_t offset = start - PEXCZ_ADDR_HEAP;
    uint64_t end;

    if (start < PEXCZ_ADDR_HEAP || offset >= heap_size) {
        return;
    }
    end = offset + (size < heap_size - offset ? size : heap_size - offset);
    for (offset -= offset % step; offset < end; offset += step) {
        if (is_watched(offset / PEXCZ_PAGE_SIZE)) {
            use(offset);
        }
    }
}

static void
open_at(uint64_t offset)
{
    open_page(offset / PEXCZ_PAGE_SIZE);
}

static void
close_at(uint64_t offset)
{
    close_page(offset / PEXCZ_PAGE_SIZE);
}

/* For one system call. */
static void
begin_call(uint64_t start, uint64_t size)
{
    for_watched(start, size, PEXCZ_PAGE_SIZE, open_at);
}

static void
end_call(uint64_t start, uint64_t size, uint64_t written)
{
    for_watched(start, written, PEXCZ_PLACE_GRAIN, note_write);
    for_watched(start, size, PEXCZ_PAGE_SIZE, close_at);
}

static _Noreturn void
give_up(const char *what)
{
    (void)dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(errno));
    _exit(1);
}

static void *
map(int fd, int protection, int flags, void *address, size_t *ret_size)
{
    struct stat st;
    void *p;

    if (fstat(fd, &st) < 0 || st.st_size == 0) {
        give_up("a file of the rehearsal is not there");
    }
    p = mmap(address, (size_t)st.st_size, protection, flags, fd, 0);
    if (p == MAP_FAILED || (address != NULL && p != address)) {
        give_up("a file of the rehearsal cannot be mapped");
    }
    (void)close(fd);
    *ret_size = (size_t)st.st_size;
    return p;
}

/* Sets `useless` of the pages that blocks of at least `size` bytes lie in. */
static void
set_pages(const struct pexcz_place *places, size_t count, size_t size,
          uint8_t useless)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t start = places[i].address - PEXCZ_ADDR_HEAP;
        size_t last = (start + places[i].size - 1) / PEXCZ_PAGE_SIZE;

        for (size_t page = start / PEXCZ_PAGE_SIZE;
             places[i].size >= size && page <= last
             && page < rehearsal.page_count;
             page++) {
            rehearsal.useless[page] = useless;
        }
    }
}

/* Protects the pages that have blocks of the table, but for those of large
 * ones, such as buffers of streams. */
static void
protect_all(const struct pexcz_place *places, size_t count)
{
    memset(rehearsal.useless, NOT_WATCHED, rehearsal.page_count);
    set_pages(places, count, 1, 0);
    set_pages(places, count, PEXCZ_PAGE_SIZE, NOT_WATCHED);
    for (size_t page = 0; page < rehearsal.page_count; page++) {
        if (rehearsal.useless[page] == 0) {
            protect(page, PROT_READ);
        }
    }
}

static void
watch(void)
{
    const struct pexcz_snapshot_header *header
        = (const void *)(uintptr_t)PEXCZ_ADDR_SNAPSHOT;
    struct sigaction on_segv = {.sa_flags = SA_SIGINFO | SA_NODEFER};
    struct sigaction on_trap = {.sa_flags = SA_SIGINFO};
    const struct pexcz_place *places;
    size_t size;

    rehearsal.lookups
        = map(SEEN_FD, PROT_READ | PROT_WRITE, MAP_SHARED, NULL, &size);
    size -= sizeof(*rehearsal.lookups);
    rehearsal.seen = (uint8_t *)(rehearsal.lookups + 1);
    rehearsal.heap_end = header->heap_end;
    rehearsal.page_count = size * 8 * PEXCZ_PLACE_GRAIN / PEXCZ_PAGE_SIZE;
    if (rehearsal.page_count
        > (header->heap_end - PEXCZ_ADDR_HEAP + PEXCZ_PAGE_SIZE - 1)
              / PEXCZ_PAGE_SIZE) {
        errno = EINVAL;
        give_up("the file for what is written to");
    }
    rehearsal.useless = malloc(rehearsal.page_count);
    places = map(TABLE_FD, PROT_READ, MAP_PRIVATE, NULL, &size);
    on_segv.sa_sigaction = on_write;
    on_trap.sa_sigaction = on_step;
    if (rehearsal.useless == NULL || sigaction(SIGSEGV, &on_segv, NULL) < 0
        || sigaction(SIGTRAP, &on_trap, NULL) < 0) {
        give_up("a rehearsal");
    }
    protect_all(places, size / sizeof(*places));
    pexcz_rehearsal_calls_watch(
        (struct pexcz_rehearsal_pages){begin_call, end_call});
    (void)munmap((void *)(uintptr_t)places, size);
}

bool
pexcz_rehearsal_begin(struct pexcz_located *located, int *argc, char ***argv)
{
    void *snapshot = (void *)(uintptr_t)PEXCZ_ADDR_SNAPSHOT;
    size_t size;

    if (*argc <= FIXED_ARGUMENTS
        || strcmp((*argv)[0], PEXCZ_REHEARSAL_PROGRAM) != 0
        || !located->has_app || !pexcz_trusts_environment()) {
        return false;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (chdir("/") != 0) {
        give_up("/");
    }
    rehearsal.script = strcmp((*argv)[1], "script") == 0 ? (*argv)[2] : NULL;
    rehearsal.limit
        = rehearsal.script != NULL ? USELESS_TRAPS_OF_SCRIPT : USELESS_TRAPS;
    (void)map(SNAPSHOT_FD, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_FIXED_NOREPLACE, snapshot, &size);
    located->snapshot = pexcz_slice_make(snapshot, size);
    /* Python's cache of attributes goes by the addresses of names. */
    pexcz_arenas_place((void *)(uintptr_t)PEXCZ_ADDR_LIBRARIES_END);
    watch();
    *argc -= FIXED_ARGUMENTS;
    *argv += FIXED_ARGUMENTS;
    return true;
}

/* In the snapshot, or at a fixed address anyway. */
static bool
is_known(const void *object)
{
    uint64_t address = (uintptr_t)object;

    return pexcz_owned_has(address, 1)
           || (address >= PEXCZ_ADDR_HEAP && address < rehearsal.heap_end)
           || (address >= PEXCZ_ADDR_LIBRARIES
               && address < PEXCZ_ADDR_LIBRARIES_END);
}

void
pexcz_rehearsal_note_lookups(void)
{
    if (rehearsal.lookups != NULL) {
        rehearsal.paused = true; /* a start does not do this */
        rehearsal.lookups->pair_count
            = pexcz_type_lookups_get(rehearsal.lookups->pairs, is_known);
        rehearsal.paused = false;
    }
}

void
pexcz_rehearsal_end(void)
{
    (void)mprotect((void *)(uintptr_t)PEXCZ_ADDR_HEAP,
                   rehearsal.page_count * PEXCZ_PAGE_SIZE,
                   PROT_READ | PROT_WRITE);
    rehearsal.page_count = 0;
}

bool
pexcz_rehearsal_has_script(void)
{
    return rehearsal.script != NULL;
}

int
pexcz_rehearsal_run_script(void)
{
    PyObject *globals = PyDict_New();
    PyObject *result = NULL;
    PyObject *code;

    /* A start compiles nothing. */
    rehearsal.paused = true;
    code = Py_CompileString(rehearsal.script, "<pexcz>", Py_file_input);
    rehearsal.paused = false;
    if (globals != NULL && code != NULL
        && PyDict_SetItemString(globals, "__builtins__", PyEval_GetBuiltins())
               == 0) {
        result = PyEval_EvalCode(code, globals, globals);
    }
    PyErr_Clear();
    Py_XDECREF(result);
    return 0; /* code and variables go with the process */
}
