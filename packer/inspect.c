/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect.h"

#include <stdio.h>

const char *
pexcz_entry_kind_name(enum pexcz_entry_kind kind)
{
    static const char *const names[] = {
        [PEXCZ_KIND_DIR] = "directory",
        [PEXCZ_KIND_FILE] = "file",
        [PEXCZ_KIND_SYMLINK] = "link",
        [PEXCZ_KIND_SELF] = "self",
    };

    return names[kind];
}

const char *
pexcz_module_kind_name(const struct pexcz_module *module)
{
    static const char *const names[] = {
        [PEXCZ_MODULE_SOURCE] = "module",
        [PEXCZ_MODULE_EXTENSION] = "extension",
        [PEXCZ_MODULE_BYTECODE] = "bytecode",
    };

    return module->package ? "package" : names[module->kind];
}

const char *
pexcz_storage_name(enum pexcz_storage storage)
{
    static const char *const names[] = {
        [PEXCZ_STORAGE_RAW] = "raw",
        [PEXCZ_STORAGE_ZSTD] = "zstd",
        [PEXCZ_STORAGE_ZSTD_DICT] = "dict",
    };

    return names[storage];
}

const char *
pexcz_boot_key_name(uint32_t key)
{
    static const char *const names[] = {
        [PEXCZ_BOOT_NAME] = "name",
        [PEXCZ_BOOT_ENTRY_MODULE] = "entry_module",
        [PEXCZ_BOOT_ENTRY_ATTR] = "entry_attr",
        [PEXCZ_BOOT_ENTRY_SCRIPT] = "entry_script",
        [PEXCZ_BOOT_SEARCH_PATH] = "search_path",
        [PEXCZ_BOOT_STARTUP_LINE] = "startup_line",
        [PEXCZ_BOOT_INJECT_ARG] = "inject_arg",
        [PEXCZ_BOOT_INJECT_ENV] = "inject_env",
        [PEXCZ_BOOT_PYTHON_OPTION] = "python_option",
        [PEXCZ_BOOT_STRIP_PEX_ENV] = "strip_pex_env",
        [PEXCZ_BOOT_BIND_RESOURCE] = "bind_resource",
        [PEXCZ_BOOT_INHERIT_PATH] = "inherit_path",
        [PEXCZ_BOOT_PEX_INFO] = "pex_info",
        [PEXCZ_BOOT_OPTION] = "option",
        [PEXCZ_BOOT_SCRIPT_NAME] = "script_name",
        [PEXCZ_BOOT_BIN_PATH] = "bin_path",
        [PEXCZ_BOOT_COMMAND] = "command",
        [PEXCZ_BOOT_FILES] = "files",
    };

    return key < sizeof(names) / sizeof(names[0]) ? names[key] : NULL;
}

int
pexcz_inspect(const struct pexcz_file_options *options,
              struct pexcz_error *err)
{
    struct pexcz_packed_file file;
    struct pexcz_inspection inspection;
    int rc = pexcz_packed_file_open(&file, options->file, err);

    if (rc < 0) {
        return rc;
    }
    rc = pexcz_inspection_read(&file, options->all || options->snapshot,
                               &inspection, err);
    if (rc == PEXCZ_OK && options->snapshot) {
        rc = pexcz_inspect_print_snapshot(&inspection, options->json, err);
    }
    else if (rc == PEXCZ_OK && options->json) {
        rc = pexcz_inspect_print_json(&inspection, err);
    }
    else if (rc == PEXCZ_OK) {
        pexcz_inspect_print_text(&inspection);
    }
    pexcz_inspection_done(&inspection);
    pexcz_packed_file_close(&file);
    return rc;
}
