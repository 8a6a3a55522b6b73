/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_builder.h"

#include "near_name.h"
#include "utf8.h"

#include <stdlib.h>

static int
compare_path(const void *key, const void *entry)
{
    const struct pexcz_plan_entry *e = entry;

    return strcmp(key, e->path);
}

const struct pexcz_plan_entry *
pexcz_plan_find(const struct pexcz_plan *plan, const char *path)
{
    if (plan->entry_count == 0) {
        return NULL;
    }
    return bsearch(path, plan->entries, plan->entry_count,
                   sizeof(*plan->entries), compare_path);
}

void
pexcz_plan_done(struct pexcz_plan *plan)
{
    pexcz_arena_done(&plan->arena);
    *plan = (struct pexcz_plan){0};
}

/* User code goes into site-packages, and first: it wins. */
static int
add_user_code(struct pexcz_plan_builder *b, const struct pexcz_pex *pex)
{
    for (size_t i = 0; i < pex->user.count; i++) {
        const struct pexcz_file *f = &pex->user.items[i];
        char *path = pexcz_arena_printf(&b->plan->arena, b->err, "%s/%s",
                                        b->plan->site_packages, f->path);
        int rc;

        if (path == NULL) {
            return PEXCZ_E_NOMEM;
        }
        rc = f->is_dir ? pexcz_builder_add_dir(b, path, f->mtime, NULL)
                       : pexcz_builder_add_file(b, path, &f->content,
                                                f->executable, f->mtime, NULL);
        if (rc < 0) {
            return rc;
        }
    }
    return PEXCZ_OK;
}

static int
add_distributions(struct pexcz_plan_builder *b,
                  const struct pexcz_resolved *resolved)
{
    int rc = PEXCZ_OK;

    for (size_t i = 0; rc == PEXCZ_OK && i < resolved->count; i++) {
        rc = pexcz_wheel_install(b, resolved->dists[i]);
    }
    for (size_t i = 0; rc == PEXCZ_OK && i < resolved->unresolved.count; i++) {
        rc = pexcz_builder_warn(b, "requirement %s is not satisfied",
                                resolved->unresolved.items[i]);
    }
    return rc;
}

static int
copy_pairs(struct pexcz_plan_builder *b, const struct pexcz_pairs *pairs,
           const char *field, struct pexcz_strings *ret)
{
    for (size_t i = 0; i < pairs->count; i++) {
        const struct pexcz_pair *p = &pairs->items[i];
        char *text;
        int rc;

        if (p->name[0] == '\0' || strchr(p->name, '=') != NULL) {
            char shown[100];

            pexcz_utf8_escape(pexcz_slice_str(p->name), shown, sizeof(shown));
            return pexcz_fail(b->err, PEXCZ_E_CORRUPT, 0,
                              "%s: PEX-INFO: %s: '%s' cannot be the name of "
                              "an environment variable",
                              b->pex_name, field, shown);
        }
        text = pexcz_arena_printf(&b->plan->arena, b->err, "%s=%s", p->name,
                                  p->value);
        rc = text == NULL ? PEXCZ_E_NOMEM
                          : pexcz_strings_add(ret, &b->plan->arena,
                                              pexcz_slice_str(text), b->err);
        if (rc < 0) {
            return rc;
        }
    }
    return PEXCZ_OK;
}

static int
copy_strings(struct pexcz_plan_builder *b, const struct pexcz_strings *list,
             struct pexcz_strings *ret)
{
    for (size_t i = 0; i < list->count; i++) {
        int rc = pexcz_strings_add(ret, &b->plan->arena,
                                   pexcz_slice_str(list->items[i]), b->err);

        if (rc < 0) {
            return rc;
        }
    }
    return PEXCZ_OK;
}

/* The script with the name most alike, or NULL. */
static const char *
near_script(const struct pexcz_plan *plan, const char *name)
{
    const char *near = NULL;
    size_t least = SIZE_MAX;

    for (size_t i = 0; i < plan->entry_count; i++) {
        const char *path = plan->entries[i].path;
        size_t distance;

        if (strncmp(path, "bin/", 4) != 0) {
            continue;
        }
        distance = pexcz_name_distance(name, path + 4);
        if (distance < least) {
            least = distance;
            near = path + 4;
        }
    }
    return near;
}

