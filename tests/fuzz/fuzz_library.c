/* SPDX-License-Identifier: Apache-2.0 */
/* Shared objects of wheels: whatever they say of themselves, it is read
 * within their bytes, and its strings are strings. */
#include "elf_file.h"
#include "fuzz.h"
#include "library.h"

#include <string.h>

static volatile size_t used;

static void
use(const char *text)
{
    used += text != NULL ? strlen(text) : 0;
}

static void
read_tables(struct pexcz_slice content)
{
    struct pexcz_elf elf;
    struct pexcz_error err;

    if (pexcz_elf_open(&elf, content, "fuzz", &err) < 0) {
        return;
    }
    for (size_t i = 0; i < elf.section_count; i++) {
        use(pexcz_elf_section_name(&elf, i));
    }
    used += pexcz_elf_find_section(&elf, ".text") != NULL;
    pexcz_elf_close(&elf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pexcz_slice content = pexcz_slice_make(data, size);
    struct pexcz_library_info info = {0};
    struct pexcz_error err;

    read_tables(content);
    used += pexcz_is_library(content, "fuzz.so", EM_X86_64);
    if (pexcz_library_read(content, &info, &err) == 0) {
        use(info.soname);
        use(info.rpath);
        use(info.runpath);
        for (size_t i = 0; i < info.needed.count; i++) {
            use(info.needed.items[i]);
        }
        for (size_t i = 0; i < PEXCZ_FAMILY_COUNT; i++) {
            use(info.highest[i]);
            used += pexcz_version_is_lower(info.highest[i], "2.17");
        }
    }
    pexcz_library_done(&info);
    return 0;
}
