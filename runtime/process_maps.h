/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/self/maps, by which some programs look for the libraries of their
 * process, with the names that packed shared objects have in the tree.  The
 * kernel names what they are mapped from: the executable, files of the cache,
 * memory files.
 */
#ifndef PEXCZ_PROCESS_MAPS_H
#define PEXCZ_PROCESS_MAPS_H

/* `name` is "self/maps" or the like, below /proc; `flags` are those of open(),
 * for reading.  A descriptor, or -1: what the kernel says will do. */
int pexcz_process_maps(const char *name, int flags);

#endif
