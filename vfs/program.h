/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel is to execute in place of a path that it cannot see.
 *
 *   real program       itself.  While the working directory lies in the tree
 *                      only the executable itself may be started (EACCES):
 *                      any other would find itself in "/"
 *   SELF entry         the executable, spelled with two leading slashes, by
 *                      which it knows that it is to be an interpreter
 *   packed program     its memfd; a real file in the cache where that does
 *                      not do, see use_placed()
 *   packed script      its interpreter; the executable gets the script's path
 *                      in the tree, any other the inherited memfd
 *
 * The executable is told the working directory in the environment.
 */
#ifndef PEXCZ_PROGRAM_H
#define PEXCZ_PROGRAM_H

#include "arg_vector.h"
#include "cwd.h"
#include "exe_layout.h"

#include <limits.h>
#include <sys/types.h>

/* Bytes of a script's first line that count, as in the kernel. */
#define PEXCZ_SCRIPT_LINE 256u

struct pexcz_program {
    const char *file; /* for execve() */
    char *const *argv;
    char *const *envp;

    /* private */
    int program_fd; /* -1: none */
    int script_fd;
    struct pexcz_args args; /* when argv is not the caller's */
    struct pexcz_args env;
    char line[PEXCZ_SCRIPT_LINE + 1];
    char script[PATH_MAX];
    char path[PATH_MAX + 1];
    char cwd[sizeof(PEXCZ_CWD_VARIABLE) + PATH_MAX];
};

/* Whether the program at `path` is the executable that runs. */
bool pexcz_program_is_self(const char *path);

/*
 * Fills *ret for execve(path, argv, envp); 0 or an errno.  Descriptors are
 * named as those of process `owner`, whose child may be the one to execute.
 * On success the caller calls pexcz_program_done() after a failed exec or a
 * finished spawn.  errno is left alone.
 */
int pexcz_program_prepare(struct pexcz_program *ret, const char *path,
                          char *const *argv, char *const *envp, pid_t owner);
void pexcz_program_done(struct pexcz_program *program);

#endif
