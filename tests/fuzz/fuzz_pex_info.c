/* SPDX-License-Identifier: Apache-2.0 */
/* PEX-INFO: no bytes crash the parser; what it accepts has no NULL where a
 * string must be. */
#include "fuzz.h"
#include "pex_info.h"

static void
check_strings(const struct pexcz_strings *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i] == NULL) {
            __builtin_trap();
        }
    }
}

static void
check_pairs(const struct pexcz_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (pairs->items[i].name == NULL || pairs->items[i].value == NULL) {
            __builtin_trap();
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pexcz_arena arena = {0};
    struct pexcz_pex_info info;
    struct pexcz_error err;

    if (pexcz_pex_info_parse(pexcz_slice_make(data, size), "fuzz", &arena,
                             &info, &err)
        == 0) {
        check_pairs(&info.distributions);
        check_pairs(&info.inject_env);
        check_pairs(&info.bind_resource_paths);
        check_strings(&info.requirements);
        check_strings(&info.excluded);
        check_strings(&info.overridden);
        check_strings(&info.interpreter_constraints);
        check_strings(&info.inject_python_args);
        check_strings(&info.inject_args);
        check_strings(&info.pex_path);
    }
    pexcz_arena_done(&arena);
    return 0;
}
