/* SPDX-License-Identifier: Apache-2.0 */
#include "pex_path_list.h"

#include "buf.h"

#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The folder for the `n` bytes "~" or "~user"; NULL: there is none. */
static const char *
home_of(const char *tilde, size_t n)
{
    char name[256];
    const char *home = n == 1 ? getenv("HOME") : NULL;
    const struct passwd *entry = NULL;

    if (home != NULL) {
        return home;
    }
    if (n == 1) {
        entry = getpwuid(getuid());
    }
    else if (n <= sizeof(name)) {
        memcpy(name, tilde + 1, n - 1);
        name[n - 1] = '\0';
        entry = getpwnam(name);
    }
    return entry != NULL ? entry->pw_dir : NULL;
}

static bool
ends_upwards(const char *path, size_t root, size_t len)
{
    return len >= root + 2 && memcmp(path + len - 2, "..", 2) == 0
           && (len == root + 2 || path[len - 3] == '/');
}

/* In place: what is written never gets ahead of what is read. */
static void
normalise(char *path)
{
    size_t slashes = strspn(path, "/");
    size_t root = slashes == 0 ? 0 : slashes == 2 ? 2 : 1;
    const char *in = path + slashes;
    size_t len = root;

    while (*in != '\0') {
        size_t n = strcspn(in, "/");
        const char *next = in + n + strspn(in + n, "/");
        bool up = n == 2 && memcmp(in, "..", 2) == 0;

        if (up && (root != 0 || len != 0) && !ends_upwards(path, root, len)) {
            while (len > root && path[len - 1] != '/') {
                len--;
            }
            len -= len > root;
        }
        else if (n != 1 || in[0] != '.') {
            if (len > root) {
                path[len++] = '/';
            }
            memmove(path + len, in, n);
            len += n;
        }
        in = next;
    }
    path[len] = '\0';
}

static bool
has(const char *list, const char *path)
{
    size_t n = strlen(path);

    while (*list != '\0') {
        size_t len = strcspn(list, ":");

        if (len == n && memcmp(list, path, n) == 0) {
            return true;
        }
        list += len + (list[len] == ':');
    }
    return false;
}

static int
add_part(struct pexcz_buf *list, struct pexcz_buf *part, const char *text,
         size_t len, struct pexcz_error *err)
{
    size_t tilde = len != 0 && text[0] == '~' ? strcspn(text, "/:") : 0;
    const char *home = tilde != 0 ? home_of(text, tilde) : NULL;
    size_t home_len = home != NULL ? strlen(home) : 0;
    int rc = PEXCZ_OK;

    part->len = 0;
    while (home_len > 0 && home[home_len - 1] == '/') {
        home_len--; /* as expanduser() */
    }
    if (home != NULL) {
        rc = pexcz_buf_append(part, home, home_len, err);
        text += tilde;
        len -= tilde;
        if (rc == PEXCZ_OK && home_len + len == 0) {
            rc = pexcz_buf_append(part, "/", 1, err);
        }
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_buf_append(part, text, len, err);
    }
    if (rc == PEXCZ_OK) {
        rc = pexcz_buf_append(part, "\0.", 3, err);
    }
    if (rc < 0) {
        return rc;
    }
    normalise((char *)part->ptr);
    if (part->ptr[0] == '\0') {
        memcpy(part->ptr, ".", 2);
    }
    if (list->len != 0 && has((const char *)list->ptr, (char *)part->ptr)) {
        return PEXCZ_OK;
    }
    if (list->len != 0) {
        list->ptr[list->len - 1] = ':';
    }
    return pexcz_buf_append(list, part->ptr, strlen((char *)part->ptr) + 1,
                            err);
}

int
pexcz_pex_path_list(const char *text, char **ret, struct pexcz_error *err)
{
    struct pexcz_buf list = {0};
    struct pexcz_buf part = {0};
    int rc = PEXCZ_OK;

    for (;;) {
        size_t n = strcspn(text, ":");

        rc = add_part(&list, &part, text, n, err);
        if (rc < 0 || text[n] == '\0') {
            break;
        }
        text += n + 1;
    }
    pexcz_buf_done(&part);
    if (rc < 0) {
        pexcz_buf_done(&list);
        return rc;
    }
    *ret = (char *)list.ptr;
    return PEXCZ_OK;
}
