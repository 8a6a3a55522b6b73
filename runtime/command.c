/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include "app_environment.h"
#include "buf.h"
#include "exe_layout.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>

/* "python", "python3", "python3.11". */
static bool
is_python_name(const char *name)
{
    if (strncmp(name, "python", 6) != 0) {
        return false;
    }
    name += 6;
    while (isdigit((unsigned char)*name) || *name == '.') {
        name++;
    }
    return *name == '\0';
}

static bool
is_own_file(const char *path)
{
    struct stat own;
    struct stat other;

    return stat("/proc/self/exe", &own) == 0 && stat(path, &other) == 0
           && own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

bool
pexcz_trusts_environment(void)
{
    return getauxval(AT_SECURE) == 0;
}

/* Whether `path`, the file that was executed, is a script with this program in
 * its first line: the kernel repeats it as the first or second argument. */
static bool
is_script(const char *path, int argc, char *const *argv)
{
    for (int i = 1; i < argc && i <= 2; i++) {
        if (strcmp(argv[i], path) == 0) {
            return !is_own_file(path);
        }
    }
    return false;
}

const char *
pexcz_command_name(int argc, char *const *argv)
{
    const char *path = (const char *)getauxval(AT_EXECFN);

    if (path == NULL || path[0] == '\0' || strncmp(path, "/dev/fd/", 8) == 0
        || strncmp(path, "/proc/self/fd/", 14) == 0
        || is_script(path, argc, argv)) {
        return argc > 0 ? argv[0] : "";
    }
    return path;
}

/* How many arguments `arg`, a cluster of short options, takes with it: 1, 2
 * with a value in the next one, 0 when the command line has no script (-c,
 * -m). */
static int
option_width(const char *arg)
{
    for (const char *p = arg + 1; *p != '\0'; p++) {
        if (*p == 'c' || *p == 'm') {
            return 0;
        }
        if (*p == 'W' || *p == 'X') {
            return p[1] != '\0' ? 1 : 2;
        }
    }
    return 1;
}

/* Where in a Python command line the script is; argc when there is none. */
static int
script_index(int argc, char *const *argv)
{
    int i = 1;

    while (i < argc && argv[i][0] == '-' && argv[i][1] != '\0') {
        int width;

        if (strcmp(argv[i], "--") == 0) {
            return i + 1;
        }
        width = strcmp(argv[i], "--check-hash-based-pycs") == 0
                    ? 2
                    : option_width(argv[i]);
        if (width == 0) {
            return argc;
        }
        i += width;
    }
    return i < argc ? i : argc;
}

static bool
has_entry_point(const struct pexcz_blob *app)
{
    struct pexcz_slice value;

    return pexcz_blob_boot_get(app, PEXCZ_BOOT_ENTRY_MODULE, &value)
           || pexcz_blob_boot_get(app, PEXCZ_BOOT_ENTRY_SCRIPT, &value)
           || pexcz_blob_boot_get(app, PEXCZ_BOOT_COMMAND, &value);
}

static bool
is_interpreter_asked_for(const struct pexcz_blob *app,
                         const struct pexcz_pex_variables *variables)
{
    return !variables->tools
           && (variables->interpreter
               || (variables->module == NULL && variables->script == NULL
                   && !has_entry_point(app)));
}

/* The next "NAME=mod:attr" of a program with several commands. */
static bool
next_command(const struct pexcz_blob *app, uint32_t *cursor,
             struct pexcz_slice *ret_name, struct pexcz_slice *ret_entry)
{
    uint32_t key;
    struct pexcz_slice value;

    while (pexcz_blob_boot_next(app, cursor, &key, &value)) {
        const uint8_t *equals = key == PEXCZ_BOOT_COMMAND
                                    ? memchr(value.ptr, '=', value.len)
                                    : NULL;

        if (equals != NULL) {
            size_t n = (size_t)(equals - value.ptr);

            *ret_name = pexcz_slice_make(value.ptr, n);
            *ret_entry = pexcz_slice_make(equals + 1, value.len - n - 1);
            return true;
        }
    }
    return false;
}

static bool
find_command(const struct pexcz_blob *app, const char *name,
             struct pexcz_slice *ret)
{
    uint32_t cursor = 0;
    struct pexcz_slice found;

    while (next_command(app, &cursor, &found, ret)) {
        if (pexcz_slice_eq(found, pexcz_slice_str(name))) {
            return true;
        }
    }
    return false;
}

/* By the name of the program, else by its first argument, which then is the
 * program's name. */
static void
choose_command(const struct pexcz_blob *app, struct pexcz_command *command)
{
    uint32_t cursor = 0;
    struct pexcz_slice name;

    if (!next_command(app, &cursor, &name, &command->entry)
        || find_command(app, basename(command->name), &command->entry)) {
        return;
    }
    if (command->arg_count != 0
        && find_command(app, command->args[0], &command->entry)) {
        command->name = command->args[0];
        command->args++;
        command->arg_count--;
        return;
    }
    command->is_choice_needed = true;
}

void
pexcz_command_list(const struct pexcz_blob *app,
                   const struct pexcz_command *command)
{
    uint32_t cursor = 0;
    struct pexcz_slice name;
    struct pexcz_slice entry;

    (void)fprintf(stderr,
                  "pexcz: no command %.100s: start the program under the name "
                  "of one, or with it as the first argument:\n",
                  command->arg_count == 0 ? "given" : command->args[0]);
    while (next_command(app, &cursor, &name, &entry)) {
        (void)fprintf(stderr, "  %.*s\n", (int)name.len,
                      (const char *)name.ptr);
    }
}

/* Through sys.executable, a link with Python's name, or by Pex's code in
 * pex_run.py. */
static bool
is_start_of_python(const char *path, const char *argv0)
{
    if (pexcz_trusts_environment() && getenv("_PEXCZ_PYTHON") != NULL) {
        return true;
    }
    return strncmp(path, "//", 2) == 0 || strncmp(argv0, "//", 2) == 0
           || is_python_name(basename(argv0));
}

/*
 * Whether it is told to run a file of the tree.  Only this program sees that
 * file: it took itself for a Python, and lost the slashes of sys.executable,
 * as os.path.realpath() does.
 */
static bool
runs_file_of_tree(int argc, char *const *argv)
{
    static const char flags[] = "bBdEiIOPqsSuvx";
    struct stat st;
    int i = 1;

    while (i < argc && argv[i][0] == '-' && argv[i][1] != '\0'
           && argv[i][1 + strspn(argv[i] + 1, flags)] == '\0') {
        i++;
    }
    return i < argc
           && strncmp(argv[i], PEXCZ_PREFIX "/", sizeof(PEXCZ_PREFIX)) == 0
           && stat(argv[i], &st) == 0 && S_ISREG(st.st_mode);
}

/* Of a start that is the program's own. */
static void
choose_role(const struct pexcz_blob *app,
            const struct pexcz_pex_variables *variables,
            struct pexcz_command *command)
{
    if (is_interpreter_asked_for(app, variables)) {
        command->role = PEXCZ_ROLE_PEX_PYTHON;
        return;
    }
    command->role = PEXCZ_ROLE_APPLICATION;
    if (!variables->tools && variables->module == NULL
        && variables->script == NULL) {
        choose_command(app, command);
    }
}

void
pexcz_command_read(const struct pexcz_blob *app,
                   const struct pexcz_pex_variables *variables, int argc,
                   char *const *argv, struct pexcz_command *ret)
{
    const char *argv0 = argc > 0 ? argv[0] : "";
    int script;

    *ret = (struct pexcz_command){
        .role = PEXCZ_ROLE_PYTHON,
        .name = pexcz_command_name(argc, argv),
        .args = argc > 0 ? argv + 1 : argv,
        .arg_count = argc > 0 ? argc - 1 : 0,
    };
    if (app == NULL) {
        return;
    }
    if (!is_start_of_python(ret->name, argv0)
        && !runs_file_of_tree(argc, argv)) {
        choose_role(app, variables, ret);
        return;
    }
    script = script_index(argc, argv);
    if (script < argc && is_own_file(argv[script])) {
        ret->name = argv[script];
        ret->options = argv + 1;
        ret->option_count = script - 1 - (strcmp(argv[script - 1], "--") == 0);
        ret->args = argv + script + 1;
        ret->arg_count = argc - script - 1;
        choose_role(app, variables, ret);
    }
}

struct arguments {
    char **items;
    int count;
    bool failed; /* memory is gone */
};

static void
append_all(struct arguments *args, char *const *items, int count)
{
    for (int i = 0; i < count; i++) {
        args->items[args->count++] = items[i];
    }
}

/* Appends every value of `wanted`; `expand`: with its placeholders filled. */
static void
append_settings(struct arguments *args, const struct pexcz_blob *app,
                uint32_t wanted, bool expand)
{
    uint32_t cursor = 0;
    uint32_t key;
    struct pexcz_slice value;

    while (pexcz_blob_boot_next(app, &cursor, &key, &value)) {
        char *text;

        if (key != wanted) {
            continue;
        }
        text = expand ? pexcz_expand_placeholders(value)
                      : strndup((const char *)value.ptr, value.len);
        args->failed = args->failed || text == NULL;
        args->items[args->count++] = text;
    }
}

static size_t
count_settings(const struct pexcz_blob *app)
{
    uint32_t cursor = 0;
    uint32_t key;
    struct pexcz_slice value;
    size_t n = 0;

    while (pexcz_blob_boot_next(app, &cursor, &key, &value)) {
        n++;
    }
    return n;
}

char **
pexcz_command_argv(const struct pexcz_command *command,
                   const struct pexcz_blob *app, bool inject, int *ret_argc,
                   int *ret_program)
{
    static char stdin_name[] = "-";
    struct arguments args = {
        .items = pexcz_alloc_array((size_t)command->arg_count
                                       + (size_t)command->option_count
                                       + count_settings(app) + 3,
                                   sizeof(*args.items)),
    };
    char *name = strdup(command->name);

    if (args.items == NULL || name == NULL) {
        free(name);
        free(args.items);
        return NULL;
    }
    args.items[args.count++] = name;
    append_settings(&args, app, PEXCZ_BOOT_PYTHON_OPTION, false);
    append_all(&args, command->options, command->option_count);
    *ret_program = args.count;
    if (command->role == PEXCZ_ROLE_APPLICATION) {
        args.items[args.count++] = stdin_name;
        if (inject) {
            append_settings(&args, app, PEXCZ_BOOT_INJECT_ARG, true);
        }
    }
    append_all(&args, command->args, command->arg_count);
    args.items[args.count] = NULL;
    *ret_argc = args.count;
    return args.failed ? NULL : args.items;
}

char *const *
pexcz_command_original(const struct pexcz_command *command,
                       const char *executable, int argc, char *const *argv,
                       int *ret_argc)
{
    struct arguments args = {0};
    char *program = NULL;
    char *name = NULL;

    *ret_argc = argc;
    if (command->role != PEXCZ_ROLE_APPLICATION || command->args != argv + 1) {
        return argv;
    }
    args.items = pexcz_alloc_array((size_t)argc + 2, sizeof(*args.items));
    program = strdup(executable);
    name = strdup(command->name);
    if (args.items == NULL || program == NULL || name == NULL) {
        free(args.items);
        free(program);
        free(name);
        return NULL;
    }
    args.items[args.count++] = program;
    args.items[args.count++] = name;
    append_all(&args, command->args, command->arg_count);
    args.items[args.count] = NULL;
    *ret_argc = args.count;
    return args.items;
}
