/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytecode of the standard library, once more in the application's blob,
 * uncompressed: for modules that the application imports on its way to the
 * entry point.  The base stores all but a few compressed.
 */
#ifndef PEXCZ_STDLIB_COPIES_H
#define PEXCZ_STDLIB_COPIES_H

#include "blob_writer.h"

/*
 * `base` is the base executable's path, `files` are paths in its tree, a line
 * each (pexcz_worker_stdlib); what is not bytecode of its standard library,
 * or stored raw there, is passed over.
 */
PEXCZ_MUST_USE int pexcz_stdlib_copies_write(const char *base,
                                             struct pexcz_slice files,
                                             struct pexcz_blob_writer *writer,
                                             struct pexcz_error *err);

#endif
