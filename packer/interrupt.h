/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What SIGINT, SIGTERM and SIGHUP do: remove the temporary file, clear the
 * progress line, exit with 128 + the signal's number.
 *
 * The one place of the packer with process-wide state: a signal handler has
 * no other way to know what to remove.
 */
#ifndef PEXCZ_INTERRUPT_H
#define PEXCZ_INTERRUPT_H

#include <stdbool.h>

/* Installs the handlers; signals that are ignored stay so. */
void pexcz_interrupt_install(void);

/* The file to remove: `name` in the open folder `dir`; NULL: none.  The name
 * is copied. */
void pexcz_interrupt_set_temp(int dir, const char *name);

/* Whether a progress line stands on stderr. */
void pexcz_interrupt_set_line(bool shown);

/* In between, signals of this thread wait; pending() tells whether one does.
 * For work that must be undone by more than removing one file. */
void pexcz_interrupt_block(void);
bool pexcz_interrupt_pending(void);
void pexcz_interrupt_unblock(void);

#endif
