/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What site.addsitedir() of CPython would do with the .pth files of
 * site-packages, done when packing.
 */
#include "plan_builder.h"

#define PTH_MAX_SIZE (UINT64_C(16) << 20)

/* "NAME.pth" directly in site-packages, not hidden. */
static const char *
pth_name(const struct pexcz_plan *plan, const struct pexcz_plan_entry *e)
{
    size_t dir = strlen(plan->site_packages);
    const char *name = e->path + dir + 1;
    size_t len;

    if (e->kind != PEXCZ_KIND_FILE
        || strncmp(e->path, plan->site_packages, dir) != 0
        || e->path[dir] != '/' || strchr(name, '/') != NULL
        || name[0] == '.') {
        return NULL;
    }
    len = strlen(name);
    return len >= 4 && strcmp(name + len - 4, ".pth") == 0 ? name : NULL;
}

static bool
is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/*
 * `path`, relative to site-packages, as a path under the root with ".." and
 * "." resolved; NULL (and no error) when it leads out of the tree.
 */
static int
resolve_path(const struct pexcz_plan_builder *b, struct pexcz_slice path,
             const char **ret)
{
    struct pexcz_plan *plan = b->plan;
    size_t base = strlen(plan->site_packages);
    char *out
        = pexcz_arena_alloc(&plan->arena, base + path.len + 2, 1, b->err);
    size_t n = base;

    *ret = NULL;
    if (out == NULL) {
        return PEXCZ_E_NOMEM;
    }
    memcpy(out, plan->site_packages, base);
    for (size_t i = 0; i < path.len;) {
        const uint8_t *part = path.ptr + i;
        const uint8_t *slash = memchr(part, '/', path.len - i);
        size_t len = slash == NULL ? path.len - i : (size_t)(slash - part);

        i += len + 1;
        if (len == 0 || (len == 1 && part[0] == '.')) {
            continue;
        }
        if (len == 2 && memcmp(part, "..", 2) == 0) {
            while (n > 0 && out[n - 1] != '/') {
                n--;
            }
            n -= n > 0 ? 1 : 0;
            continue;
        }
        if (n != 0) {
            out[n++] = '/';
        }
        memcpy(out + n, part, len);
        n += len;
    }
    out[n] = '\0';
    if (n != 0) {
        *ret = out;
    }
    return PEXCZ_OK;
}

static int
add_path_line(struct pexcz_plan_builder *b, struct pexcz_slice line,
              const char *name)
{
    struct pexcz_plan *plan = b->plan;
    const char *path;
    int rc;

    if (line.ptr[0] == '/') {
        return pexcz_builder_warn(b,
                                  "%s: the line %.*s names a directory "
                                  "outside the PEX: left out",
                                  name, (int)(line.len > 200 ? 200 : line.len),
                                  (const char *)line.ptr);
    }
    rc = resolve_path(b, line, &path);
    if (rc < 0 || path == NULL || pexcz_plan_find(plan, path) == NULL
        || pexcz_strings_contain(&plan->boot.search_path, path)) {
        return rc; /* site skips what does not exist, without a word */
    }
    return pexcz_strings_add(&plan->boot.search_path, &plan->arena,
                             pexcz_slice_str(path), b->err);
}

static int
read_line(struct pexcz_plan_builder *b, struct pexcz_slice line,
          const char *name)
{
    while (line.len != 0 && is_space(line.ptr[line.len - 1])) {
        line.len--;
    }
    if (line.len == 0 || line.ptr[0] == '#') {
        return PEXCZ_OK;
    }
    if (memchr(line.ptr, 0, line.len) != NULL) {
        return pexcz_builder_warn(b, "%s: a line with a NUL byte is left out",
                                  name);
    }
    if (line.len > 7
        && (memcmp(line.ptr, "import ", 7) == 0
            || memcmp(line.ptr, "import\t", 7) == 0)) {
        return pexcz_strings_add(&b->plan->boot.startup_lines, &b->plan->arena,
                                 line, b->err);
    }
    return add_path_line(b, line, name);
}

static int
read_pth(struct pexcz_plan_builder *b, const struct pexcz_plan_entry *e,
         const char *name)
{
    struct pexcz_buf buf = {0};
    struct pexcz_slice text;
    int rc;

    if (pexcz_content_size(&e->content) > PTH_MAX_SIZE) {
        return pexcz_fail(b->err, PEXCZ_E_TOO_BIG, 0,
                          "%s: %s: more than %llu bytes", b->pex_name, name,
                          (unsigned long long)PTH_MAX_SIZE);
    }
    rc = pexcz_content_read(&e->content, &buf, &text, b->err);
    if (rc == PEXCZ_OK && text.len >= 3
        && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0) {
        text = pexcz_slice_make(text.ptr + 3, text.len - 3);
    }
    while (rc == PEXCZ_OK && text.len != 0) {
        size_t n = 0;

        while (n < text.len && text.ptr[n] != '\n' && text.ptr[n] != '\r') {
            n++;
        }
        rc = read_line(b, pexcz_slice_make(text.ptr, n), name);
        n += n < text.len ? 1 : 0;
        text = pexcz_slice_make(text.ptr + n, text.len - n);
    }
    pexcz_buf_done(&buf);
    return rc;
}

int
pexcz_pth_read(struct pexcz_plan_builder *b)
{
    struct pexcz_plan *plan = b->plan;
    int rc = pexcz_strings_add(&plan->boot.search_path, &plan->arena,
                               pexcz_slice_str(plan->site_packages), b->err);

    for (size_t i = 0; rc == PEXCZ_OK && i < plan->entry_count; i++) {
        const char *name = pth_name(plan, &plan->entries[i]);

        if (name != NULL) {
            rc = read_pth(b, &plan->entries[i], name);
        }
    }
    return rc;
}
