/* SPDX-License-Identifier: Apache-2.0 */
#include "base_python.h"

#include "elf_file.h"
#include "find_base.h"

#include <stdio.h>

bool
pexcz_base_is_own(const struct pexcz_base_facts *facts)
{
    return strcmp(facts->machine,
                  pexcz_elf_machine_name(pexcz_elf_own_machine()))
           == 0;
}

int
pexcz_base_python_open(struct pexcz_compiler *compiler, const char *base,
                       const struct pexcz_base_facts *facts,
                       unsigned int max_workers, struct pexcz_error *err)
{
    struct pexcz_buf path = {0};
    char version[32];
    int rc;

    if (pexcz_base_is_own(facts)) {
        return pexcz_compiler_open(compiler, base, max_workers, err);
    }
    (void)snprintf(version, sizeof(version), "%d.%d", facts->python_major,
                   facts->python_minor);
    rc = pexcz_find_base(version, NULL, NULL, &path, err);
    if (rc < 0) {
        pexcz_wrap(err, "bytecode for %s is compiled by this machine's base",
                   facts->machine);
        return rc;
    }
    rc = pexcz_compiler_open(compiler, (const char *)path.ptr, max_workers,
                             err);
    if (rc == PEXCZ_OK && compiler->python.magic != facts->python_magic) {
        rc = pexcz_fail(err, PEXCZ_E_UNSUPPORTED, 0,
                        "%s: compiles bytecode that %s cannot run",
                        (const char *)path.ptr, base);
        pexcz_compiler_close(compiler);
    }
    pexcz_buf_done(&path);
    return rc;
}
