/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The error convention of the whole project.
 *
 * A function that can fail returns 0 or a negative `enum pexcz_code` and fills
 * the caller's `struct pexcz_error`; outputs are written only on success.  The
 * struct lives on the caller's stack: it needs no heap, so it works before
 * Python starts and when memory is gone.  Libraries never print: the program's
 * main() prints `msg` once.
 */
#ifndef PEXCZ_ERROR_H
#define PEXCZ_ERROR_H

#define PEXCZ_ERROR_MSG_SIZE 2048

#define PEXCZ_MUST_USE __attribute__((warn_unused_result))

enum pexcz_code {
    PEXCZ_OK = 0,
    PEXCZ_E_NOMEM = -1,
    PEXCZ_E_IO = -2,    /* sys_errno says why */
    PEXCZ_E_USAGE = -3, /* the command line is wrong */
    PEXCZ_E_NOT_FOUND = -4,
    PEXCZ_E_CORRUPT = -5,     /* input contradicts its format */
    PEXCZ_E_UNSUPPORTED = -6, /* well-formed, but beyond this program */
    PEXCZ_E_TOO_BIG = -7,     /* over a stated limit */
    PEXCZ_E_CONFLICT = -8,    /* inputs contradict one another */
    PEXCZ_E_INTERNAL = -9,    /* a bug of ours */
};

struct pexcz_error {
    enum pexcz_code code;
    int sys_errno;                  /* 0 when no system call is to blame */
    char msg[PEXCZ_ERROR_MSG_SIZE]; /* NUL-terminated; no newline at the end */
};

/*
 * Set the error and return `code`.  With sys_errno != 0 ": strerror" is
 * appended.  `err` may be NULL: then only the code is returned.
 */
int pexcz_fail(struct pexcz_error *err, enum pexcz_code code, int sys_errno,
               const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Prepend "context: " to the message and return the error's code. */
int pexcz_wrap(struct pexcz_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
