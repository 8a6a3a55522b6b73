/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For what is built without heap snapshots, the embedding library and bases
 * for other machines than x86_64: every process boots ordinarily, and ld.so
 * loads all shared objects.
 */
#include "library_direct.h"
#include "snapshot.h"
#include "snapshot_header.h"
#include "snapshot_rehearsal.h"
#include "snapshot_role.h"

#include <stdio.h>
#include <unistd.h>

bool
pexcz_snapshot_is_whole(struct pexcz_slice snapshot)
{
    (void)snapshot;
    return true; /* nobody will read it */
}

int
pexcz_snapshot_restore(const struct pexcz_located *located,
                       const struct pexcz_python_options *options,
                       const char *argv0)
{
    (void)located;
    (void)options;
    (void)argv0;
    return 0;
}

bool
pexcz_is_snapshot_role(const struct pexcz_located *located, int argc,
                       char *const *argv)
{
    (void)located;
    return argc > 0 && strcmp(argv[0], PEXCZ_SNAPSHOT_PROGRAM) == 0;
}

_Noreturn void
pexcz_snapshot_role(const struct pexcz_located *located, int argc, char **argv)
{
    (void)located;
    (void)argc;
    (void)argv;
    (void)dprintf(STDERR_FILENO, "heap snapshots cannot be made\n");
    _exit(1);
}

bool
pexcz_rehearsal_begin(struct pexcz_located *located, int *argc, char ***argv)
{
    (void)located;
    (void)argc;
    (void)argv;
    return false;
}

void
pexcz_rehearsal_note_lookups(void)
{
}

void
pexcz_rehearsal_end(void)
{
}

bool
pexcz_rehearsal_has_script(void)
{
    return false;
}

int
pexcz_rehearsal_run_script(void)
{
    return 0;
}

void *
pexcz_library_handle(const char *inner, int mode)
{
    (void)inner;
    (void)mode;
    return NULL;
}

bool
pexcz_libraries_are_noticeable(void)
{
    return false;
}

bool
pexcz_libraries_print(const void *address)
{
    (void)address;
    return false;
}
