/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which distributions the packer chooses of PEXes, for
 * tests/conformance/test_resolve_diff.py.
 *
 *   resolve_driver PYTHON-VERSION MACHINE < paths
 *
 * One line for each PEX: "ok" and the file names in order, or "error" and the
 * first line of the message.
 */
#include "resolve.h"

#include <stdio.h>

static void
answer(const char *path, const struct pexcz_target *target)
{
    struct pexcz_pex pex = {0};
    struct pexcz_arena arena = {0};
    struct pexcz_resolved resolved = {0};
    struct pexcz_error err;
    int rc = pexcz_pex_open(path, &pex, &err);

    if (rc == PEXCZ_OK) {
        rc = pexcz_resolve(&pex, target, &arena, &resolved, &err);
    }
    (void)printf("%s", rc == PEXCZ_OK ? "ok" : "error ");
    if (rc < 0) {
        (void)printf("%.*s", (int)strcspn(err.msg, "\n"), err.msg);
    }
    for (size_t i = 0; i < resolved.count; i++) {
        (void)printf(" %s", resolved.dists[i]->file_name);
    }
    (void)printf("\n");
    pexcz_arena_done(&arena);
    pexcz_pex_close(&pex);
}

int
main(int argc, char **argv)
{
    struct pexcz_target target;
    struct pexcz_error err;
    char line[4096];

    if (argc != 3 || pexcz_target_init(&target, argv[1], argv[2], &err) < 0) {
        (void)fprintf(stderr, "usage: %s PYTHON-VERSION MACHINE\n", argv[0]);
        return 2;
    }
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        answer(line, &target);
    }
    return 0;
}
