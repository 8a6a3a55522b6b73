/* SPDX-License-Identifier: Apache-2.0 */
#include "base.h"

#include "exe_layout.h"
#include "image.h"
#include "pexcz_version.h"
#include "plan_builder.h"
#include "threads.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Built once and copied into every packed file: the best that zstd has. */
#define LEVEL 19

struct base_build {
    const struct pexcz_base_options *options;
    struct pexcz_compiler compiler;
    struct pexcz_plan plan;
    struct pexcz_compiled *compiled;
    bool *hot;
    struct pexcz_out_file out;
    struct pexcz_error *err;
    char lib[32]; /* "lib/python3.11" */
};

/* What no program needs at run time: CPython's own tests, the files to embed
 * or build against it, Tk programs (there is no Tk), wheels for ensurepip
 * (site-packages is read-only), and bytecode, which is made anew.  Nor
 * Debian's hook in setuptools, which asks sysconfig for Debian's own schemes.
 */
static bool
left_out(const struct base_build *b, const char *path)
{
    static const char *const names[] = {
        "test",
        "idlelib",
        "turtledemo",
        "tkinter",
        "turtle.py",
        "ensurepip",
        "lib2to3/tests",
        "unittest/test",
        "distutils/tests",
        "ctypes/test",
        "sqlite3/test",
        "site-packages",
        "_distutils_system_mod.py",
    };
    const char *base = strrchr(path, '/');
    const char *inner = path + strlen(b->lib);

    if (strcmp(base + 1, "__pycache__") == 0) {
        return true;
    }
    if (*inner != '/') {
        return true; /* not below lib/pythonX.Y: pkgconfig, libpython.a */
    }
    inner++;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(inner, names[i]) == 0) {
            return true;
        }
    }
    return strncmp(inner, "config-", 7) == 0 && strchr(inner, '/') == NULL;
}

static int
read_file(struct base_build *b, const char *path, uint64_t size,
          struct pexcz_slice *ret)
{
    uint8_t *bytes
        = pexcz_arena_alloc(&b->plan.arena, (size_t)size, 1, b->err);
    FILE *stream;
    size_t n;

    if (bytes == NULL) {
        return PEXCZ_E_NOMEM;
    }
    stream = fopen(path, "rbe");
    if (stream == NULL) {
        return pexcz_fail(b->err, PEXCZ_E_IO, errno, "%s", path);
    }
    n = fread(bytes, 1, (size_t)size, stream);
    (void)fclose(stream);
    if (n != size) {
        return pexcz_fail(b->err, PEXCZ_E_IO, 0, "%s: changed while read",
                          path);
    }
    *ret = pexcz_slice_make(bytes, n);
    return PEXCZ_OK;
}

static int
add_file(struct base_build *b, struct pexcz_plan_builder *builder,
         const char *file, uint64_t size, const char *path)
{
    struct pexcz_slice bytes = {0};
    struct pexcz_content content;
    int rc = read_file(b, file, size, &bytes);

    if (rc < 0) {
        return rc;
    }
    content = pexcz_content_literal(bytes);
    return pexcz_builder_add_file(builder, path, &content, false,
                                  PEXCZ_DEFAULT_MTIME, "standard library");
}

static int
add_document(struct base_build *b, struct pexcz_plan_builder *builder,
             const char *name)
{
    char file[PEXCZ_MAX_PATH];
    char path[64];
    struct stat st;

    (void)snprintf(path, sizeof(path), PEXCZ_BASE_DOCUMENTS "/%s", name);
    if (snprintf(file, sizeof(file), "%s/%s", b->options->documents, name)
        >= (int)sizeof(file)) {
        return pexcz_fail(b->err, PEXCZ_E_TOO_BIG, 0, "%s: path too long",
                          b->options->documents);
    }
    if (stat(file, &st) != 0) {
        return pexcz_fail(b->err, PEXCZ_E_IO, errno, "%s", file);
    }
    return add_file(b, builder, file, (uint64_t)st.st_size, path);
}

static int
by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int
walk(struct base_build *b, struct pexcz_plan_builder *builder)
{
    char root[PEXCZ_MAX_PATH];
    char *roots[] = {root, NULL};
    size_t skip = strlen(b->options->install) + 1;
    FTS *fts;
    FTSENT *item;
    int rc = PEXCZ_OK;

    if (snprintf(root, sizeof(root), "%s/%s", b->options->install, b->lib)
        >= (int)sizeof(root)) {
        return pexcz_fail(b->err, PEXCZ_E_TOO_BIG, 0, "%s: path too long",
                          b->options->install);
    }
    fts = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    if (fts == NULL) {
        return pexcz_fail(b->err, PEXCZ_E_IO, errno, "%s", root);
    }
    while (rc == PEXCZ_OK && (item = fts_read(fts)) != NULL) {
        const char *path = item->fts_path + skip;

        if (item->fts_level > 0 && left_out(b, path)) {
            (void)fts_set(fts, item, FTS_SKIP);
        }
        else if (item->fts_info == FTS_D) {
            rc = pexcz_builder_add_dir(builder, path, PEXCZ_DEFAULT_MTIME,
                                       "standard library");
        }
        else if (item->fts_info == FTS_F) {
            rc = add_file(b, builder, item->fts_accpath,
                          (uint64_t)item->fts_statp->st_size, path);
        }
        else if (item->fts_info != FTS_DP) {
            rc = pexcz_fail(b->err, PEXCZ_E_IO, item->fts_errno, "%s",
                            item->fts_path);
        }
    }
    (void)fts_close(fts);
    return rc;
}

