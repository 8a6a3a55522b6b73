/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions that libffi makes for ctypes while a snapshot is made: code in
 * memory of the process.  ctypes makes one when it is imported, to drop it at
 * once; in its place comes one that nobody can call.
 */
#ifndef PEXCZ_CALLBACKS_H
#define PEXCZ_CALLBACKS_H

#include <stddef.h>

/* From now on a snapshot is made. */
void pexcz_callbacks_begin(void);

/* How many there are now. */
size_t pexcz_callbacks_alive(void);

#endif
