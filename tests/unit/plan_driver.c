/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the tree that the packer plans for a PEX to disk, for
 * tests/conformance/test_plan_tree.py.
 *
 *   plan_driver PYTHON-VERSION MACHINE PEX DIRECTORY
 *
 * Prints the boot settings, one "key value" line each.
 */
#include "plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int
write_all(int fd, struct pexcz_slice s, const char *path,
          struct pexcz_error *err)
{
    while (s.len != 0) {
        ssize_t n = write(fd, s.ptr, s.len);

        if (n < 0) {
            return pexcz_fail(err, PEXCZ_E_IO, errno, "%s", path);
        }
        s = pexcz_slice_make(s.ptr + n, s.len - (size_t)n);
    }
    return PEXCZ_OK;
}

static int
write_entry(int dir, const struct pexcz_plan_entry *e, struct pexcz_buf *buf,
            struct pexcz_error *err)
{
    struct pexcz_slice bytes;
    int fd;
    int rc;

    if (e->kind == PEXCZ_KIND_DIR) {
        return mkdirat(dir, e->path, e->mode) < 0
                   ? pexcz_fail(err, PEXCZ_E_IO, errno, "%s", e->path)
                   : PEXCZ_OK;
    }
    buf->len = 0;
    rc = pexcz_content_read(&e->content, buf, &bytes, err);
    if (rc < 0) {
        return rc;
    }
    fd = openat(dir, e->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
                e->mode);
    if (fd < 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s", e->path);
    }
    rc = write_all(fd, bytes, e->path, err);
    if (rc == PEXCZ_OK) {
        struct timespec times[2]
            = {{.tv_sec = e->mtime}, {.tv_sec = e->mtime}};

        (void)futimens(fd, times);
    }
    (void)close(fd);
    return rc;
}

static void
print_list(const char *key, const struct pexcz_strings *list)
{
    for (size_t i = 0; i < list->count; i++) {
        (void)printf("%s %s\n", key, list->items[i]);
    }
}

static void
print_boot(const struct pexcz_plan *plan)
{
    const struct pexcz_plan_boot *boot = &plan->boot;
    static const char *const kinds[] = {"none", "module", "call", "script"};

    (void)printf("kind %s\n", kinds[boot->kind]);
    (void)printf("module %s\n", boot->module != NULL ? boot->module : "");
    (void)printf("attr %s\n", boot->attr != NULL ? boot->attr : "");
    (void)printf("script %s\n", boot->script != NULL ? boot->script : "");
    print_list("search_path", &boot->search_path);
    print_list("startup_line", &boot->startup_lines);
    print_list("warning", &plan->warnings);
}

static int
write_tree(const struct pexcz_plan *plan, const char *directory,
           struct pexcz_error *err)
{
    struct pexcz_buf buf = {0};
    int dir = open(directory, O_RDONLY | O_DIRECTORY);
    int rc = PEXCZ_OK;

    if (dir < 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s", directory);
    }
    for (size_t i = 0; rc == PEXCZ_OK && i < plan->entry_count; i++) {
        rc = write_entry(dir, &plan->entries[i], &buf, err);
    }
    pexcz_buf_done(&buf);
    (void)close(dir);
    return rc;
}

int
main(int argc, char **argv)
{
    struct pexcz_pex pex = {0};
    struct pexcz_arena arena = {0};
    struct pexcz_plan_source source = {.pex = &pex};
    struct pexcz_plan plan = {0};
    struct pexcz_target target;
    struct pexcz_error err;
    int rc;

    if (argc != 5) {
        (void)fprintf(stderr,
                      "usage: %s PYTHON-VERSION MACHINE PEX DIRECTORY\n",
                      argv[0]);
        return 2;
    }
    rc = pexcz_target_init(&target, argv[1], argv[2], &err);
    if (rc == PEXCZ_OK) {
        rc = pexcz_pex_open(argv[3], &pex, &err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_resolve(&pex, &target, &arena, &source.resolved, &err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_plan_make(&source, 1, &target, &plan, &err);
    }
    if (rc == PEXCZ_OK) {
        print_boot(&plan);
        rc = write_tree(&plan, argv[4], &err);
    }
    pexcz_plan_done(&plan);
    pexcz_arena_done(&arena);
    pexcz_pex_close(&pex);
    if (rc < 0) {
        (void)fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    return 0;
}