static int
plan_script(struct pexcz_plan_builder *b, const char *name)
{
    struct pexcz_plan_boot *boot = &b->plan->boot;
    const struct pexcz_plan_entry *e;
    char shown[200];

    boot->script = pexcz_arena_printf(&b->plan->arena, b->err, "bin/%s", name);
    if (boot->script == NULL) {
        return PEXCZ_E_NOMEM;
    }
    e = pexcz_plan_find(b->plan, boot->script);
    if (e == NULL || e->kind != PEXCZ_KIND_FILE) {
        const char *near = near_script(b->plan, name);

        pexcz_utf8_escape(pexcz_slice_str(name), shown, sizeof(shown));
        return pexcz_fail(b->err, PEXCZ_E_NOT_FOUND, 0,
                          "%s: could not find script '%s' in it%s%s%s",
                          b->pex_name, shown,
                          near != NULL ? "; did you mean '" : "",
                          near != NULL ? near : "", near != NULL ? "'?" : "");
    }
    boot->kind = PEXCZ_ENTRY_SCRIPT;
    return PEXCZ_OK;
}

static int
plan_entry_point(struct pexcz_plan_builder *b,
                 const struct pexcz_pex_info *info)
{
    struct pexcz_plan_boot *boot = &b->plan->boot;
    bool has_entry = info->entry_point != NULL && info->entry_point[0] != '\0';
    bool has_script = info->script != NULL && info->script[0] != '\0';
    char *where;
    int rc;

    if (has_entry && has_script) {
        return pexcz_fail(b->err, PEXCZ_E_CONFLICT, 0,
                          "%s: PEX-INFO: cannot specify both script and "
                          "entry_point",
                          b->pex_name);
    }
    if (has_script) {
        return plan_script(b, info->script);
    }
    if (!has_entry) {
        boot->kind = PEXCZ_ENTRY_NONE;
        return PEXCZ_OK;
    }
    where = pexcz_arena_printf(&b->plan->arena, b->err,
                               "%s: PEX-INFO: entry_point", b->pex_name);
    if (where == NULL) {
        return PEXCZ_E_NOMEM;
    }
    rc = pexcz_entry_point_parse(pexcz_slice_str(info->entry_point), where,
                                 &b->plan->arena, &boot->module, &boot->attr,
                                 b->err);
    boot->kind = boot->attr != NULL ? PEXCZ_ENTRY_CALL : PEXCZ_ENTRY_MODULE;
    return rc;
}

/* "NAME.py" or package NAME in site-packages. */
static bool
has_module(const struct pexcz_plan_builder *b, const char *name)
{
    size_t dir = strlen(b->plan->site_packages);
    size_t len = strlen(name);

    for (size_t i = 0; i < b->plan->entry_count; i++) {
        const char *path = b->plan->entries[i].path;
        const char *rest;

        if (strncmp(path, b->plan->site_packages, dir) != 0 || path[dir] != '/'
            || strncmp(path + dir + 1, name, len) != 0) {
            continue;
        }
        rest = path + dir + 1 + len;
        if (strcmp(rest, ".py") == 0 || strcmp(rest, ".pyc") == 0
            || strcmp(rest, "/__init__.py") == 0
            || strcmp(rest, "/__init__.pyc") == 0
            || (rest[0] == '.' && strchr(rest, '/') == NULL && strlen(rest) > 3
                && strcmp(rest + strlen(rest) - 3, ".so") == 0)) {
            return true;
        }
    }
    return false;
}

static int
plan_boot(struct pexcz_plan_builder *b, const struct pexcz_pex *pex)
{
    const struct pexcz_pex_info *info = &pex->info;
    struct pexcz_plan_boot *boot = &b->plan->boot;
    int rc = plan_entry_point(b, info);

    if (rc == PEXCZ_OK) {
        rc = pexcz_pth_read(b);
    }
    if (rc == PEXCZ_OK) {
        rc = copy_strings(b, &info->inject_args, &boot->inject_args);
    }
    if (rc == PEXCZ_OK) {
        rc = copy_strings(b, &info->inject_python_args,
                          &boot->inject_python_args);
    }
    if (rc == PEXCZ_OK) {
        rc = copy_strings(b, &pex->shebang.options, &boot->inject_python_args);
    }
    if (rc == PEXCZ_OK) {
        rc = copy_pairs(b, &info->inject_env, "inject_env", &boot->inject_env);
    }
    if (rc == PEXCZ_OK) {
        rc = copy_pairs(b, &info->bind_resource_paths, "bind_resource_paths",
                        &boot->bind_resource_paths);
    }
    boot->strip_pex_env = info->strip_pex_env;
    switch (info->inherit_path) {
    case PEXCZ_INHERIT_FALSE:
        if (info->venv && !info->venv_hermetic_scripts) {
            boot->inherit_path = "python";
        }
        break;
    case PEXCZ_INHERIT_FALLBACK:
        boot->inherit_path = "fallback";
        break;
    case PEXCZ_INHERIT_PREFER:
        boot->inherit_path = "prefer";
        break;
    }
    boot->bin_path = info->venv_bin_path == PEXCZ_BIN_PATH_PREPEND  ? "prepend"
                     : info->venv_bin_path == PEXCZ_BIN_PATH_APPEND ? "append"
                                                                    : NULL;
    boot->has_sitecustomize = has_module(b, "sitecustomize");
    boot->has_usercustomize = has_module(b, "usercustomize");
    return rc;
}

