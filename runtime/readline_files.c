/* SPDX-License-Identifier: Apache-2.0 */
/*
 * History files as GNU readline keeps them: the lines as they were typed.
 *
 * libedit has a format of its own.  Where the machine's Python has GNU
 * readline, a packed program would otherwise replace the history that both
 * share by one that the other cannot read.  Files in libedit's format are
 * still read.  All functions give 0 or an errno, as readline's do.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIBEDIT_HEADER "_HiStOrY_V2_\n"

/* Of libedit's <editline/readline.h>. */
struct history_entry {
    const char *line;
    void *data;
};

struct history_entry **history_list(void) __attribute__((weak));
int add_history(const char *line) __attribute__((weak));
int __real_read_history(const char *path) __attribute__((weak));

int __wrap_read_history(const char *path);
int __wrap_write_history(const char *path);
int __wrap_append_history(int count, const char *path);
int __wrap_history_truncate_file(const char *path, int count);

/* `path`, or the default that readline has when there is none. */
static const char *
file_name(const char *path, char buf[PATH_MAX])
{
    const char *home = getenv("HOME");

    if (path != NULL) {
        return path;
    }
    (void)snprintf(buf, PATH_MAX, "%s/.history", home != NULL ? home : "");
    return buf;
}

int
__wrap_read_history(const char *path)
{
    char buf[PATH_MAX];
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    FILE *f;
    int error = 0;

    path = file_name(path, buf);
    f = fopen(path, "re");
    if (f == NULL) {
        return errno;
    }
    for (bool first = true; (n = getline(&line, &size, f)) > 0;
         first = false) {
        if (first && strcmp(line, LIBEDIT_HEADER) == 0) {
            error = __real_read_history(path);
            break;
        }
        if (line[n - 1] != '\n') {
            break; /* not finished: GNU readline leaves it out */
        }
        while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r')) {
            line[--n] = '\0';
        }
        if (n > 0) {
            (void)add_history(line);
        }
    }
    if (error == 0 && ferror(f) != 0) {
        error = EIO;
    }
    free(line);
    (void)fclose(f);
    return error;
}

/* The last `count` lines, or all. */
static int
write_lines(const char *path, int count, int flags)
{
    struct history_entry **list = history_list();
    char buf[PATH_MAX];
    struct stat st;
    size_t total = 0;
    size_t from;
    FILE *f;
    int fd = open(file_name(path, buf), flags | O_WRONLY | O_CLOEXEC, 0600);

    if (fd < 0) {
        return errno;
    }
    if ((flags & O_TRUNC) != 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        (void)fchmod(fd, 0600); /* GNU readline's is a new file each time */
    }
    f = fdopen(fd, "w");
    if (f == NULL) {
        (void)close(fd);
        return ENOMEM;
    }
    while (list != NULL && list[total] != NULL) {
        total++;
    }
    from = total > (size_t)count ? total - (size_t)count : 0;
    for (size_t i = from; i < total; i++) {
        (void)fprintf(f, "%s\n", list[i]->line);
    }
    errno = 0;
    if (ferror(f) != 0) {
        (void)fclose(f);
        return EIO;
    }
    return fclose(f) == 0 ? 0 : errno;
}

int
__wrap_write_history(const char *path)
{
    return write_lines(path, INT_MAX, O_CREAT | O_TRUNC);
}

int
__wrap_append_history(int count, const char *path)
{
    /* libedit's appends one more than it is asked for, and CPython, which
     * finds that out at start, asks for one less. */
    return write_lines(path, count < 0 ? 0 : count + 1, O_APPEND);
}

/* Where the last `count` lines begin. */
static size_t
tail(const char *text, size_t size, int count)
{
    size_t at = size;

    if (at != 0 && text[at - 1] == '\n') {
        at--;
    }
    while (at != 0 && (text[at - 1] != '\n' || --count != 0)) {
        at--;
    }
    return at;
}

int
__wrap_history_truncate_file(const char *path, int count)
{
    char buf[PATH_MAX];
    struct stat st;
    char *text = NULL;
    ssize_t n;
    size_t from;
    int error = 0;
    int fd = open(file_name(path, buf), O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        return errno;
    }
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        error = EINVAL;
        goto out;
    }
    text = malloc((size_t)st.st_size + 1);
    n = text != NULL ? pread(fd, text, (size_t)st.st_size, 0) : -1;
    if (n < 0) {
        error = errno;
        goto out;
    }
    from = count > 0 ? tail(text, (size_t)n, count) : (size_t)n;
    if (from != 0
        && (pwrite(fd, text + from, (size_t)n - from, 0)
                != (ssize_t)((size_t)n - from)
            || ftruncate(fd, (off_t)((size_t)n - from)) < 0)) {
        error = errno != 0 ? errno : EIO;
    }

out:
    free(text);
    (void)close(fd);
    return error;
}
