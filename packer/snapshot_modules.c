/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_modules.h"

#include "snapshot_process.h"
#include "worker_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESULT_FD_TEXT "3"

int
pexcz_snapshot_map(int fd, struct pexcz_slice *ret, struct pexcz_error *err)
{
    struct stat st;
    void *p;

    if (fstat(fd, &st) < 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "cannot look at a file");
    }
    if (st.st_size == 0) {
        *ret = pexcz_slice_make(NULL, 0);
        return PEXCZ_OK;
    }
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "cannot map a file");
    }
    *ret = pexcz_slice_make(p, (size_t)st.st_size);
    return PEXCZ_OK;
}

void
pexcz_snapshot_unmap(struct pexcz_slice *map)
{
    if (map->len != 0) {
        (void)munmap((void *)(uintptr_t)map->ptr, map->len);
    }
    *map = pexcz_slice_make(NULL, 0);
}

int
pexcz_snapshot_empty(int fd, struct pexcz_error *err)
{
    return ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0
               ? PEXCZ_OK
               : pexcz_fail(err, PEXCZ_E_IO, errno, "a memory file");
}

static const char *
keep_field(struct pexcz_snapshot_making *m, struct pexcz_slice *line)
{
    return pexcz_arena_dup(&m->report->arena, pexcz_slice_take(line, '\t'),
                           m->err);
}

/* What snapshot_watch.py says of a shared object when there are none. */
#define PEXCZ_LEFT_TO_LD_SO "is a shared object that is left to ld.so"

static int
add_left(struct pexcz_snapshot_making *m, struct pexcz_slice line)
{
    struct pexcz_snapshot_report *r = m->report;
    struct pexcz_snapshot_left *left;
    int rc = pexcz_grow_array((void **)&r->left, r->left_count, &r->left_cap,
                              sizeof(*r->left), m->err);

    if (rc < 0) {
        return rc;
    }
    left = &r->left[r->left_count];
    left->module = keep_field(m, &line);
    left->chain = keep_field(m, &line);
    left->reason = keep_field(m, &line);
    if (left->reason != NULL && m->without != NULL
        && strcmp(left->reason, PEXCZ_LEFT_TO_LD_SO) == 0) {
        left->reason = pexcz_arena_printf(
            &r->arena, m->err,
            "is a shared object, and with those there is no snapshot: %s",
            m->without);
    }
    if (left->module == NULL || left->chain == NULL || left->reason == NULL) {
        return PEXCZ_E_NOMEM;
    }
    r->left_count++;
    return PEXCZ_OK;
}

static int
read_line(struct pexcz_snapshot_making *m, struct pexcz_slice line)
{
    struct pexcz_snapshot_report *r = m->report;
    const char *kind = keep_field(m, &line);

    if (kind == NULL) {
        return PEXCZ_E_NOMEM;
    }
    if (strcmp(kind, "gate") == 0) {
        return pexcz_strings_add(&r->gate, &r->arena, line, m->err);
    }
    if (strcmp(kind, "module") == 0) {
        return pexcz_strings_add(&r->modules, &r->arena, line, m->err);
    }
    if (strcmp(kind, "standby") == 0) {
        return m->standby
                   ? pexcz_strings_add(&r->standby, &r->arena, line, m->err)
                   : PEXCZ_OK;
    }
    if (strcmp(kind, "pattern") == 0) {
        return pexcz_strings_add(&r->patterns, &r->arena, line, m->err);
    }
    if (strcmp(kind, "absent") == 0) {
        return pexcz_strings_add(&r->absent, &r->arena, line, m->err);
    }
    if (strcmp(kind, "home") == 0) {
        return pexcz_strings_add(&r->home, &r->arena, line, m->err);
    }
    if (strcmp(kind, "late") == 0) {
        return pexcz_strings_add(&r->late, &r->arena, line, m->err);
    }
    if (strcmp(kind, "cwd") == 0) {
        const char *module = keep_field(m, &line);
        const char *name = keep_field(m, &line);
        const char *both = module != NULL && name != NULL ? pexcz_arena_printf(
                               &r->arena, m->err, "%s:%s", module, name)
                                                          : NULL;

        return both != NULL ? pexcz_strings_add(&r->cwd, &r->arena,
                                                pexcz_slice_str(both), m->err)
                            : PEXCZ_E_NOMEM;
    }
    if (strcmp(kind, "set") == 0) {
        return pexcz_strings_add(&r->set, &r->arena, line, m->err);
    }
    if (strcmp(kind, "reseed") == 0) {
        r->reseeds = true;
        return PEXCZ_OK;
    }
    if (strcmp(kind, "encoding") == 0) {
        r->reads_encoding = true;
        return PEXCZ_OK;
    }
    if (strcmp(kind, "ended") == 0) {
        r->ended = keep_field(m, &line);
        return r->ended != NULL ? PEXCZ_OK : PEXCZ_E_NOMEM;
    }
    if (strcmp(kind, "left") == 0) {
        return add_left(m, line);
    }
    r->off = keep_field(m, &line);
    return r->off != NULL ? PEXCZ_OK : PEXCZ_E_NOMEM;
}

