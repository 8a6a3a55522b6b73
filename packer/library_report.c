/* SPDX-License-Identifier: Apache-2.0 */
#include "library_report.h"

#include "buf.h"

/* PEP 600's policies list these as present on every machine of the kind, so
 * that wheels do not carry them. */
static const char *const policy[] = {
    "ld-linux-aarch64.so.1",
    "ld-linux-x86-64.so.2",
    "libGL.so.1",
    "libICE.so.6",
    "libSM.so.6",
    "libX11.so.6",
    "libXext.so.6",
    "libXrender.so.1",
    "libc.so.6",
    "libdl.so.2",
    "libexpat.so.1",
    "libgcc_s.so.1",
    "libglib-2.0.so.0",
    "libgobject-2.0.so.0",
    "libgthread-2.0.so.0",
    "libm.so.6",
    "libmvec.so.1",
    "libnsl.so.1",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libstdc++.so.6",
    "libutil.so.1",
    "libz.so.1",
};

static bool
contains(const char *const *list, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i], text) == 0) {
            return true;
        }
    }
    return false;
}

bool
pexcz_library_is_everywhere(const char *name)
{
    return contains(policy, sizeof(policy) / sizeof(policy[0]), name);
}

static int
check_hazards(const char *path, const struct pexcz_library_info *info,
              const char *const *allowed, size_t allowed_count,
              struct pexcz_error *err)
{
    const char *name = basename(path);

    if ((!info->executable_stack && !info->text_relocations)
        || contains(allowed, allowed_count, name)) {
        return PEXCZ_OK;
    }
    return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                      "%s: needs %s: hardened systems refuse to load it; "
                      "--allow-library %s packs it all the same",
                      path,
                      info->executable_stack ? "an executable stack"
                                             : "text relocations",
                      name);
}

/* "PATH: GLIBC 2.17, GLIBCXX 3.4.21" */
static int
add_line(const char *path, const struct pexcz_library_info *info,
         struct pexcz_arena *arena, struct pexcz_strings *lines,
         struct pexcz_error *err)
{
    struct pexcz_buf text = {0};
    const char *separator = ": ";
    int rc = pexcz_buf_append_str(&text, path, err);

    for (size_t i = 0; i < PEXCZ_FAMILY_COUNT && rc == PEXCZ_OK; i++) {
        if (info->highest[i] != NULL) {
            rc = pexcz_buf_printf(
                &text, err, "%s%s %s", separator,
                pexcz_version_family_name((enum pexcz_version_family)i),
                info->highest[i]);
            separator = ", ";
        }
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_strings_add(lines, arena, pexcz_buf_slice(&text), err);
    }
    pexcz_buf_done(&text);
    return rc;
}

static int
add_warnings(const struct pexcz_plan *plan,
             const struct pexcz_library_plan *libraries,
             struct pexcz_arena *arena, struct pexcz_library_report *ret,
             struct pexcz_error *err)
{
    for (size_t i = 0; i < libraries->external_count; i++) {
        const struct pexcz_library_external *e = &libraries->externals[i];
        const char *text;
        int rc;

        if (pexcz_library_is_everywhere(e->name)) {
            continue;
        }
        text = pexcz_arena_printf(arena, err,
                                  "%s needs %s, which is not packed and not "
                                  "on every machine",
                                  plan->entries[e->entry].path, e->name);
        if (text == NULL) {
            return PEXCZ_E_NOMEM;
        }
        rc = pexcz_strings_add(&ret->warnings, arena, pexcz_slice_str(text),
                               err);
        if (rc < 0) {
            return rc;
        }
    }
    return PEXCZ_OK;
}

int
pexcz_library_report_make(const struct pexcz_plan *plan,
                          struct pexcz_library_info *const *infos,
                          const struct pexcz_library_plan *libraries,
                          const char *const *allowed, size_t allowed_count,
                          struct pexcz_arena *arena,
                          struct pexcz_library_report *ret,
                          struct pexcz_error *err)
{
    for (size_t i = 0; i < plan->entry_count; i++) {
        const struct pexcz_library_info *info = infos[i];
        int rc;

        if (info == NULL) {
            continue;
        }
        rc = check_hazards(plan->entries[i].path, info, allowed, allowed_count,
                           err);
        if (rc == PEXCZ_OK) {
            rc = add_line(plan->entries[i].path, info, arena, &ret->lines,
                          err);
        }
        if (rc < 0) {
            return rc;
        }
        for (size_t k = 0; k < PEXCZ_FAMILY_COUNT; k++) {
            if (pexcz_version_is_lower(ret->highest[k], info->highest[k])) {
                ret->highest[k] = info->highest[k];
            }
        }
    }
    return add_warnings(plan, libraries, arena, ret, err);
}
