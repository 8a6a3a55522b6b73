/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"

#include "handle.h"
#include "libc_next.h"
#include "mount.h"
#include "place.h"
#include "vfs_stat.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* "/proc/self/fd/N" and "/proc/PID/fd/N" */
#define FD_PATH_SIZE 48

static bool
same_file(const char *a, const char *b)
{
    struct stat x;
    struct stat y;

    return pexcz_next_stat(a, &x) == 0 && pexcz_next_stat(b, &y) == 0
           && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Whether the program at `path` is the executable that runs. */
bool
pexcz_program_is_self(const char *path)
{
    struct pexcz_place place;

    if (pexcz_resolve(AT_FDCWD, &path, PEXCZ_FOLLOW, &place)) {
        return place.error == 0 && place.node.entry.kind == PEXCZ_KIND_SELF;
    }
    return same_file(path, pexcz_vfs_self());
}

/* The environment with the working directory for a child of our own. */
static int
hand_down_cwd(struct pexcz_program *p, const struct pexcz_node *cwd)
{
    static const char name[] = PEXCZ_CWD_VARIABLE "=";
    size_t name_size = sizeof(name) - 1;
    struct pexcz_place place;
    char *const *old = p->envp;
    size_t count = pexcz_args_count(old);

    pexcz_place_of(cwd, &place);
    memcpy(p->cwd, name, name_size);
    if (pexcz_place_full_path(&place, p->cwd + name_size,
                              sizeof(p->cwd) - name_size)
            == 0
        || !pexcz_args_init(&p->env, count + 1)) {
        return ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        if (strncmp(old[i], name, name_size) != 0) {
            pexcz_args_add(&p->env, old[i]);
        }
    }
    pexcz_args_add(&p->env, p->cwd);
    p->envp = p->env.items;
    return 0;
}

static int
use_real(struct pexcz_program *p, const char *path)
{
    struct pexcz_node cwd;

    if (strlen(path) >= sizeof(p->path)) {
        return ENAMETOOLONG;
    }
    memmove(p->path, path, strlen(path) + 1);
    p->file = p->path;
    if (!pexcz_cwd_get(&cwd)) {
        return 0;
    }
    return same_file(path, pexcz_vfs_self()) ? hand_down_cwd(p, &cwd) : EACCES;
}

static int
use_self(struct pexcz_program *p)
{
    const char *self = pexcz_vfs_self();
    size_t slash = self[0] == '/' && self[1] != '/' ? 1 : 0;
    struct pexcz_node cwd;

    if (slash + strlen(self) >= sizeof(p->path)) {
        return ENAMETOOLONG;
    }
    p->path[0] = '/';
    memcpy(p->path + slash, self, strlen(self) + 1);
    p->file = p->path;
    return pexcz_cwd_get(&cwd) ? hand_down_cwd(p, &cwd) : 0;
}

/*
 * The kernel's reading of "#!": interpreter, and the rest of the line as one
 * argument without the blanks around it (NULL: none).  False: no script.
 */
static bool
parse_script_line(char *line, char **ret_interpreter, char **ret_argument)
{
    char *end;
    char *p;

    if (line[0] != '#' || line[1] != '!') {
        return false;
    }
    line[strcspn(line, "\n")] = '\0';
    end = line + strlen(line);
    while (end > line + 2 && (end[-1] == ' ' || end[-1] == '\t')) {
        *--end = '\0';
    }
    p = line + 2 + strspn(line + 2, " \t");
    *ret_interpreter = p;
    p += strcspn(p, " \t");
    *ret_argument = NULL;
    if (*p != '\0') {
        *p++ = '\0';
        *ret_argument = p + strspn(p, " \t");
    }
    return **ret_interpreter != '\0';
}

static int prepare(struct pexcz_program *p, const char *path, pid_t owner);

static int
use_script(struct pexcz_program *p, const struct pexcz_place *place,
           char *interpreter, const char *argument, int fd, pid_t owner)
{
    char *const *old = p->argv;
    size_t count = pexcz_args_count(old);

    if (pexcz_program_is_self(interpreter)) {
        (void)close(fd);
        if (pexcz_place_full_path(place, p->script, sizeof(p->script)) == 0) {
            return ENAMETOOLONG;
        }
    }
    else {
        p->script_fd = fd;
        if (fcntl(fd, F_SETFD, 0) < 0) {
            return errno;
        }
        (void)snprintf(p->script, FD_PATH_SIZE, "/proc/self/fd/%d", fd);
    }
    if (!pexcz_args_init(&p->args, count + 2)) {
        return ENOMEM;
    }
    pexcz_args_add(&p->args, interpreter);
    if (argument != NULL) {
        pexcz_args_add(&p->args, argument);
    }
    pexcz_args_add(&p->args, p->script);
    for (size_t i = 1; i < count; i++) {
        pexcz_args_add(&p->args, old[i]);
    }
    p->argv = p->args.items;
    return prepare(p, interpreter, owner);
}

/* A real file for a program that its memfd cannot stand for: one that finds
 * shared objects by its own place, or on a machine where memfds are not
 * executed (vm.memfd_noexec, no /proc). */
static bool
use_placed(struct pexcz_program *p, const struct pexcz_place *place)
{
    const struct pexcz_vfs_libraries *libraries = pexcz_vfs_libraries();
    char real[sizeof(p->path)];
    const char *found = libraries != NULL
                            ? libraries->place(place->path, real, sizeof(real))
                            : NULL;

    if (found == NULL || strlen(found) >= sizeof(p->path)) {
        return false;
    }
    memcpy(p->path, found, strlen(found) + 1);
    p->file = p->path;
    return true;
}

static int
use_packed(struct pexcz_program *p, const struct pexcz_place *place,
           pid_t owner)
{
    char *interpreter;
    char *argument;
    char line[sizeof(p->line)];
    struct pexcz_library library;
    struct pexcz_node cwd;
    ssize_t n;
    int fd;

    if (place->node.entry.kind != PEXCZ_KIND_FILE) {
        return EACCES;
    }
    if (pexcz_blob_find_library(place->node.blob, place->node.entry.index,
                                &library)
        && use_placed(p, place)) {
        return pexcz_cwd_get(&cwd) ? EACCES : 0;
    }
    fd = pexcz_handle_open(&place->node, O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    n = pread(fd, line, sizeof(line) - 1, 0);
    line[n > 0 ? n : 0] = '\0';
    if (n > 2 && line[0] == '#' && line[1] == '!') {
        if (p->args.items != NULL) {
            (void)close(fd);
            return ELOOP; /* a script that is another one's interpreter */
        }
        memcpy(p->line, line, sizeof(line));
        if (!parse_script_line(p->line, &interpreter, &argument)) {
            (void)close(fd);
            return ENOEXEC;
        }
        return use_script(p, place, interpreter, argument, fd, owner);
    }
    (void)snprintf(p->path, FD_PATH_SIZE, "/proc/%d/fd/%d", owner, fd);
    p->file = p->path;
    if (pexcz_next()->access(p->path, X_OK) != 0 && use_placed(p, place)) {
        (void)close(fd);
    }
    else {
        p->program_fd = fd;
    }
    return pexcz_cwd_get(&cwd) ? EACCES : 0;
}

static int
prepare(struct pexcz_program *p, const char *path, pid_t owner)
{
    struct pexcz_place place;
    int error;

    if (!pexcz_resolve(AT_FDCWD, &path, PEXCZ_FOLLOW, &place)) {
        return use_real(p, path);
    }
    if (place.error != 0) {
        return place.error;
    }
    if (place.node.entry.kind == PEXCZ_KIND_SELF) {
        return use_self(p);
    }
    error = pexcz_node_access(&place.node, X_OK);
    return error != 0 ? error : use_packed(p, &place, owner);
}

int
pexcz_program_prepare(struct pexcz_program *ret, const char *path,
                      char *const *argv, char *const *envp, pid_t owner)
{
    int saved = errno;
    int error;

    ret->argv = argv;
    ret->envp = envp;
    ret->program_fd = -1;
    ret->script_fd = -1;
    ret->args.items = NULL;
    ret->args.mapped = 0;
    ret->env.mapped = 0;
    error = prepare(ret, path, owner);
    if (error != 0) {
        pexcz_program_done(ret);
    }
    errno = saved;
    return error;
}

void
pexcz_program_done(struct pexcz_program *program)
{
    int saved = errno;

    if (program->program_fd >= 0) {
        (void)close(program->program_fd);
    }
    if (program->script_fd >= 0) {
        (void)close(program->script_fd);
    }
    pexcz_args_done(&program->args);
    pexcz_args_done(&program->env);
    errno = saved;
}
