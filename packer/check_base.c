/* SPDX-License-Identifier: Apache-2.0 */
#include "check_base.h"

#include "exe_layout.h"
#include "exe_writer.h"
#include "packed_file.h"
#include "pexcz_version.h"
#include "utf8.h"

static int
unusable(const char *path, const char *what, struct pexcz_error *err)
{
    return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                      "%s: cannot be used as a base: %s", path, what);
}

/* The writer's and the reader's side of the format belong together. */
static int
check_version(const struct pexcz_blob *stdlib, const char *path,
              struct pexcz_error *err)
{
    static const char name[] = PEXCZ_BASE_OPTION;
    struct pexcz_slice value;
    char shown[40];

    if (!pexcz_blob_boot_get(stdlib, PEXCZ_BOOT_OPTION, &value)
        || value.len < sizeof(name)
        || memcmp(value.ptr, name, sizeof(name) - 1) != 0) {
        return unusable(path, "it does not say which pexcz made it", err);
    }
    value = pexcz_slice_make(value.ptr + sizeof(name) - 1,
                             value.len - (sizeof(name) - 1));
    if (!pexcz_slice_eq(value, pexcz_slice_str(PEXCZ_VERSION))) {
        pexcz_utf8_escape(value, shown, sizeof(shown));
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "%s: a base of pexcz %s; this is pexcz %s", path,
                          shown, PEXCZ_VERSION);
    }
    return PEXCZ_OK;
}

static int
check_machine(const struct pexcz_packed_file *file, const char *path,
              const char *machine, struct pexcz_error *err)
{
    uint16_t found = file->elf.header.e_machine;
    const char *name = pexcz_elf_machine_name(found);

    if (pexcz_elf_machine(name) == EM_NONE
        || (machine != NULL && strcmp(name, machine) != 0)) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                          "%s: a base for %s (machine %u), not for %s", path,
                          name, (unsigned int)found,
                          machine != NULL ? machine : "x86_64 or aarch64");
    }
    if (file->parts[PEXCZ_PART_STDLIB].blob.machine != found) {
        return pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                          "%s: code for %s with a standard library for %s",
                          path, name,
                          pexcz_elf_machine_name(
                              file->parts[PEXCZ_PART_STDLIB].blob.machine));
    }
    return PEXCZ_OK;
}

int
pexcz_check_base(const char *path, const char *machine,
                 struct pexcz_base_facts *ret, struct pexcz_error *err)
{
    const struct pexcz_blob *stdlib;
    struct pexcz_packed_file file;
    struct pexcz_exe exe = {0};
    int rc = pexcz_packed_file_open(&file, path, err);

    if (rc < 0) {
        return rc;
    }
    stdlib = &file.parts[PEXCZ_PART_STDLIB].blob;
    rc = check_machine(&file, path, machine, err);
    if (rc == PEXCZ_OK) {
        rc = pexcz_exe_open(&exe, file.bytes, path, PEXCZ_ADDR_APP,
                            PEXCZ_SECTION_APP, err);
    }
    if (rc == PEXCZ_OK) {
        rc = check_version(stdlib, path, err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_packed_file_verify(&file, err);
    }
    if (rc == PEXCZ_OK) {
        *ret = (struct pexcz_base_facts){
            .machine = pexcz_elf_machine_name(file.elf.header.e_machine),
            .python_major = stdlib->python_major,
            .python_minor = stdlib->python_minor,
            .python_magic = stdlib->python_magic,
        };
    }
    pexcz_exe_close(&exe);
    pexcz_packed_file_close(&file);
    return rc;
}
