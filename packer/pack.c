/* SPDX-License-Identifier: Apache-2.0 */
#include "pack.h"

#include "add_snapshot.h"
#include "adjacent_files.h"
#include "base_python.h"
#include "bill.h"
#include "boot_settings.h"
#include "elf_file.h"
#include "exe_layout.h"
#include "find_base.h"
#include "image.h"
#include "image_libraries.h"
#include "import_closure.h"
#include "library_report.h"
#include "outside_programs.h"
#include "pex_set.h"
#include "plan_files.h"
#include "progress.h"
#include "record_report.h"
#include "stdlib_copies.h"
#include "threads.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What the base itself needs. */
#define BASE_GLIBC "2.17"
/* Bytes that are stored as they are without a use. */
#define MOST_SPARE (UINT64_C(16) << 20)

struct packing {
    const struct pexcz_pack_options *options;
    struct pexcz_progress progress;
    struct pexcz_error *err;
    char *output;
    const char *python;    /* that was asked for, or NULL */
    const char *machine;   /* likewise */
    const char *max_glibc; /* likewise */
    struct pexcz_buf base; /* path, NUL-terminated */
    struct pexcz_base_facts facts;
    struct pexcz_out_file out;
    struct pexcz_compiler compiler;
    struct pexcz_target target;
    struct pexcz_pex_set pexes;
    struct pexcz_plan plan;
    size_t dist_count;
    struct pexcz_compiled *compiled;
    bool *hot;
    bool *raw;
    struct pexcz_library_info **infos; /* one for each entry of the plan */
    bool *unrecorded;                  /* likewise */
    struct pexcz_library_plan libraries;
    struct pexcz_library_report report;
    struct pexcz_buf stdlib; /* files of the standard library's modules that
                                are hot, a line each */
    struct pexcz_image_sizes sizes;
    struct pexcz_snapshot_report snapshot;
    bool again;                  /* the second time */
    const char *const *left_out; /* then: modules, with a tab and the reason */
    size_t left_out_count;
};

static const char *
last_component(const char *path)
{
    const char *end = path + strlen(path);

    while (end > path && end[-1] == '/') {
        end--;
    }
    while (end > path && end[-1] != '/') {
        end--;
    }
    return end;
}

/* The first PEX's name without its suffix, in the current folder. */
static int
choose_output(struct packing *p)
{
    const char *name = last_component(p->options->inputs[0]);
    size_t len = strcspn(name, "/"); /* of a folder, as shells complete it */
    const char *dot = memrchr(name, '.', len);

    if (p->options->output != NULL) {
        p->output = strdup(p->options->output);
    }
    else if (dot == NULL || dot == name) {
        return pexcz_fail(p->err, PEXCZ_E_USAGE, 0,
                          "%s has no suffix to drop: name the output with -o",
                          p->options->inputs[0]);
    }
    else {
        p->output = strndup(name, (size_t)(dot - name));
    }
    return p->output != NULL
               ? PEXCZ_OK
               : pexcz_fail(p->err, PEXCZ_E_NOMEM, 0, "out of memory");
}

static void
read_wishes(struct packing *p)
{
    const struct pexcz_pack_options *o = p->options;

    p->machine = o->platform.machine;
    p->python = o->platform.python[0] != '\0' ? o->platform.python : o->python;
    p->max_glibc
        = o->platform.glibc[0] != '\0' ? o->platform.glibc : o->max_glibc;
}

static int
check_base(struct packing *p, struct pexcz_error *err)
{
    return pexcz_check_base((const char *)p->base.ptr, p->machine, &p->facts,
                            err);
}

/* What was asked for; else that of the first PEX's shebang; else the newest.
 */
