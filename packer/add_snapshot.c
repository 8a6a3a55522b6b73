/* SPDX-License-Identifier: Apache-2.0 */
#include "add_snapshot.h"

#include "exe_layout.h"
#include "exe_writer.h"
#include "library_report.h"
#include "library_twice.h"
#include "snapshot_digests.h"
#include "snapshot_format.h"
#include "snapshot_places.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define MAX_FAILED 16

/* The same file under another descriptor; the old one is closed. */
static int
reopen(int *fd, int flags, struct pexcz_error *err)
{
    char path[64];
    int other;

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", *fd);
    other = open(path, flags | O_CLOEXEC);
    if (other < 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno,
                          "the output cannot be opened again");
    }
    (void)close(*fd);
    *fd = other;
    return PEXCZ_OK;
}

/* --- the snapshot -------------------------------------------------------- */

/* Where the byte at `offset` of a snapshot belongs; 0: it is in a table. */
static uint64_t
address_of(struct pexcz_slice snapshot, uint64_t offset)
{
    const struct pexcz_snapshot_header *h = (const void *)snapshot.ptr;
    const struct pexcz_snapshot_page_run *runs
        = (const void *)(snapshot.ptr + h->pages.offset);

    for (size_t i = 0; i < h->pages.size / sizeof(*runs); i++) {
        if (offset - runs[i].offset < runs[i].size) {
            return runs[i].address + (offset - runs[i].offset);
        }
    }
    return offset < h->tables ? PEXCZ_ADDR_SNAPSHOT + offset : 0;
}

/* The shared object that the address lies in, or NULL; *ret_root is the one
 * that it was loaded for. */
static const char *
library_at(struct pexcz_slice snapshot, uint64_t address,
           const char **ret_root)
{
    const struct pexcz_snapshot_header *h = (const void *)snapshot.ptr;
    const struct pexcz_snapshot_library *l
        = (const void *)(snapshot.ptr + h->libraries.offset);

    for (size_t i = 0; i < h->libraries.size / sizeof(*l); i++) {
        if (address - l[i].base < l[i].size) {
            *ret_root = l[l[i].root].path;
            return l[i].path;
        }
    }
    return NULL;
}

/* The module of a shared object: "PREFIX/lib/…/site-packages/a/b.cpython….so"
 * is a.b; NULL: of none. */
static const char *
module_of(struct pexcz_snapshot_making *m, const char *path)
{
    static const char site[] = "/site-packages/";
    const char *start = strstr(path, site);
    const char *name = strrchr(path, '/');
    char *module;

    if (start == NULL || name == NULL) {
        return NULL;
    }
    start += sizeof(site) - 1;
    name += strcspn(name, ".");
    module = (char *)(uintptr_t)pexcz_arena_printf(
        &m->report->arena, m->err, "%.*s", (int)(name - start), start);
    for (char *p = module; p != NULL && *p != '\0'; p++) {
        *p = *p == '/' ? '.' : *p;
    }
    return module;
}

/* What frames have left of an address on the stack, somewhere in padding: from
 * its fourth byte on, in which those of the two processes differ. */
static bool
is_remnant(const uint8_t *a, const uint8_t *b, size_t len)
{
    uint32_t first = 0;
    uint32_t second = 0;

    memcpy(&first, a, len < 3 ? 0 : 3);
    memcpy(&second, b, len < 3 ? 0 : 3);
    return first - (PEXCZ_ADDR_STACK >> 24) < PEXCZ_STACK_SIZE >> 24
           && second - first == PEXCZ_STACK_SIZE >> 24;
}

/* UNSUPPORTED when the two differ.  Then *ret_module is the module of the
 * shared object in whose data they do, or NULL. */
static int
compare(struct pexcz_snapshot_making *m, struct pexcz_slice a,
        struct pexcz_slice b, const char **ret_module)
{
    size_t n = a.len < b.len ? a.len : b.len;
    size_t i = PEXCZ_PAGE_SIZE; /* the header has only sums of the rest */
    const char *library;
    const char *root = NULL;
    uint64_t address;
    uint64_t words[2];