static int
read_answer(struct pexcz_snapshot_making *m, int fd)
{
    struct pexcz_slice map = {0};
    struct pexcz_slice rest;
    int rc = pexcz_snapshot_map(fd, &map, m->err);

    rest = map;
    while (rc == PEXCZ_OK && rest.len != 0) {
        rc = read_line(m, pexcz_slice_take(&rest, '\n'));
    }
    pexcz_snapshot_unmap(&map);
    return rc;
}

/* What is imported for an entry point: kind, name and attribute of it. */
static int
trace(struct pexcz_snapshot_making *m, const char *const entry[3], int fd)
{
    const struct pexcz_snapshot_wish *wish = m->wish;
    size_t count
        = wish->warm_count + wish->exclude_count + m->failed.count + 6;
    const char **args = pexcz_alloc_array(count, sizeof(*args));
    char number[32];
    size_t n = 0;
    struct pexcz_snapshot_process process = {
        .executable = m->executable,
        .libraries = m->libraries,
        .wish = wish,
        .gate = "",
        .script = pexcz_snapshot_trace_text,
        .args = args,
        .arg_count = count,
    };
    int rc;

    if (args == NULL) {
        return pexcz_fail(m->err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    (void)snprintf(number, sizeof(number), "%zu", wish->warm_count);
    args[n++] = RESULT_FD_TEXT;
    args[n++] = m->home ? "home" : "";
    for (size_t i = 0; i < 3; i++) {
        args[n++] = entry[i];
    }
    args[n++] = number;
    for (size_t i = 0; i < wish->warm_count; i++) {
        args[n++] = wish->warm[i];
    }
    for (size_t i = 0; i < wish->exclude_count; i++) {
        args[n++] = wish->exclude[i];
    }
    for (size_t i = 0; i < m->failed.count; i++) {
        args[n++] = m->failed.items[i];
    }
    rc = pexcz_snapshot_process_run(&process, fd, m->err);
    free(args);
    return rc == PEXCZ_OK ? read_answer(m, fd) : rc;
}

static int
trace_entry_point(struct pexcz_snapshot_making *m, int fd)
{
    static const char *const kinds[] = {
        [PEXCZ_ENTRY_NONE] = NULL,
        [PEXCZ_ENTRY_MODULE] = "module",
        [PEXCZ_ENTRY_CALL] = "call",
        [PEXCZ_ENTRY_SCRIPT] = "script",
    };
    const struct pexcz_plan_boot *boot = m->boot;
    const char *const entry[3] = {
        kinds[boot->kind],
        boot->kind == PEXCZ_ENTRY_SCRIPT ? boot->script : boot->module,
        boot->attr != NULL ? boot->attr : "",
    };

    return trace(m, entry, fd);
}

/* Whether an earlier "NAME=mod:attr" than commands[i] has its module. */
static bool
is_module_known(const struct pexcz_strings *commands, size_t i)
{
    const char *module = strchr(commands->items[i], '=') + 1;
    size_t n = strcspn(module, ":");

    for (size_t k = 0; k < i; k++) {
        const char *other = strchr(commands->items[k], '=') + 1;

        if (strcspn(other, ":") == n && memcmp(other, module, n) == 0) {
            return true;
        }
    }
    return false;
}

static const char *
command_module(struct pexcz_snapshot_making *m, size_t i)
{
    const char *module = strchr(m->boot->commands.items[i], '=') + 1;

    return pexcz_arena_printf(&m->report->arena, m->err, "%.*s",
                              (int)strcspn(module, ":"), module);
}

static bool
is_left(const struct pexcz_snapshot_report *r, const char *module)
{
    for (size_t i = 0; i < r->left_count; i++) {
        if (strcmp(r->left[i].module, module) == 0) {
            return true;
        }
    }
    return false;
}

static int
leave_out(struct pexcz_snapshot_making *m, const char *module)
{
    const char *line
        = is_left(m->report, module)
              ? ""
              : pexcz_arena_printf(&m->report->arena, m->err,
                                   "%s\t%s\tnot every command imports it",
                                   module, module);

    if (line == NULL) {
        return PEXCZ_E_NOMEM;
    }
    return line[0] == '\0' ? PEXCZ_OK : add_left(m, pexcz_slice_str(line));
}

/* Of the modules up to `before` and those behind, those that are in both and
 * not left out. */
static int
keep_common(struct pexcz_snapshot_making *m, size_t before)
{
    struct pexcz_strings *all = &m->report->modules;
    struct pexcz_strings old = {.items = all->items, .count = before};
    struct pexcz_strings new = {
        .items = all->items + before,
        .count = all->count - before,
    };
    size_t kept = 0;
    int rc = PEXCZ_OK;

    for (size_t i = 0; rc == PEXCZ_OK && i < new.count; i++) {
        if (!pexcz_strings_contain(&old, new.items[i])) {
            rc = leave_out(m, new.items[i]);
        }
    }
    for (size_t i = 0; rc == PEXCZ_OK && i < old.count; i++) {
        const char *module = old.items[i];

        if (!pexcz_strings_contain(&new, module)) {
            rc = leave_out(m, module);
        }
        else if (!is_left(m->report, module)) {
            all->items[kept++] = module;
        }
    }
    all->count = kept;
    return rc;
}

static bool
is_of_module(const struct pexcz_snapshot_report *r, const char *setting)
{
    size_t n = strcspn(setting, ":");

    for (size_t i = 0; i < r->modules.count; i++) {
        if (strncmp(r->modules.items[i], setting, n) == 0
            && r->modules.items[i][n] == '\0') {
            return true;
        }
    }
    return false;
}

/* "MODULE:NAME" of modules that are in the snapshot, each once; so are
 * variables and files. */
static void
tidy(struct pexcz_snapshot_report *r)
{
    struct pexcz_strings *const lists[]
        = {&r->cwd, &r->home, &r->gate, &r->absent};

    for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
        struct pexcz_strings kept = {.items = lists[k]->items};

        for (size_t i = 0; i < lists[k]->count; i++) {
            const char *item = lists[k]->items[i];

            if (!pexcz_strings_contain(&kept, item)
                && (k > 1 || is_of_module(r, item))) {
                kept.items[kept.count++] = item;
            }
        }
        lists[k]->count = kept.count;
    }
}

/* How far the report had come. */
struct mark {
    size_t modules;
    size_t left;
    size_t gate;
    size_t cwd;
    size_t absent;
    size_t home;
};

static struct mark
set_mark(const struct pexcz_snapshot_report *r)
{
    return (struct mark){r->modules.count, r->left_count,   r->gate.count,
                         r->cwd.count,     r->absent.count, r->home.count};
}

static void
go_back(struct pexcz_snapshot_report *r, const struct mark *to)
{
    r->modules.count = to->modules;
    r->left_count = to->left;
    r->gate.count = to->gate;
    r->cwd.count = to->cwd;
    r->absent.count = to->absent;
    r->home.count = to->home;
}

/*
 * A start imports what its command needs, no more.  So the snapshot has what
 * all of them import; what only some do is left out.  A command that cannot be
 * imported has no say.
 */
static int
trace_commands(struct pexcz_snapshot_making *m, int fd)
{
    struct pexcz_snapshot_report *r = m->report;
    const char *ended = NULL;
    bool is_first = true;
    int rc = PEXCZ_OK;

    for (size_t i = 0;
         rc == PEXCZ_OK && r->off == NULL && i < m->boot->commands.count;
         i++) {
        struct mark before = set_mark(r);
        const char *module;

        if (is_module_known(&m->boot->commands, i)) {
            continue;
        }
        module = command_module(m, i);
        rc = module != NULL ? pexcz_snapshot_empty(fd, m->err) : PEXCZ_E_NOMEM;
        r->ended = NULL;
        if (rc == PEXCZ_OK) {
            rc = trace(m, (const char *const[3]){"call", module, ""}, fd);
        }
        if (r->ended != NULL) {
            ended = r->ended;
            go_back(r, &before);
        }
        else if (rc == PEXCZ_OK) {
            rc = is_first ? PEXCZ_OK : keep_common(m, before.modules);
            is_first = false;
        }
    }
    r->ended = ended;
    r->standby.count = 0; /* each trace has another image */
    tidy(r);
    return rc;
}

int
pexcz_snapshot_modules(struct pexcz_snapshot_making *m, int fd)
{
    return m->boot->commands.count != 0 ? trace_commands(m, fd)
                                        : trace_entry_point(m, fd);
}
