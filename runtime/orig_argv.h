/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Py_GetArgcArgv() gives: setproctitle and the like look there for the
 * process's own arguments.
 */
#ifndef PEXCZ_ORIG_ARGV_H
#define PEXCZ_ORIG_ARGV_H

/* In place of those that sys.orig_argv was made of, or of the process that
 * wrote the snapshot.  0, or -1 when memory is gone, without an exception. */
int pexcz_orig_argv_put(int argc, char *const *argv);

#endif