static int
make_plan(struct base_build *b)
{
    struct pexcz_plan_builder builder = {
        .plan = &b->plan,
        .pex_name = b->options->install,
        .err = b->err,
    };
    char site[64];
    int rc;

    (void)snprintf(site, sizeof(site), "%s/site-packages", b->lib);
    rc = walk(b, &builder);
    if (rc == PEXCZ_OK) {
        rc = pexcz_builder_add_dir(&builder, site, PEXCZ_DEFAULT_MTIME,
                                   "standard library");
    }
    if (rc == PEXCZ_OK) {
        rc = add_document(b, &builder, PEXCZ_BASE_COMPONENTS);
    }
    if (rc == PEXCZ_OK) {
        rc = add_document(b, &builder, PEXCZ_BASE_LICENSES);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_builder_finish(&builder);
    }
    pexcz_builder_done(&builder);
    return rc;
}

/* Marks the modules named in the hot list, one dotted name per line. */
static int
read_hot_list(struct base_build *b)
{
    char line[256];
    FILE *stream = fopen(b->options->hot_list, "re");

    if (stream == NULL) {
        return pexcz_fail(b->err, PEXCZ_E_IO, errno, "%s",
                          b->options->hot_list);
    }
    while (fgets(line, sizeof(line), stream) != NULL) {
        static const char *const tails[] = {".py", "/__init__.py"};
        char path[512];

        line[strcspn(line, "#\n")] = '\0';
        for (char *dot = line; (dot = strchr(dot, '.')) != NULL;) {
            *dot = '/';
        }
        for (size_t i = 0; i < 2 && line[0] != '\0'; i++) {
            const struct pexcz_plan_entry *e;

            (void)snprintf(path, sizeof(path), "%s/%s%s", b->lib, line,
                           tails[i]);
            e = pexcz_plan_find(&b->plan, path);
            if (e != NULL) {
                b->hot[e - b->plan.entries] = true;
            }
        }
    }
    (void)fclose(stream);
    return PEXCZ_OK;
}

/* bin/python, bin/python3 and bin/python3.11 are the executable itself; and
 * who made it. */
static int
add_self(void *context, struct pexcz_blob_writer *writer,
         struct pexcz_error *err)
{
    const struct base_build *b = context;
    const char *version = b->lib + strlen("lib/python");
    const char *const tails[] = {"", "3", version};
    int rc = PEXCZ_OK;

    for (size_t i = 0; i < 3 && rc == PEXCZ_OK; i++) {
        char path[64];
        struct pexcz_entry_spec spec = {
            .kind = PEXCZ_KIND_SELF,
            .mode = 0755,
            .mtime = PEXCZ_DEFAULT_MTIME,
            .payload = PEXCZ_NONE,
            .code = PEXCZ_NONE,
        };

        (void)snprintf(path, sizeof(path), "bin/python%s", tails[i]);
        spec.path = pexcz_slice_str(path);
        rc = pexcz_blob_writer_add(writer, &spec, err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_blob_writer_boot(
            writer, PEXCZ_BOOT_OPTION,
            pexcz_slice_str(PEXCZ_BASE_OPTION PEXCZ_VERSION), err);
    }
    return rc;
}

static int
build(struct base_build *b)
{
    struct pexcz_tree_store store = {
        .plan = &b->plan,
        .level = LEVEL,
        .threads = pexcz_processor_count(),
    };
    struct pexcz_image image = {
        .elf = b->options->elf,
        .out = &b->out,
        .address = PEXCZ_ADDR_STDLIB,
        .section = PEXCZ_SECTION_STDLIB,
        .python = &b->compiler.python,
        .store = &store,
        .extra = add_self,
        .context = b,
    };
    struct pexcz_image_sizes sizes;
    int rc = make_plan(b);

    if (rc < 0) {
        return rc;
    }
    b->compiled = pexcz_alloc_array(b->plan.entry_count, sizeof(*b->compiled));
    b->hot = pexcz_alloc_array(b->plan.entry_count, sizeof(*b->hot));
    if (b->compiled == NULL || b->hot == NULL) {
        return pexcz_fail(b->err, PEXCZ_E_NOMEM, 0, "out of memory");
    }
    rc = pexcz_compiler_run(&b->compiler, b->plan.entries, b->plan.entry_count,
                            b->compiled, NULL, NULL, b->err);
    if (rc == PEXCZ_OK) {
        rc = read_hot_list(b);
    }
    if (rc < 0) {
        return rc;
    }
    store.compiled = b->compiled;
    store.hot = b->hot;
    rc = pexcz_image_write(&image, &sizes, b->err);
    return rc == PEXCZ_OK ? pexcz_out_file_commit(&b->out, 0777, b->err) : rc;
}

int
pexcz_base_build(const struct pexcz_base_options *options,
                 struct pexcz_error *err)
{
    struct base_build b = {
        .options = options,
        .out = {.fd = -1, .dir = -1},
        .err = err,
    };
    int rc = pexcz_compiler_open(&b.compiler, options->python, 0, err);

    if (rc < 0) {
        return rc;
    }
    (void)snprintf(b.lib, sizeof(b.lib), "lib/python%d.%d",
                   b.compiler.python.major, b.compiler.python.minor);
    rc = pexcz_out_file_open(&b.out, options->output, err);
    if (rc == PEXCZ_OK) {
        rc = build(&b);
    }
    pexcz_out_file_close(&b.out);
    for (size_t i = 0; b.compiled != NULL && i < b.plan.entry_count; i++) {
        pexcz_compiled_done(&b.compiled[i]);
    }
    free(b.compiled);
    free(b.hot);
    pexcz_plan_done(&b.plan);
    pexcz_compiler_close(&b.compiler);
    return rc;
}
