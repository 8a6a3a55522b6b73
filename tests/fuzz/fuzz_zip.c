/* SPDX-License-Identifier: Apache-2.0 */
/* The zip reader: no bytes make it crash, read outside its input or give out
 * a member that breaks what zip_reader.h promises. */
#include "fuzz.h"
#include "zip_reader.h"

#include <stdlib.h>

#define MAX_MEMBER_SIZE (UINT64_C(1) << 22)

static void
must(bool condition)
{
    if (!condition) {
        __builtin_trap();
    }
}

static void
check_name(const struct pexcz_zip_member *m)
{
    must(strlen(m->name) == m->name_len && m->name_len != 0
         && m->name_len <= PEXCZ_ZIP_MAX_NAME && m->name[0] != '/'
         && strchr(m->name, '\\') == NULL && strstr(m->name, "//") == NULL
         && strcmp(m->name, "..") != 0 && strncmp(m->name, "../", 3) != 0
         && strstr(m->name, "/../") == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pexcz_error err;
    struct pexcz_zip *zip;
    struct pexcz_buf scratch = {0};

    if (pexcz_zip_open_slice(pexcz_slice_make(data, size), "fuzz", &zip, &err)
        < 0) {
        return 0;
    }
    for (size_t i = 0; i < pexcz_zip_count(zip); i++) {
        const struct pexcz_zip_member *m = pexcz_zip_get(zip, i);
        struct pexcz_slice packed = pexcz_zip_packed(zip, m);
        struct pexcz_slice content;

        check_name(m);
        must(i == 0 || strcmp(pexcz_zip_get(zip, i - 1)->name, m->name) < 0);
        must(pexcz_zip_find(zip, m->name) == m);
        must(m->packed_size <= size && packed.ptr >= data
             && packed.ptr + packed.len <= data + size);
        if (m->is_dir || m->size > MAX_MEMBER_SIZE) {
            continue;
        }
        scratch.len = 0;
        if (pexcz_zip_read(zip, m, &scratch, &content, &err) == 0) {
            must(content.len == m->size);
        }
    }
    pexcz_buf_done(&scratch);
    pexcz_zip_close(zip);
    return 0;
}
