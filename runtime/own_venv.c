/* SPDX-License-Identifier: Apache-2.0 */
#include "own_venv.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LINE_CAP = 8192,
    HEAD_SIZE = 4096, /* of an executable */
};

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The value of "KEY = VALUE", stripped in place; NULL: another key. */
static char *
value_of(char *line, const char *key)
{
    char *equals = strchr(line, '=');
    char *end = equals;
    char *value;

    if (equals == NULL) {
        return NULL;
    }
    while (is_space(*line)) {
        line++;
    }
    while (end > line && is_space(end[-1])) {
        end--;
    }
    if (strncasecmp(line, key, (size_t)(end - line)) != 0
        || key[end - line] != '\0') {
        return NULL;
    }
    value = equals + 1;
    while (is_space(*value)) {
        value++;
    }
    end = value + strlen(value);
    while (end > value && is_space(end[-1])) {
        end--;
    }
    *end = '\0';
    return value;
}

static bool
is_same_folder(const char *a, const char *b)
{
    struct stat one;
    struct stat other;

    return stat(a, &one) == 0 && stat(b, &other) == 0 && S_ISDIR(one.st_mode)
           && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static bool
read_head(const char *path, unsigned char *head, off_t *ret_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    bool done = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
                && read(fd, head, HEAD_SIZE) == HEAD_SIZE;

    if (done) {
        *ret_size = st.st_size;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return done;
}

/* Whether the file at `path` is this program: size, build ID and layout. */
static bool
is_same_program(const char *path, const char *self)
{
    unsigned char one[HEAD_SIZE];
    unsigned char other[HEAD_SIZE];
    off_t size;
    off_t other_size;

    return read_head(path, one, &size) && read_head(self, other, &other_size)
           && size == other_size && memcmp(one, other, HEAD_SIZE) == 0;
}

/*
 * Whether FOLDER/pyvenv.cfg names the folder of this executable, or, since its
 * Python may be a copy, another file with the same program: that one's path
 * goes to `base`.
 */
static bool
is_own(const char *folder, const char *self, const char *self_folder,
       char *base, size_t cap)
{
    char path[LINE_CAP];
    char line[LINE_CAP];
    bool found = false;
    FILE *file;
    int n = snprintf(path, sizeof(path), "%s/pyvenv.cfg", folder);

    if (n < 0 || (size_t)n >= sizeof(path)) {
        return false;
    }
    file = fopen(path, "re");
    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
        const char *home = value_of(line, "home");
        const char *program
            = home == NULL ? value_of(line, "executable") : NULL;

        if (home != NULL && is_same_folder(home, self_folder)) {
            n = snprintf(base, cap, "%s", self);
            found = n >= 0 && (size_t)n < cap;
        }
        else if (program != NULL && is_same_program(program, self)) {
            n = snprintf(base, cap, "/%s", program);
            found = n >= 0 && (size_t)n < cap;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return found;
}

/* `path` without its last component; false when there is none. */
static bool
cut(char *path)
{
    char *slash = strrchr(path, '/');

    if (slash == NULL || slash == path) {
        return false;
    }
    *slash = '\0';
    return true;
}

static bool
make_absolute(const char *name, char *dst, size_t cap)
{
    char folder[LINE_CAP];
    int n;

    if (name[0] == '/') {
        n = snprintf(dst, cap, "%s", name);
    }
    else if (getcwd(folder, sizeof(folder)) != NULL) {
        while (strncmp(name, "./", 2) == 0) {
            name += 2;
        }
        n = snprintf(dst, cap, "%s/%s", folder, name);
    }
    else {
        return false;
    }
    return n >= 0 && (size_t)n < cap;
}

bool
pexcz_own_venv_find(const char *name, const char *self, char *dst, char *base,
                    size_t cap)
{
    char own[LINE_CAP];
    char folder[LINE_CAP];
    int n = snprintf(own, sizeof(own), "%s", self);

    if (n < 0 || (size_t)n >= sizeof(own) || !cut(own)
        || !make_absolute(name, dst, cap)
        || !make_absolute(name, folder, sizeof(folder)) || !cut(folder)) {
        return false;
    }
    return is_own(folder, self, own, base, cap)
           || (cut(folder) && is_own(folder, self, own, base, cap));
}