static int
choose_base(struct packing *p)
{
    int rc = PEXCZ_E_NOT_FOUND;

    if (p->options->base != NULL) {
        rc = pexcz_buf_append(&p->base, p->options->base,
                              strlen(p->options->base) + 1, p->err);
    }
    else if (p->python == NULL && p->pexes.pexes[0].shebang.version != NULL) {
        rc = pexcz_find_base(p->pexes.pexes[0].shebang.version, p->machine,
                             NULL, &p->base, p->err);
    }
    if (rc == PEXCZ_E_NOT_FOUND) {
        rc = pexcz_find_base(p->python, p->machine, NULL, &p->base, p->err);
    }
    return rc == PEXCZ_OK ? check_base(p, p->err) : rc;
}

/* Starts the base, or that of this machine, as a Python; it says what it is.
 */
static int
open_target(struct packing *p)
{
    int rc = pexcz_base_python_open(&p->compiler, (const char *)p->base.ptr,
                                    &p->facts, p->options->jobs, p->err);

    if (rc == PEXCZ_OK) {
        rc = pexcz_target_init(&p->target, p->compiler.python.version,
                               p->facts.machine, p->err);
    }
    if (rc == PEXCZ_OK && p->max_glibc != NULL) {
        rc = pexcz_target_set_glibc(&p->target, p->max_glibc, p->err);
    }
    return rc;
}

static void
warn(struct packing *p, const struct pexcz_strings *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        pexcz_progress_say(&p->progress, 0, "pexcz-pack: warning: %s",
                           lines->items[i]);
    }
}

/* Opens the newest base, or the next older one after `older_than`; NOT_FOUND
 * when there is none. */
static int
try_base(struct packing *p, const char *older_than, struct pexcz_error *err)
{
    struct pexcz_buf found = {0};
    int rc = pexcz_find_base(NULL, p->machine, older_than, &found, err);

    if (rc < 0) {
        return rc;
    }
    pexcz_buf_done(&p->base);
    p->base = found;
    pexcz_compiler_close(&p->compiler);
    rc = check_base(p, err);
    return rc == PEXCZ_OK ? open_target(p) : rc;
}

/* Behind what the first base lacks, in one line, what another one lacks. */
static void
add_reason(struct pexcz_error *whole, const char *python,
           const struct pexcz_error *err)
{
    char *end = whole->msg + strlen(whole->msg);

    (void)snprintf(end, sizeof(whole->msg) - (size_t)(end - whole->msg),
                   "\n  nor with Python %s: %.*s", python,
                   (int)strcspn(err->msg, "\n"), err->msg);
}

/*
 * Chooses the distributions and, unless it was asked for, the base: that of
 * the shebang, else the newest, whose Python the PEX admits and has a
 * distribution of everything for.
 */
static int
resolve(struct packing *p)
{
    bool free_choice = p->options->base == NULL && p->python == NULL;
    struct pexcz_error whole;
    struct pexcz_error none;
    const char *tried = NULL;
    char first[sizeof(p->compiler.python.version)];
    int rc = pexcz_pex_set_resolve(&p->pexes, &p->target, p->err);

    whole = *p->err;
    (void)strcpy(first, p->compiler.python.version);
    while (rc == PEXCZ_E_UNSUPPORTED && free_choice) {
        rc = try_base(p, tried, &none);
        tried = (const char *)p->base.ptr;
        if (rc == PEXCZ_E_NOT_FOUND) {
            *p->err = whole;
            return whole.code;
        }
        if (rc < 0) {
            *p->err = none;
            return rc;
        }
        rc = pexcz_pex_set_resolve(&p->pexes, &p->target, p->err);
        if (rc == PEXCZ_E_UNSUPPORTED
            && strcmp(first, p->compiler.python.version) != 0) {
            add_reason(&whole, p->compiler.python.version, p->err);
        }
    }
    return rc;
}

/* A PEX that its author runs with another Python may not work with this. */
static void
warn_of_other_python(struct packing *p)
{
    const char *wanted = p->pexes.pexes[0].shebang.version;
    char version[16];

    (void)snprintf(version, sizeof(version), "%d.%d", p->target.major,
                   p->target.minor);
    if (p->options->base == NULL && p->python == NULL && wanted != NULL
        && strcmp(wanted, version) != 0) {
        pexcz_progress_say(&p->progress, 0,
                           "pexcz-pack: warning: %s: its first line names "
                           "Python %s, the base is %s",
                           p->pexes.pexes[0].name, wanted, version);
    }
}