    *ret_module = NULL;
    if (a.len <= PEXCZ_PAGE_SIZE || b.len <= PEXCZ_PAGE_SIZE) {
        return pexcz_fail(m->err, PEXCZ_E_UNSUPPORTED, 0, "it is empty");
    }
    while (
        i < n
        && (a.ptr[i] == b.ptr[i] || is_remnant(a.ptr + i, b.ptr + i, n - i))) {
        i++;
    }
    if (i == n && a.len == b.len) {
        return PEXCZ_OK;
    }
    i &= ~(size_t)7;
    address = i + sizeof(words[0]) <= n ? address_of(a, i) : 0;
    if (address == 0) {
        return pexcz_fail(m->err, PEXCZ_E_UNSUPPORTED, 0,
                          "two of them differ, at offset 0x%llx",
                          (unsigned long long)i);
    }
    memcpy(&words[0], a.ptr + i, sizeof(words[0]));
    memcpy(&words[1], b.ptr + i, sizeof(words[1]));
    library = library_at(a, address, &root);
    if (library != NULL) {
        *ret_module = module_of(m, root);
    }
    return pexcz_fail(m->err, PEXCZ_E_UNSUPPORTED, 0,
                      "two of them differ at address 0x%llx, in %s: "
                      "0x%llx and 0x%llx",
                      (unsigned long long)address,
                      library != NULL ? library : "Python's memory",
                      (unsigned long long)words[0],
                      (unsigned long long)words[1]);
}

/* The snapshot with the report behind it, of which its header must tell. */
static int
add_report(const struct pexcz_snapshot_making *m, struct pexcz_slice snapshot,
           struct pexcz_buf *ret)
{
    struct pexcz_snapshot_header *h;
    size_t own = offsetof(struct pexcz_snapshot_header, pages_sum);
    int rc = pexcz_buf_append(ret, snapshot.ptr, snapshot.len, m->err);

    if (rc == PEXCZ_OK) {
        rc = pexcz_snapshot_report_text(m->report, ret, m->err);
    }
    if (rc == PEXCZ_OK) {
        h = (void *)ret->ptr;
        h->report_size = ret->len - snapshot.len;
        h->report_sum
            = XXH3_64bits(ret->ptr + snapshot.len, (size_t)h->report_size);
        h->sum = XXH3_64bits(ret->ptr + own, sizeof(*h) - own);
    }
    return rc;
}

/* Which shared objects it has. */
static int
note_libraries(struct pexcz_snapshot_making *m, struct pexcz_slice snapshot)
{
    const struct pexcz_snapshot_header *h = (const void *)snapshot.ptr;
    const struct pexcz_snapshot_library *l
        = (const void *)(snapshot.ptr + h->libraries.offset);
    int rc = PEXCZ_OK;

    for (size_t i = 0; rc == PEXCZ_OK && i < h->libraries.size / sizeof(*l);
         i++) {
        rc = pexcz_strings_add(
            &m->report->libraries, &m->report->arena,
            pexcz_slice_str(l[i].path + sizeof(PEXCZ_PREFIX)), m->err);
    }
    return rc;
}

/* Behind the application, in the executable itself. */
static int
append(struct pexcz_snapshot_making *m, struct pexcz_out_file *out,
       struct pexcz_slice snapshot)
{
    struct pexcz_slice base = {0};
    struct pexcz_exe exe = {0};
    struct pexcz_buf bytes = {0};
    int rc = add_report(m, snapshot, &bytes);

