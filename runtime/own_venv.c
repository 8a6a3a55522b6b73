/* SPDX-License-Identifier: Apache-2.0 */
#include "own_venv.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_CAP = 8192 };

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

/* Whether FOLDER/pyvenv.cfg says that `home` is the base's folder. */
static bool
has_home(const char *folder, const char *home)
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
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        const char *value = value_of(line, "home");

        if (value != NULL) {
            found = is_same_folder(value, home);
            break;
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
pexcz_own_venv_find(const char *name, const char *self, char *dst, size_t cap)
{
    char home[LINE_CAP];
    char folder[LINE_CAP];
    int n = snprintf(home, sizeof(home), "%s", self);

    if (n < 0 || (size_t)n >= sizeof(home) || !cut(home)
        || !make_absolute(name, dst, cap)
        || !make_absolute(name, folder, sizeof(folder)) || !cut(folder)) {
        return false;
    }
    return has_home(folder, home) || (cut(folder) && has_home(folder, home));
}