static int
read_plan(struct packing *p)
{
    int rc;

    pexcz_progress_step(&p->progress, "resolving", PEXCZ_UNIT_FILES);
    rc = resolve(p);
    if (rc == PEXCZ_OK) {
        warn_of_other_python(p);
        rc = pexcz_plan_make(p->pexes.sources, p->pexes.count, &p->target,
                             &p->plan, p->err);
    }
    if (rc == PEXCZ_OK && p->options->busybox) {
        rc = pexcz_plan_commands(&p->plan, p->pexes.sources, p->pexes.count,
                                 p->err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_plan_files(&p->plan, p->pexes.sources, p->pexes.count,
                              p->options->files, p->options->files_count,
                              p->err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_outside_programs_warn(&p->plan, p->err);
    }
    if (rc < 0) {
        return rc;
    }
    for (size_t i = 0; i < p->pexes.count; i++) {
        const struct pexcz_resolved *r = &p->pexes.sources[i].resolved;

        for (size_t k = 0; k < r->count; k++) {
            pexcz_progress_say(&p->progress, 1, "  %s",
                               r->dists[k]->file_name);
        }
        p->dist_count += r->count;
    }
    warn(p, &p->pexes.warnings);
    warn(p, &p->plan.warnings);
    p->compiled = pexcz_alloc_array(p->plan.entry_count, sizeof(*p->compiled));
    p->hot = pexcz_alloc_array(p->plan.entry_count, sizeof(*p->hot));
    p->raw = pexcz_alloc_array(p->plan.entry_count, sizeof(*p->raw));
    p->infos = pexcz_alloc_array(p->plan.entry_count, sizeof(*p->infos));
    p->unrecorded
        = pexcz_alloc_array(p->plan.entry_count, sizeof(*p->unrecorded));
    return p->compiled != NULL && p->hot != NULL && p->raw != NULL
                   && p->infos != NULL && p->unrecorded != NULL
               ? PEXCZ_OK
               : pexcz_fail(p->err, PEXCZ_E_NOMEM, 0, "out of memory");
}

static void
show_compiled(void *context, size_t done, size_t total)
{
    pexcz_progress_update(context, done, total);
}

static void
show_stored(void *context, uint64_t done, uint64_t total)
{
    pexcz_progress_update(context, done, total);
}

/* Files that this Python cannot compile stay source, as they are in a venv:
 * importing one raises the SyntaxError.  Wheels carry templates and code for
 * other versions, so only user code is worth a warning by default. */
static void
report_compile_errors(struct packing *p)
{
    for (size_t i = 0; i < p->plan.entry_count; i++) {
        const struct pexcz_plan_entry *e = &p->plan.entries[i];

        if (p->compiled[i].message != NULL) {
            pexcz_progress_say(&p->progress, e->origin == NULL ? 0 : 1,
                               "pexcz-pack: warning: %s: %s: packed as source",
                               e->path, p->compiled[i].message);
        }
    }
}

static int
compile(struct packing *p)
{
    int rc;

    pexcz_progress_step(&p->progress, "compiling", PEXCZ_UNIT_FILES);
    rc = pexcz_compiler_run(&p->compiler, p->plan.entries, p->plan.entry_count,
                            p->compiled, show_compiled, &p->progress, p->err);
    if (rc == PEXCZ_OK) {
        report_compile_errors(p);
    }
    return rc;
}

/* The modules that run first; a console script's is found by its imports. */
static int
find_roots(struct packing *p, struct pexcz_strings *ret)
{
    const struct pexcz_plan_boot *boot = &p->plan.boot;
    struct pexcz_arena *arena = &p->pexes.arena;
    int rc = PEXCZ_OK;

    if (boot->module != NULL) {
        const char *main_name
            = pexcz_arena_printf(arena, p->err, "%s.__main__", boot->module);

        if (main_name == NULL) {
            return PEXCZ_E_NOMEM;
        }
        rc = pexcz_strings_add(ret, arena, pexcz_slice_str(boot->module),
                               p->err);
        if (rc == PEXCZ_OK && boot->kind == PEXCZ_ENTRY_MODULE) {
            rc = pexcz_strings_add(ret, arena, pexcz_slice_str(main_name),
                                   p->err);
        }
    }
    for (size_t i = 0; i < boot->commands.count && rc == PEXCZ_OK; i++) {
        const char *module = strchr(boot->commands.items[i], '=') + 1;

        rc = pexcz_strings_add(ret, arena,
                               pexcz_slice_make(module, strcspn(module, ":")),
                               p->err);
    }
    return rc;
}

static int
find_hot(struct packing *p)
{
    const struct pexcz_plan_boot *boot = &p->plan.boot;
    struct pexcz_strings roots = {0};
    struct pexcz_buf outside = {0};
    struct pexcz_slice files;
    int rc = find_roots(p, &roots);

    if (rc == PEXCZ_OK) {
        rc = pexcz_import_closure(&p->plan, &boot->search_path, p->compiled,
                                  &roots, p->hot, &outside, p->err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_compiler_stdlib(&p->compiler, pexcz_buf_slice(&outside),
                                   &files, p->err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_buf_append(&p->stdlib, files.ptr, files.len, p->err);
    }
    pexcz_buf_done(&outside);
    if (rc == PEXCZ_OK && p->options->snapshot != PEXCZ_SNAPSHOT_OFF
        && pexcz_base_is_own(&p->facts)) {
        pexcz_image_libraries(&p->plan, p->options->wish.warm_count != 0,
                              p->hot, p->raw);
    }
    /* From memory they would be decompressed at every start. */
    if (rc == PEXCZ_OK && p->options->shared_objects == PEXCZ_SHARED_MEMORY) {
        memset(p->raw, true, p->plan.entry_count * sizeof(*p->raw));
    }
    return rc;
}

static void
report_libraries(struct packing *p)
{
    for (size_t i = 0; i < p->report.lines.count; i++) {
        pexcz_progress_say(&p->progress, 1, "  %s", p->report.lines.items[i]);
    }
    for (size_t i = 0; i < p->report.warnings.count; i++) {
        pexcz_progress_say(&p->progress, 0, "pexcz-pack: warning: %s",
                           p->report.warnings.items[i]);
    }
}

static int
add_libraries(struct packing *p, struct pexcz_blob_writer *writer)
{
    int rc
        = pexcz_library_plan_make(&p->plan, p->infos, &p->libraries, p->err);

    for (size_t i = 0; i < p->libraries.count && rc == PEXCZ_OK; i++) {
        rc = pexcz_blob_writer_library(writer, &p->libraries.specs[i], p->err);
    }
    if (rc == PEXCZ_OK) {
        p->report = (struct pexcz_library_report){0};
        rc = pexcz_library_report_make(
            &p->plan, p->infos, &p->libraries, p->options->allowed_libraries,
            p->options->allowed_count, &p->plan.arena, &p->report, p->err);
    }
    if (rc == PEXCZ_OK && !p->again) {
        report_libraries(p);
    }
    if (rc == PEXCZ_OK
        && p->options->shared_objects == PEXCZ_SHARED_ADJACENT) {
        rc = pexcz_adjacent_files_write(&p->plan, &p->libraries, p->output,
                                        p->err);
    }
    return rc;
}

/* The options of which the runtime has to know. */
static int
list_options(struct packing *p, struct pexcz_strings *ret)
{
    static const char *const texts[] = {
        [PEXCZ_SHARED_CACHE] = NULL,
        [PEXCZ_SHARED_MEMORY] = "shared-objects=memory",
        [PEXCZ_SHARED_ADJACENT] = "shared-objects=adjacent",
    };
    const char *text = texts[p->options->shared_objects];
    int rc = text != NULL ? pexcz_strings_add(ret, &p->plan.arena,
                                              pexcz_slice_str(text), p->err)
                          : PEXCZ_OK;

    return rc == PEXCZ_OK && p->options->verify == PEXCZ_VERIFY_ALWAYS
               ? pexcz_strings_add(ret, &p->plan.arena,
                                   pexcz_slice_str("verify=always"), p->err)
               : rc;
}

static int
add_rest(void *context, struct pexcz_blob_writer *writer,
         struct pexcz_error *err)
{
    struct packing *p = context;
    struct pexcz_strings options = {0};
    struct pexcz_strings warnings = {0};
    int rc = add_libraries(p, writer);

    if (rc == PEXCZ_OK) {
        rc = pexcz_record_report_make(&p->plan, p->unrecorded, &p->plan.arena,
                                      &warnings, err);
        if (!p->again) {
            warn(p, &warnings);
        }
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_stdlib_copies_write((const char *)p->base.ptr,
                                       pexcz_buf_slice(&p->stdlib), writer,
                                       err);
    }
    if (rc == PEXCZ_OK) {
        rc = list_options(p, &options);
    }
    return rc == PEXCZ_OK ? pexcz_boot_settings_write(
               &p->plan, last_component(p->output), &options, writer, err)
                          : rc;
}

static int
write_image(struct packing *p)
{
    struct pexcz_tree_store store = {
        .plan = &p->plan,
        .machine = pexcz_elf_machine(p->facts.machine),
        .compiled = p->compiled,
        .hot = p->hot,
        .raw = p->raw,
        .libraries = p->infos,
        .unrecorded = p->unrecorded,
        .level = p->options->level,
        .threads
        = p->options->jobs != 0 ? p->options->jobs : pexcz_processor_count(),
        .progress = show_stored,
        .context = &p->progress,
    };
    struct pexcz_image image = {
        .elf = (const char *)p->base.ptr,
        .out = &p->out,
        .address = PEXCZ_ADDR_APP,
        .section = PEXCZ_SECTION_APP,
        .python = &p->compiler.python,
        .store = &store,
        .extra = add_rest,
        .context = p,
    };

    pexcz_progress_step(&p->progress, "writing", PEXCZ_UNIT_BYTES);
    return pexcz_image_write(&image, &p->sizes, p->err);
}

/* As given, and without the modules that are to come from real files. */
static int
snapshot_wish(struct packing *p, struct pexcz_snapshot_wish *ret)
{
    const struct pexcz_snapshot_wish *given = &p->options->wish;
    const struct pexcz_strings *more = &p->plan.boot.file_modules;

    *ret = *given;
    if (more->count + p->left_out_count == 0) {
        return PEXCZ_OK;
    }
    ret->exclude = pexcz_arena_alloc(
        &p->plan.arena, given->exclude_count + more->count + p->left_out_count,
        sizeof(*ret->exclude), p->err);
    if (ret->exclude == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (size_t i = 0; i < given->exclude_count; i++) {
        ret->exclude[i] = given->exclude[i];
    }
    for (size_t i = 0; i < more->count; i++) {
        ret->exclude[given->exclude_count + i] = more->items[i];
    }
    ret->exclude_count += more->count;
    for (size_t i = 0; i < p->left_out_count; i++) {
        ret->exclude[ret->exclude_count++] = p->left_out[i];
    }
    return PEXCZ_OK;
}

static int
add_snapshot(struct packing *p)
{
    const struct pexcz_pack_options *o = p->options;
    struct pexcz_snapshot_wish wish;
    int rc;

    if (o->snapshot == PEXCZ_SNAPSHOT_OFF) {
        return PEXCZ_OK;
    }
    pexcz_progress_step(&p->progress, "importing", PEXCZ_UNIT_FILES);
    rc = snapshot_wish(p, &wish);
    if (!pexcz_base_is_own(&p->facts)) {
        p->snapshot.off = "it would have to run on another machine";
    }
    else if (o->random_hash_seed) {
        p->snapshot.off = "it would have one hash seed for all processes";
    }
    else if (rc == PEXCZ_OK) {
        rc = pexcz_snapshot_add(&p->out, &p->plan, p->infos, &p->libraries,
                                &wish, &p->snapshot, p->err);
    }
    if (rc < 0) {
        return rc;
    }
    if (p->snapshot.off == NULL) {
        p->sizes.total = p->snapshot.total;
        return PEXCZ_OK;
    }
    if (o->snapshot == PEXCZ_SNAPSHOT_REQUIRE) {
        return pexcz_fail(p->err, PEXCZ_E_UNSUPPORTED, 0,
                          "%s: no snapshot: %s", o->inputs[0],
                          p->snapshot.off);
    }
    return PEXCZ_OK;
}

/* Shared objects that were stored for a snapshot which has not got them are
 * compressed where that is worth it: all is written once more. */
static int
write_smaller(struct packing *p)
{
    const struct pexcz_snapshot_report first = p->snapshot;
    const char **exclude;
    size_t count = 0;
    int rc;

    if (p->options->shared_objects == PEXCZ_SHARED_MEMORY
        || pexcz_image_libraries_spare(&p->plan, &first.libraries, p->raw)
               < MOST_SPARE) {
        return PEXCZ_OK;
    }
    pexcz_image_libraries_keep(&p->plan, &first.libraries, p->raw);
    exclude = pexcz_arena_alloc(&p->plan.arena, first.left_count + 1,
                                sizeof(*exclude), p->err);
    if (exclude == NULL) {
        return PEXCZ_E_NOMEM;
    }
    for (size_t i = 0; i < first.left_count; i++) {
        const struct pexcz_snapshot_left *l = &first.left[i];

        exclude[count] = pexcz_arena_printf(
            &p->plan.arena, p->err, "%s\t%s", l->module,
            strchr(l->chain, ' ') == NULL ? l->reason : "-");
        if (exclude[count++] == NULL) {
            return PEXCZ_E_NOMEM;
        }
    }
    p->left_out = exclude;
    p->left_out_count = count;
    p->again = true;
    pexcz_library_plan_done(&p->libraries);
    p->libraries = (struct pexcz_library_plan){0};
    if (ftruncate(p->out.fd, 0) < 0) {
        return pexcz_fail(p->err, PEXCZ_E_IO, errno, "%s", p->out.shown);
    }
    rc = write_image(p);
    if (rc == PEXCZ_OK && first.off == NULL) {
        pexcz_snapshot_report_done(&p->snapshot);
        rc = add_snapshot(p);
    }
    return rc;
}

/* Before the output gets its name: what fails leaves nothing new. */
static int
write_bill(struct packing *p)
{
    struct pexcz_bill bill = {
        .name = last_component(p->output),
        .base = (const char *)p->base.ptr,
        .python = p->compiler.python.version,
        .sources = p->pexes.sources,
        .count = p->pexes.count,
    };
    int rc = PEXCZ_OK;

    if (p->options->sbom != NULL) {
        rc = pexcz_bill_write_sbom(&bill, p->options->sbom, p->err);
    }
    return rc == PEXCZ_OK && p->options->licenses != NULL
               ? pexcz_bill_write_licenses(&bill, p->options->licenses, p->err)
               : rc;
}

/* Cheap refusals first: nothing is compiled for a target that cannot be
 * written or an input that cannot be read. */
static int
pack(struct packing *p)
{
    int rc = choose_output(p);

    read_wishes(p);
    if (rc == PEXCZ_OK) {
        pexcz_progress_step(&p->progress, "reading", PEXCZ_UNIT_FILES);
        rc = pexcz_pex_set_open(p->options->inputs, p->options->input_count,
                                &p->pexes, p->err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_out_file_open(&p->out, p->output, p->err);
    }
    for (size_t i = 0; rc == PEXCZ_OK && i < p->pexes.count; i++) {
        rc = pexcz_out_file_differs(&p->out, p->pexes.pexes[i].name, p->err);
    }
    if (rc == PEXCZ_OK) {
        rc = choose_base(p);
    }
    if (rc == PEXCZ_OK) {
        rc = open_target(p);
    }
    if (rc == PEXCZ_OK) {
        rc = read_plan(p);
    }
    if (rc == PEXCZ_OK) {
        rc = compile(p);
    }
    if (rc == PEXCZ_OK) {
        rc = find_hot(p);
    }
    if (rc == PEXCZ_OK) {
        rc = write_image(p);
    }
    if (rc == PEXCZ_OK) {
        rc = add_snapshot(p);
    }
    if (rc == PEXCZ_OK) {
        rc = write_smaller(p);
    }
    if (rc == PEXCZ_OK && p->options->snapshot != PEXCZ_SNAPSHOT_OFF) {
        pexcz_snapshot_report_say(&p->snapshot, &p->progress);
    }
    if (rc == PEXCZ_OK) {
        rc = write_bill(p);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_out_file_commit(&p->out, 0777, p->err);
    }
    return rc == PEXCZ_OK
                   && p->options->shared_objects == PEXCZ_SHARED_ADJACENT
               ? pexcz_adjacent_files_clean(&p->libraries, p->output, p->err)
               : rc;
}

static void
summarise(struct packing *p, double seconds)
{
    const char *glibc = p->report.highest[PEXCZ_FAMILY_GLIBC];
    bool is_own = pexcz_base_is_own(&p->facts);
    char total[16];
    char base[16];
    char blob[16];

    pexcz_format_size(p->sizes.total, total);
    pexcz_format_size(p->sizes.base, base);
    pexcz_format_size(p->sizes.blob, blob);
    pexcz_progress_say(
        &p->progress, 0,
        "%s: %s (base %s, application %s), Python %s%s%s, "
        "%zu distribution%s, for glibc %s, %.1f s",
        p->out.shown, total, base, blob, p->compiler.python.version,
        is_own ? "" : " for ", is_own ? "" : p->facts.machine, p->dist_count,
        p->dist_count == 1 ? "" : "s",
        pexcz_version_is_lower(BASE_GLIBC, glibc) ? glibc : BASE_GLIBC,
        seconds);
}

static double
seconds_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
pexcz_pack(const struct pexcz_pack_options *options, struct pexcz_error *err)
{
    struct packing p = {
        .options = options,
        .err = err,
        .out = {.fd = -1, .dir = -1},
    };
    double start = seconds_now();
    int rc;

    pexcz_progress_init(&p.progress, options->verbosity);
    rc = pack(&p);
    pexcz_progress_clear(&p.progress);
    if (rc == PEXCZ_OK) {
        summarise(&p, seconds_now() - start);
    }
    for (size_t i = 0; p.compiled != NULL && i < p.plan.entry_count; i++) {
        pexcz_compiled_done(&p.compiled[i]);
    }
    for (size_t i = 0; p.infos != NULL && i < p.plan.entry_count; i++) {
        if (p.infos[i] != NULL) {
            pexcz_library_done(p.infos[i]);
            free(p.infos[i]);
        }
    }
    pexcz_library_plan_done(&p.libraries);
    free(p.infos);
    free(p.unrecorded);
    free(p.compiled);
    free(p.hot);
    pexcz_buf_done(&p.stdlib);
    free(p.raw);
    pexcz_plan_done(&p.plan);
    pexcz_pex_set_close(&p.pexes);
    pexcz_snapshot_report_done(&p.snapshot);
    pexcz_compiler_close(&p.compiler);
    pexcz_out_file_close(&p.out);
    pexcz_buf_done(&p.base);
    free(p.output);
    return rc;
}
