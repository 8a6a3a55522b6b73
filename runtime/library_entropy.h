/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers that shared objects draw while a snapshot is made.
 *
 * Seeds of hash tables are the same in all processes of a packed file then, as
 * that of str is.  Anything else that is drawn keeps the module out of the
 * snapshot.
 */
#ifndef PEXCZ_LIBRARY_ENTROPY_H
#define PEXCZ_LIBRARY_ENTROPY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* From now on; `id` makes the seeds another file's others. */
void pexcz_library_entropy_begin(const uint8_t id[16]);

/* In the place of libc's. */
ssize_t pexcz_library_getrandom(void *bytes, size_t size, unsigned int flags);
int pexcz_library_getentropy(void *bytes, size_t size);

#endif
