/* SPDX-License-Identifier: Apache-2.0 */
/* A signal that ends the process while a snapshot is made with shared objects:
 * it is said which one is to blame, so that it can be left out. */
#ifndef PEXCZ_LIBRARY_CRASH_H
#define PEXCZ_LIBRARY_CRASH_H

/* From now on the last line on stderr is "the shared object PATH …" then. */
void pexcz_library_crash_begin(void);

#endif