    if (rc == PEXCZ_OK) {
        rc = pexcz_snapshot_map(out->fd, &base, m->err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_exe_open(&exe, base, out->path, PEXCZ_ADDR_SNAPSHOT,
                            PEXCZ_SECTION_SNAPSHOT, m->err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_out_file_write(out, bytes.ptr, bytes.len, exe.offset,
                                  m->err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_exe_finish(&exe, out, bytes.len, &m->report->total, m->err);
    }
    if (rc == PEXCZ_OK) {
        m->report->size = bytes.len;
    }
    pexcz_exe_close(&exe);
    pexcz_snapshot_unmap(&base);
    pexcz_buf_done(&bytes);
    return rc;
}

/* It is left out from now on, due to what the error says. */
static int
leave_out(struct pexcz_snapshot_making *m, const char *module)
{
    struct pexcz_arena *arena = &m->report->arena;
    const char *both
        = pexcz_arena_printf(arena, m->err, "%s\t%s", module, m->err->msg);

    return both == NULL ? PEXCZ_E_NOMEM
                        : pexcz_strings_add(&m->failed, arena,
                                            pexcz_slice_str(both), m->err);
}

static bool
is_left_out(const struct pexcz_snapshot_making *m, const char *module)
{
    size_t n = strlen(module);

    for (size_t i = 0; i < m->failed.count; i++) {
        if (strncmp(m->failed.items[i], module, n) == 0
            && m->failed.items[i][n] == '\t') {
            return true;
        }
    }
    return false;
}

/* A module that cannot be imported without those that are left out, although
 * nothing was seen of it, is left out as well: "cannot import NAME: …". */
static bool
is_import_failure(struct pexcz_snapshot_making *m)
{
    static const char start[] = "cannot import ";
    const char *name = m->err->msg + sizeof(start) - 1;
    const char *colon = strchr(m->err->msg, ':');
    const char *copy;

    if (strncmp(m->err->msg, start, sizeof(start) - 1) != 0 || colon == NULL
        || m->failed.count >= MAX_FAILED) {
        return false;
    }
    copy = pexcz_arena_printf(&m->report->arena, m->err, "%.*s",
                              (int)(colon - name), name);
    return copy != NULL && !is_left_out(m, copy) && leave_out(m, copy) == 0;
}

/* "the shared object PATH …": the module that it belongs to, or NULL. */
static const char *
module_of_failure(struct pexcz_snapshot_making *m)
{
    static const char start[] = "the shared object ";
    const char *path = m->err->msg + sizeof(start) - 1;
    const char *copy;

    if (strncmp(m->err->msg, start, sizeof(start) - 1) != 0) {
        return NULL;
    }
    copy = pexcz_arena_printf(&m->report->arena, m->err, "%.*s",
                              (int)strcspn(path, " "), path);
    return copy != NULL ? module_of(m, copy) : NULL;
}

static void
forget_trace(struct pexcz_snapshot_report *report)
{
    report->gate.count = 0;
    report->modules.count = 0;
    report->cwd.count = 0;
    report->absent.count = 0;
    report->standby.count = 0;
    report->patterns.count = 0;
    report->home.count = 0;
    report->late.count = 0;
    report->left_count = 0;
    report->set.count = 0;
    report->reseeds = false;
    report->reads_encoding = false;
}

/* Which modules, and the first snapshot; `scratch` is for the answers. */
static int
make_first(struct pexcz_snapshot_making *m, int fd, int scratch)
{
    int rc;

    do {
        forget_trace(m->report);
        rc = pexcz_snapshot_empty(scratch, m->err);
        if (rc == PEXCZ_OK) {
            rc = pexcz_snapshot_modules(m, scratch);
        }
        if (rc < 0 || m->report->off != NULL) {
            return rc;
        }
        rc = pexcz_snapshot_empty(fd, m->err);
        if (rc == PEXCZ_OK) {
            rc = pexcz_snapshot_empty(m->places, m->err);
        }
        if (rc == PEXCZ_OK) {
            rc = pexcz_snapshot_dump(m, false, "record", fd);
        }
    } while (rc < 0 && is_import_failure(m));
    return rc;
}

/* Modules with a shared object that needs the library of that number. */
static int
leave_out_users(struct pexcz_snapshot_making *m,
                const struct pexcz_snapshot_library *libraries, size_t count,
                size_t library)
{
    int rc = PEXCZ_OK;

    for (size_t i = 0; rc == PEXCZ_OK && i < count; i++) {
        const struct pexcz_snapshot_library *l = &libraries[i];
        const char *module;
        bool found = false;

        for (uint64_t k = 0; k < l->needed_count && !found; k++) {
            found = l->needed[k] == library;
        }
        module = found ? module_of(m, libraries[l->root].path) : NULL;
        if (module != NULL && !is_left_out(m, module)) {
            rc = leave_out(m, module);
        }
    }
    return rc;
}

/* UNSUPPORTED when one of its shared objects would be loaded once more; then
 * *ret_module is what it was loaded for. */
static int
check_twice(struct pexcz_snapshot_making *m, struct pexcz_slice snapshot,
            const char **ret_module)
{
    const struct pexcz_snapshot_header *h = (const void *)snapshot.ptr;
    const struct pexcz_snapshot_library *libraries
        = (const void *)(snapshot.ptr + h->libraries.offset);
    size_t count = h->libraries.size / sizeof(*libraries);
    const struct pexcz_plan_entry *by;
    size_t which;
    int rc;

    if (!pexcz_library_is_twice(m->plan, m->infos, libraries, count, &which,
                                &by)) {
        return PEXCZ_OK;
    }
    rc = pexcz_fail(m->err, PEXCZ_E_UNSUPPORTED, 0,
                    "%s, which is not in it, needs %s as well", by->path,
                    libraries[which].path + sizeof(PEXCZ_PREFIX));
    *ret_module = module_of(m, libraries[libraries[which].root].path);
    return leave_out_users(m, libraries, count, which) < 0 ? PEXCZ_E_NOMEM
                                                           : rc;
}

/* The module of a shared object in it that needs a library of this machine
 * which others may not have, or NULL: what it keeps of that lies elsewhere in
 * each process. */
static const char *
user_of_external(struct pexcz_snapshot_making *m, struct pexcz_slice snapshot)
{
    const struct pexcz_snapshot_header *h = (const void *)snapshot.ptr;
    const struct pexcz_snapshot_library *l
        = (const void *)(snapshot.ptr + h->libraries.offset);

    for (size_t i = 0; i < m->shared->external_count; i++) {
        const struct pexcz_library_external *e = &m->shared->externals[i];
        const char *path = m->plan->entries[e->entry].path;

        if (pexcz_library_is_everywhere(e->name)) {
            continue;
        }
        for (size_t k = 0; k < h->libraries.size / sizeof(*l); k++) {
            if (strcmp(l[k].path + sizeof(PEXCZ_PREFIX), path) == 0) {
                return module_of(m, l[l[k].root].path);
            }
        }
    }
    return NULL;
}

static bool
reads_home(struct pexcz_slice snapshot)
{
    const struct pexcz_snapshot_header *h = (const void *)snapshot.ptr;

    return h->home_is_read != 0;
}

/* Makes the other one, in the memory file `second`, and compares; *ret_first
 * is the first one, to be unmapped by the caller. */
static int
make_second(struct pexcz_snapshot_making *m, const char *places, int first,
            int second, struct pexcz_slice *ret_first, bool *ret_differ,
            const char **ret_module)
{
    struct pexcz_slice b = {0};
    int rc = pexcz_snapshot_empty(second, m->err);

    if (rc == PEXCZ_OK) {
        rc = pexcz_snapshot_dump(m, true, places, second);
        *ret_module = rc < 0 ? module_of_failure(m) : NULL;
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_snapshot_map(first, ret_first, m->err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_snapshot_map(second, &b, m->err);
    }
    if (rc == PEXCZ_OK) {
        rc = compare(m, *ret_first, b, ret_module);
        *ret_differ = rc < 0;
    }
    pexcz_snapshot_unmap(&b);
    return rc;
}

/* The snapshot in the memory file `first`; `second` is for the other one. */
static int
make_two(struct pexcz_snapshot_making *m, int first, int second,
         bool *ret_differ, const char **ret_module)
{
    struct pexcz_slice a = {0};
    int rc = make_first(m, first, second);

    *ret_module = rc < 0 ? module_of_failure(m) : NULL;
    if (rc < 0 || m->report->off != NULL) {
        return rc;
    }
    rc = make_second(m, NULL, first, second, &a, ret_differ, ret_module);
    if (*ret_differ && *ret_module == NULL) {
        *ret_module = user_of_external(m, a);
    }
    if (rc == PEXCZ_OK) {
        rc = check_twice(m, a, ret_module);
    }
    if (rc == PEXCZ_OK && reads_home(a)) {
        rc = pexcz_snapshot_try_homes(m, ret_module);
    }
    pexcz_snapshot_unmap(&a);
    return rc;
}

/* --- modules that differ ------------------------------------------------- */

/* Whether the error is about $HOME, which some module of the report reads. */
static bool
is_about_home(const struct pexcz_snapshot_making *m)
{
    return m->report->home.count != 0 && strstr(m->err->msg, "$HOME") != NULL;
}

/* A module that keeps what another process would find different is left out.
 */
static int
make(struct pexcz_snapshot_making *m, int first, int second)
{
    const char *module;
    int rc;

    m->standby = true;
    m->home = true;
    for (;;) {
        bool differ = false;

        rc = make_two(m, first, second, &differ, &module);
        if (differ && module == NULL) {
            rc = pexcz_snapshot_find_difference(m, first, second, &module);
        }
        if (rc < 0 && module == NULL && m->report->standby.count != 0
            && !is_about_home(m)) {
            m->standby = false; /* it may be due to one of them */
            continue;
        }
        if (rc < 0 && module == NULL && m->report->home.count != 0) {
            m->home = false; /* what reads it is left out */
            continue;
        }
        if (rc == PEXCZ_OK || module == NULL
            || m->failed.count >= MAX_FAILED) {
            return rc;
        }
        if (!is_left_out(m, module) && leave_out(m, module) < 0) {
            return PEXCZ_E_NOMEM;
        }
    }
}

/* Where shared objects make it fail, once more without them. */
static int
make_either(struct pexcz_snapshot_making *m, int first, int second)
{
    struct pexcz_snapshot_report *r = m->report;
    const char *why;
    int rc;

    m->libraries = true;
    rc = make(m, first, second);
    if (rc == PEXCZ_OK && r->off == NULL) {
        return rc;
    }
    why = r->off != NULL
              ? r->off
              : pexcz_arena_printf(&r->arena, m->err, "%s", m->err->msg);
    if (why == NULL) {
        return PEXCZ_E_NOMEM;
    }
    r->off = NULL;
    r->ended = NULL;
    m->failed.count = 0;
    m->libraries = false;
    m->without = why;
    rc = make(m, first, second);
    if (rc == PEXCZ_OK && r->off == NULL) {
        r->no_libraries = why;
    }
    return rc;
}

/* Once more, with what a start writes to side by side, in the memory file
 * `placed`; `second` is for the other one. */
static int
make_placed(struct pexcz_snapshot_making *m, int first, int second, int placed)
{
    struct pexcz_slice snapshot = {0};
    const char *module;
    bool differ;
    int rc = pexcz_snapshot_list_places(m, first);

    if (rc == PEXCZ_OK) {
        rc = pexcz_snapshot_dump(m, false, "use", placed);
    }
    if (rc == PEXCZ_OK) {
        rc = make_second(m, "use", placed, second, &snapshot, &differ,
                         &module);
    }
    pexcz_snapshot_unmap(&snapshot);
    return rc;
}

static int
append_file(struct pexcz_snapshot_making *m, struct pexcz_out_file *out,
            int file)
{
    struct pexcz_slice snapshot = {0};
    int rc = pexcz_snapshot_map(file, &snapshot, m->err);

    if (rc == PEXCZ_OK) {
        rc = note_libraries(m, snapshot);
    }
    if (rc == PEXCZ_OK) {
        rc = append(m, out, snapshot);
    }
    pexcz_snapshot_unmap(&snapshot);
    return rc;
}

/* `files`: memory files for snapshots. */
static int
make_and_append(struct pexcz_snapshot_making *m, struct pexcz_out_file *out,
                const int files[3])
{
    bool is_placed = false;
    int rc;

    /* A file that is open for writing cannot be run. */
    if (fchmod(out->fd, 0700) < 0) {
        return pexcz_fail(m->err, PEXCZ_E_IO, errno, "%s", out->path);
    }
    rc = reopen(&out->fd, O_RDONLY, m->err);
    if (rc == PEXCZ_OK) {
        m->executable = out->fd;
        rc = make_either(m, files[0], files[1]);
    }
    if (rc == PEXCZ_OK && m->report->off == NULL) {
        is_placed = make_placed(m, files[0], files[1], files[2]) == PEXCZ_OK;
        rc = is_placed ? PEXCZ_OK
                       : pexcz_snapshot_report_unlearnt(m->report, "a start",
                                                        m->err);
    }
    if (rc < 0) {
        m->report->off
            = pexcz_arena_printf(&m->report->arena, m->err, "%s", m->err->msg);
        rc = m->report->off != NULL ? PEXCZ_OK : PEXCZ_E_NOMEM;
    }
    if (rc == PEXCZ_OK) {
        rc = reopen(&out->fd, O_RDWR, m->err);
    }
    return rc == PEXCZ_OK && m->report->off == NULL
               ? append_file(m, out, files[is_placed ? 2 : 0])
               : rc;
}

#define FILES 4 /* three snapshots, places of blocks */

int
pexcz_snapshot_add(struct pexcz_out_file *out, const struct pexcz_plan *plan,
                   struct pexcz_library_info *const *infos,
                   const struct pexcz_library_plan *shared,
                   const struct pexcz_snapshot_wish *wish,
                   struct pexcz_snapshot_report *ret, struct pexcz_error *err)
{
    struct pexcz_snapshot_making m = {
        .report = ret,
        .plan = plan,
        .infos = infos,
        .shared = shared,
        .boot = &plan->boot,
        .wish = wish,
        .err = err,
    };
    int files[FILES];
    int rc = PEXCZ_OK;

    if (plan->boot.kind == PEXCZ_ENTRY_NONE
        && plan->boot.commands.count == 0) {
        ret->off = "there is no entry point";
        return PEXCZ_OK;
    }
    if (access("/proc/self/fd", X_OK) != 0) {
        ret->off = "the output cannot be run while it is made: no /proc";
        return PEXCZ_OK;
    }
    for (size_t i = 0; i < FILES; i++) {
        files[i] = memfd_create("pexcz-snapshot", MFD_CLOEXEC);
        if (files[i] < 0) {
            rc = pexcz_fail(err, PEXCZ_E_IO, errno,
                            "cannot make a memory file");
        }
    }
    m.places = files[FILES - 1];
    if (rc == PEXCZ_OK) {
        rc = make_and_append(&m, out, files);
    }
    for (size_t i = 0; i < FILES; i++) {
        if (files[i] >= 0) {
            (void)close(files[i]);
        }
    }
    return rc;
}
