/* SPDX-License-Identifier: Apache-2.0 */
#include "boot_settings.h"

#include <string.h>

struct settings {
    struct pexcz_blob_writer *writer;
    struct pexcz_error *err;
    int rc; /* of the first failure; later calls do nothing */
};

static void
put(struct settings *s, enum pexcz_boot_key key, struct pexcz_slice value)
{
    if (s->rc == PEXCZ_OK) {
        s->rc = pexcz_blob_writer_boot(s->writer, key, value, s->err);
    }
}

static void
put_text(struct settings *s, enum pexcz_boot_key key, const char *value)
{
    if (value != NULL) {
        put(s, key, pexcz_slice_str(value));
    }
}

static void
put_list(struct settings *s, enum pexcz_boot_key key,
         const struct pexcz_strings *list)
{
    for (size_t i = 0; i < list->count; i++) {
        put_text(s, key, list->items[i]);
    }
}

static void
put_entry_point(struct settings *s, const struct pexcz_plan_boot *boot)
{
    switch (boot->kind) {
    case PEXCZ_ENTRY_MODULE:
        put_text(s, PEXCZ_BOOT_ENTRY_MODULE, boot->module);
        break;
    case PEXCZ_ENTRY_CALL:
        put_text(s, PEXCZ_BOOT_ENTRY_MODULE, boot->module);
        put_text(s, PEXCZ_BOOT_ENTRY_ATTR, boot->attr);
        break;
    case PEXCZ_ENTRY_SCRIPT:
        put_text(s, PEXCZ_BOOT_ENTRY_SCRIPT, boot->script);
        break;
    case PEXCZ_ENTRY_NONE:
        break;
    }
}

int
pexcz_boot_settings_write(const struct pexcz_plan *plan, const char *name,
                          const struct pexcz_strings *options,
                          struct pexcz_blob_writer *writer,
                          struct pexcz_error *err)
{
    const struct pexcz_plan_boot *boot = &plan->boot;
    struct settings s = {.writer = writer, .err = err};

    put_text(&s, PEXCZ_BOOT_NAME, name);
    put_entry_point(&s, boot);
    put_list(&s, PEXCZ_BOOT_SEARCH_PATH, &boot->search_path);
    put_list(&s, PEXCZ_BOOT_STARTUP_LINE, &boot->startup_lines);
    put_list(&s, PEXCZ_BOOT_INJECT_ARG, &boot->inject_args);
    put_list(&s, PEXCZ_BOOT_INJECT_ENV, &boot->inject_env);
    put_list(&s, PEXCZ_BOOT_PYTHON_OPTION, &boot->inject_python_args);
    put_list(&s, PEXCZ_BOOT_BIND_RESOURCE, &boot->bind_resource_paths);
    put_text(&s, PEXCZ_BOOT_STRIP_PEX_ENV, boot->strip_pex_env ? "1" : NULL);
    put_text(&s, PEXCZ_BOOT_INHERIT_PATH, boot->inherit_path);
    put_text(&s, PEXCZ_BOOT_BIN_PATH, boot->bin_path);
    put_list(&s, PEXCZ_BOOT_COMMAND, &boot->commands);
    put_list(&s, PEXCZ_BOOT_FILES, &boot->files);
    put_list(&s, PEXCZ_BOOT_OPTION, options);
    put(&s, PEXCZ_BOOT_PEX_INFO, plan->pex_info);
    return s.rc;
}
