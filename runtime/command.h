/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this process is to be, from the way it was started.
 */
#ifndef PEXCZ_COMMAND_H
#define PEXCZ_COMMAND_H

#include "blob_reader.h"
#include "pex_variables.h"

enum pexcz_role {
    /* A Python: there is no application, or the process was started under a
     * path that begins with "//" (as sys.executable does) or as python,
     * python3, python3.11. */
    PEXCZ_ROLE_PYTHON,
    /* The application's Python, as PEX_INTERPRETER asks for, or because the
     * PEX has no entry point. */
    PEXCZ_ROLE_PEX_PYTHON,
    PEXCZ_ROLE_APPLICATION,
};

/* Borrows from the process's argv and auxiliary vector. */
struct pexcz_command {
    enum pexcz_role role;
    const char *name;     /* the program's, as a script under `#!` sees it */
    char *const *options; /* of the interpreter, before the program */
    int option_count;
    char *const *args; /* behind the program */
    int arg_count;
    /* Of a program with several commands. */
    struct pexcz_slice entry; /* mod:attr of the one that was chosen */
    bool is_choice_needed;    /* none was */
};

/* Whether the environment may be trusted: false in a set-uid process. */
bool pexcz_trusts_environment(void);

/* The path given to execve(); argv[0] for the interpreter of a script, which
 * was executed in its stead, and after fexecve(). */
const char *pexcz_command_name(int argc, char *const *argv);

/*
 * `app`: NULL when there is none.  A Python that is told to run the
 * executable's own file, `[sys.executable, "-u", sys.argv[0], …]`, is the
 * application again, with these interpreter options.
 */
void pexcz_command_read(const struct pexcz_blob *app,
                        const struct pexcz_pex_variables *variables, int argc,
                        char *const *argv, struct pexcz_command *ret);

/* Writes the names of the commands to stderr, none of which was chosen. */
void pexcz_command_list(const struct pexcz_blob *app,
                        const struct pexcz_command *command);

/*
 * The arguments to configure Python with, for the roles of a PEX: program,
 * interpreter options of the PEX and the command, then for the application
 * "-", the arguments that the PEX injects (`inject`) and the user's.
 * *ret_program: the index behind the interpreter options.  NULL when memory is
 * gone.  Never freed.
 */
char **pexcz_command_argv(const struct pexcz_command *command,
                          const struct pexcz_blob *app, bool inject,
                          int *ret_argc, int *ret_program);

/*
 * What becomes sys.orig_argv: argv, or as a script with a `#!` line sees it,
 * `executable` and the path of the program in place of argv[0].  NULL when
 * memory is gone.  Never freed.
 */
char *const *pexcz_command_original(const struct pexcz_command *command,
                                    const char *executable, int argc,
                                    char *const *argv, int *ret_argc);

#endif