static int
make(struct pexcz_plan_builder *b, const struct pexcz_plan_source *sources,
     size_t count)
{
    struct pexcz_plan *plan = b->plan;
    int rc;

    plan->site_packages = pexcz_arena_printf(
        &plan->arena, b->err, "lib/python%d.%d/site-packages",
        b->target->major, b->target->minor);
    if (plan->site_packages == NULL) {
        return PEXCZ_E_NOMEM;
    }
    plan->pex_info = sources[0].pex->info_text;
    rc = pexcz_builder_add_dir(b, plan->site_packages, PEXCZ_DEFAULT_MTIME,
                               NULL);
    for (size_t i = 0; rc == PEXCZ_OK && i < count; i++) {
        rc = add_user_code(b, sources[i].pex);
    }
    for (size_t i = 0; rc == PEXCZ_OK && i < count; i++) {
        rc = add_distributions(b, &sources[i].resolved);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_builder_finish(b);
    }
    if (rc == PEXCZ_OK) {
        rc = plan_boot(b, sources[0].pex);
    }
    return rc;
}

static bool
has_command(const struct pexcz_plan *plan, const char *name)
{
    const struct pexcz_strings *commands = &plan->boot.commands;
    size_t len = strlen(name);

    for (size_t i = 0; i < commands->count; i++) {
        if (strncmp(commands->items[i], name, len) == 0
            && commands->items[i][len] == '=') {
            return true;
        }
    }
    return false;
}

static int
add_commands(struct pexcz_plan *plan, const struct pexcz_dist *dist,
             struct pexcz_error *err)
{
    int rc = PEXCZ_OK;

    for (size_t i = 0; rc == PEXCZ_OK && i < dist->metadata.script_count;
         i++) {
        const struct pexcz_script *s = &dist->metadata.scripts[i];
        char *text;

        if (has_command(plan, s->name)) {
            continue;
        }
        text = pexcz_arena_printf(&plan->arena, err, "%s=%s%s%s", s->name,
                                  s->module, s->attr != NULL ? ":" : "",
                                  s->attr != NULL ? s->attr : "");
        rc = text == NULL
                 ? PEXCZ_E_NOMEM
                 : pexcz_strings_add(&plan->boot.commands, &plan->arena,
                                     pexcz_slice_str(text), err);
    }
    return rc;
}

int
pexcz_plan_commands(struct pexcz_plan *plan,
                    const struct pexcz_plan_source *sources, size_t count,
                    struct pexcz_error *err)
{
    struct pexcz_plan_boot *boot = &plan->boot;
    int rc = PEXCZ_OK;

    for (size_t i = 0; i < count; i++) {
        const struct pexcz_resolved *r = &sources[i].resolved;

        for (size_t k = 0; rc == PEXCZ_OK && k < r->count; k++) {
            rc = add_commands(plan, r->dists[k], err);
        }
    }
    if (rc == PEXCZ_OK && boot->commands.count == 0) {
        return pexcz_fail(err, PEXCZ_E_NOT_FOUND, 0,
                          "%s: no distribution has a console script",
                          sources[0].pex->name);
    }
    boot->kind = PEXCZ_ENTRY_NONE;
    boot->module = NULL;
    boot->attr = NULL;
    boot->script = NULL;
    return rc;
}

int
pexcz_plan_make(const struct pexcz_plan_source *sources, size_t count,
                const struct pexcz_target *target, struct pexcz_plan *ret,
                struct pexcz_error *err)
{
    struct pexcz_plan plan = {0};
    struct pexcz_plan_builder b = {
        .plan = &plan,
        .target = target,
        .pex_name = sources[0].pex->name,
        .err = err,
    };
    int rc = make(&b, sources, count);

    pexcz_builder_done(&b);
    if (rc < 0) {
        pexcz_plan_done(&plan);
        return rc;
    }
    *ret = plan;
    return PEXCZ_OK;
}
