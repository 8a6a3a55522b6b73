/* SPDX-License-Identifier: Apache-2.0 */
#include "signature.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOOL "ssh-keygen"
#define NAMESPACE "pexcz"

#define MAX_ARGS 16u

struct command {
    char *argv[MAX_ARGS];
    size_t count;
};

static void
add(struct command *c, const char *argument)
{
    /* posix_spawn() does not write to its arguments. */
    memcpy(&c->argv[c->count++], &argument, sizeof(argument));
    c->argv[c->count] = NULL;
}

/* ssh-keygen with `input` as its stdin (NULL: ours); what it prints on stdout
 * is dropped.  0, or its exit code; negative on failure. */
static int
run(const struct command *c, const char *input, struct pexcz_error *err)
{
    posix_spawn_file_actions_t actions;
    int status = -1;
    pid_t pid;
    int rc = posix_spawn_file_actions_init(&actions);

    if (rc == 0 && input != NULL) {
        rc = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input,
                                              O_RDONLY, 0);
    }
    if (rc == 0) {
        rc = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO,
                                              "/dev/null", O_WRONLY, 0);
    }
    if (rc == 0) {
        rc = posix_spawnp(&pid, TOOL, &actions, NULL, c->argv, environ);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    if (rc != 0) {
        return pexcz_fail(err, PEXCZ_E_UNSUPPORTED, rc,
                          "cannot run " TOOL " (of OpenSSH 8.1 or newer)");
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return pexcz_fail(err, PEXCZ_E_IO, errno, "waiting for " TOOL);
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* A name that begins with a dash would be an option. */
static int
name_of(const char *file, const char *suffix, char ret[PATH_MAX],
        struct pexcz_error *err)
{
    int n = snprintf(ret, PATH_MAX, "%s%s%s", file[0] == '-' ? "./" : "", file,
                     suffix);

    return n > 0 && n < PATH_MAX
               ? PEXCZ_OK
               : pexcz_fail(err, PEXCZ_E_USAGE, 0, "%s: the name is too long",
                            file);
}

int
pexcz_signature_make(const char *file, const char *key,
                     struct pexcz_error *err)
{
    struct command c = {.count = 0};
    char name[PATH_MAX];
    char signature[PATH_MAX];
    int rc = name_of(file, "", name, err);

    if (rc == PEXCZ_OK) {
        rc = name_of(file, ".sig", signature, err);
    }
    if (rc < 0) {
        return rc;
    }
    /* ssh-keygen asks before it overwrites one. */
    if (unlink(signature) < 0 && errno != ENOENT) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s", signature);
    }
    add(&c, TOOL);
    add(&c, "-q");
    add(&c, "-Y");
    add(&c, "sign");
    add(&c, "-n");
    add(&c, NAMESPACE);
    add(&c, "-f");
    add(&c, key);
    add(&c, name);
    rc = run(&c, NULL, err);
    return rc <= 0 ? rc
                   : pexcz_fail(err, PEXCZ_E_IO, 0,
                                "%s: " TOOL " could not sign it", file);
}

int
pexcz_signature_check(const char *file, const char *signature,
                      const char *signers, const char *signer,
                      struct pexcz_error *err)
{
    struct command c = {.count = 0};
    char name[PATH_MAX];
    int rc = name_of(signature != NULL ? signature : file,
                     signature != NULL ? "" : ".sig", name, err);

    if (rc < 0) {
        return rc;
    }
    if (access(name, R_OK) < 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s", name);
    }
    if (access(signers, R_OK) < 0) {
        return pexcz_fail(err, PEXCZ_E_IO, errno, "%s", signers);
    }
    add(&c, TOOL);
    add(&c, "-q");
    add(&c, "-Y");
    add(&c, "verify");
    add(&c, "-n");
    add(&c, NAMESPACE);
    add(&c, "-f");
    add(&c, signers);
    add(&c, "-I");
    add(&c, signer);
    add(&c, "-s");
    add(&c, name);
    rc = run(&c, file, err);
    return rc <= 0 ? rc
                   : pexcz_fail(err, PEXCZ_E_CORRUPT, 0,
                                "%s: not signed by %s", file, signer);
}
