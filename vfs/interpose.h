/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defines a name of libc as one of ours.
 *
 *   INTERPOSE(int, stat64, (const char *path, struct stat *st),
 *             pexcz_vfs_stat(path, st))
 *
 * The C name differs from the symbol, so libc's headers, with their inline
 * functions and redirections, need not agree.  open64 and the like have the
 * same layout of everything as their plain names on 64-bit machines.
 */
#ifndef PEXCZ_INTERPOSE_H
#define PEXCZ_INTERPOSE_H

#include "vfs_calls.h"

#define PEXCZ_EXPORT __attribute__((visibility("default")))

#define INTERPOSE(ret, symbol, params, call)                                  \
    ret interpose_##symbol params __asm__(#symbol);                           \
    PEXCZ_EXPORT ret interpose_##symbol params                                \
    {                                                                         \
        return call;                                                          \
    }

/* As above for functions without a result. */
#define INTERPOSE_VOID(symbol, params, call)                                  \
    void interpose_##symbol params __asm__(#symbol);                          \
    PEXCZ_EXPORT void interpose_##symbol params                               \
    {                                                                         \
        call;                                                                 \
    }

#endif
