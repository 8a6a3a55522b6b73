/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
pexcz_fail(struct pexcz_error *err, enum pexcz_code code, int sys_errno,
           const char *fmt, ...)
{
    va_list ap;

    if (err == NULL) {
        return code;
    }
    err->code = code;
    err->sys_errno = sys_errno;
    va_start(ap, fmt);
    (void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
    va_end(ap);
    if (sys_errno != 0) {
        size_t n = strlen(err->msg);

        (void)snprintf(err->msg + n, sizeof(err->msg) - n, ": %s",
                       strerror(sys_errno));
    }
    return code;
}

int
pexcz_wrap(struct pexcz_error *err, const char *fmt, ...)
{
    char tail[PEXCZ_ERROR_MSG_SIZE];
    va_list ap;
    size_t n;

    if (err == NULL) {
        return PEXCZ_E_INTERNAL;
    }
    memcpy(tail, err->msg, sizeof(tail));
    tail[sizeof(tail) - 1] = '\0';
    va_start(ap, fmt);
    (void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
    va_end(ap);
    n = strlen(err->msg);
    (void)snprintf(err->msg + n, sizeof(err->msg) - n, ": %s", tail);
    return err->code;
}
