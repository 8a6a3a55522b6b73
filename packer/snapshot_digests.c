/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot_digests.h"

#include "snapshot_home.h"
#include "snapshot_process.h"
#include "worker_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int
join_gate(const struct pexcz_snapshot_making *m, struct pexcz_buf *ret)
{
    const struct pexcz_strings *gate = &m->report->gate;
    int rc = PEXCZ_OK;

    for (size_t i = 0; i < gate->count && rc == PEXCZ_OK; i++) {
        rc = pexcz_buf_printf(ret, m->err, "%s%.*s", i == 0 ? "" : ",",
                              (int)strcspn(gate->items[i], "="),
                              gate->items[i]);
    }
    return rc == PEXCZ_OK ? pexcz_buf_append(ret, "", 1, m->err) : rc;
}

#define COUNT_SIZE 32

/* How many there are, which `count` is room for, and the list. */
static void
add_list(const char **args, size_t *n, char count[COUNT_SIZE],
         const struct pexcz_strings *list)
{
    (void)snprintf(count, COUNT_SIZE, "%zu", list->count);
    args[(*n)++] = count;
    for (size_t i = 0; i < list->count; i++) {
        args[(*n)++] = list->items[i];
    }
}

static int
run_imports(const struct pexcz_snapshot_making *m, const char *script,
            bool dump, bool second, const char *home, const char *places,
            int fd)
{
    const struct pexcz_snapshot_report *r = m->report;
    size_t count = r->modules.count + r->left_count + r->cwd.count
                   + r->absent.count + r->standby.count + r->patterns.count
                   + r->home.count + r->late.count + r->set.count + 10;
    const char **args = pexcz_alloc_array(count, sizeof(*args));
    struct pexcz_buf gate = {0};
    char counts[8][COUNT_SIZE];
    struct pexcz_snapshot_process process = {
        .executable = m->executable,
        .dump = dump,
        .libraries = m->libraries,
        .second = second,
        .places = places,
        .places_file = m->places,
        .wish = m->wish,
        .home = home,
        .script = script,
        .args = args,
        .arg_count = count,
    };
    size_t n = 0;
    int rc = join_gate(m, &gate);

    if (rc == PEXCZ_OK && args == NULL) {
        rc = pexcz_fail(m->err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    if (rc == PEXCZ_OK) {
        add_list(args, &n, counts[0], &r->modules);
        (void)snprintf(counts[1], COUNT_SIZE, "%zu", r->left_count);
        args[n++] = counts[1];
        for (size_t i = 0; i < r->left_count; i++) {
            args[n++] = r->left[i].module;
        }
        add_list(args, &n, counts[2], &r->late);
        add_list(args, &n, counts[3], &r->absent);
        add_list(args, &n, counts[4], &r->standby);
        add_list(args, &n, counts[5], &r->patterns);
        args[n++] = r->reseeds ? "1" : "0";
        args[n++] = r->reads_encoding ? "1" : "0";
        add_list(args, &n, counts[6], &r->home);
        add_list(args, &n, counts[7], &r->set);
        for (size_t i = 0; i < r->cwd.count; i++) {
            args[n++] = r->cwd.items[i];
        }
        process.gate = (const char *)gate.ptr;
        rc = pexcz_snapshot_process_run(&process, fd, m->err);
    }
    pexcz_buf_done(&gate);
    free(args);
    return rc;
}

int
pexcz_snapshot_dump(const struct pexcz_snapshot_making *m, bool second,
                    const char *places, int fd)
{
    return run_imports(m, pexcz_snapshot_import_text, true, second, NULL,
                       places, fd);
}

/* --- modules that differ ------------------------------------------------- */

/* The first module whose variables differ in two processes, or NULL: as the
 * lines of snapshot_digest.py tell. */
static const char *
first_difference(struct pexcz_snapshot_making *m, struct pexcz_slice a,
                 struct pexcz_slice b)
{
    while (a.len != 0 && b.len != 0) {
        struct pexcz_slice one = pexcz_slice_take(&a, '\n');
        struct pexcz_slice other = pexcz_slice_take(&b, '\n');
        const uint8_t *tab = memchr(one.ptr, '\t', one.len);

        if (tab != NULL && !pexcz_slice_eq(one, other)) {
            return pexcz_arena_printf(&m->report->arena, m->err, "%.*s",
                                      (int)(tab - one.ptr),
                                      (const char *)one.ptr);
        }
    }
    return NULL;
}

/* Whether its imports are among those of the snapshot. */
static bool
is_in_snapshot(const struct pexcz_snapshot_making *m, const char *module)
{
    return pexcz_strings_contain(&m->report->modules, module);
}

/* Runs the imports twice more, without a snapshot, to find the module that
 * keeps what differs.  *ret_module: NULL when it cannot be told. */
int
pexcz_snapshot_find_difference(struct pexcz_snapshot_making *m, int first,
                               int second, const char **ret_module)
{
    const int fds[] = {first, second};
    struct pexcz_slice maps[2] = {{0}};
    struct pexcz_error cause = *m->err;
    int rc = PEXCZ_OK;

    *ret_module = NULL;
    for (size_t i = 0; i < 2 && rc == PEXCZ_OK; i++) {
        rc = pexcz_snapshot_empty(fds[i], m->err);
        if (rc == PEXCZ_OK) {
            rc = run_imports(m, pexcz_snapshot_digest_text, false, i != 0,
                             NULL, NULL, fds[i]);
        }
        if (rc == PEXCZ_OK) {
            rc = pexcz_snapshot_map(fds[i], &maps[i], m->err);
        }
    }
    if (rc == PEXCZ_OK) {
        *ret_module = first_difference(m, maps[0], maps[1]);
        if (*ret_module != NULL && !is_in_snapshot(m, *ret_module)) {
            *ret_module = NULL;
        }
    }
    pexcz_snapshot_unmap(&maps[0]);
    pexcz_snapshot_unmap(&maps[1]);
    *m->err = cause;
    return PEXCZ_E_UNSUPPORTED;
}

/* --- other homes ----------------------------------------------------------
 */

/* What the imports come to with a home, NULL: that of the first snapshot. */
static int
tell_outcome(const struct pexcz_snapshot_making *m, const char *home,
             struct pexcz_slice *ret)
{
    int fd = memfd_create("pexcz-outcome", MFD_CLOEXEC);
    int rc;

    if (fd < 0) {
        return pexcz_fail(m->err, PEXCZ_E_IO, errno,
                          "cannot make a memory file");
    }
    rc = run_imports(m, pexcz_snapshot_outcome_text, false, false, home, NULL,
                     fd);
    if (rc == PEXCZ_OK) {
        rc = pexcz_snapshot_map(fd, ret, m->err);
    }
    (void)close(fd);
    return rc;
}

/* Takes `got` from the front of `want`.  Lines of `want` that are not the same
 * in `again` are those of a process: addresses and numbers.  True when all
 * others are equal; else *ret_module is the module that one is about. */
static bool
is_outcome(struct pexcz_snapshot_making *m, struct pexcz_slice *want,
           struct pexcz_slice *again, struct pexcz_slice got,
           const char **ret_module)
{
    static const char kind[] = "module ";
    struct pexcz_slice module = {0};

    while (got.len != 0) {
        struct pexcz_slice line = pexcz_slice_take(&got, '\n');
        struct pexcz_slice first = pexcz_slice_take(want, '\n');
        struct pexcz_slice second = pexcz_slice_take(again, '\n');

        if (!pexcz_slice_eq(line, first) && pexcz_slice_eq(first, second)) {
            *ret_module = pexcz_arena_printf(&m->report->arena, m->err, "%.*s",
                                             (int)module.len,
                                             (const char *)module.ptr);
            return false;
        }
        if (line.len > sizeof(kind)
            && memcmp(line.ptr, kind, sizeof(kind) - 1) == 0) {
            module = pexcz_slice_make(line.ptr + sizeof(kind) - 1,
                                      line.len - (sizeof(kind) - 1));
        }
    }
    return true;
}

int
pexcz_snapshot_try_homes(struct pexcz_snapshot_making *m,
                         const char **ret_module)
{
    struct pexcz_slice want = {0};
    struct pexcz_slice again = {0};
    struct pexcz_slice rest;
    struct pexcz_slice rest_again;
    int rc = tell_outcome(m, NULL, &want);

    *ret_module = NULL;
    if (rc == PEXCZ_OK) {
        rc = tell_outcome(m, NULL, &again);
    }
    rest = want;
    rest_again = again;
    for (size_t i = 0; i < PEXCZ_SNAPSHOT_HOME_SAMPLES && rc == PEXCZ_OK;
         i++) {
        const char *home = pexcz_snapshot_home_samples[i];
        struct pexcz_slice got = {0};

        rc = tell_outcome(m, home, &got);
        if (rc == PEXCZ_OK
            && !is_outcome(m, &rest, &rest_again, got, ret_module)) {
            rc = pexcz_fail(m->err, PEXCZ_E_UNSUPPORTED, 0,
                            "it is another one when $HOME is %s", home);
        }
        pexcz_snapshot_unmap(&got);
    }
    if (rc == PEXCZ_OK && rest.len != 0) {
        rc = pexcz_fail(m->err, PEXCZ_E_UNSUPPORTED, 0,
                        "it is another one with another $HOME");
    }
    pexcz_snapshot_unmap(&want);
    pexcz_snapshot_unmap(&again);
    if (*ret_module != NULL && !is_in_snapshot(m, *ret_module)) {
        *ret_module = NULL;
    }
    return rc;
}
