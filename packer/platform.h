/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `--platform` names, in the spellings of Pex, pip and the kernel:
 *
 *   aarch64                       the machine alone
 *   linux_aarch64                 the same
 *   manylinux2014_aarch64         and the newest glibc that wheels may need
 *   manylinux_2_28_aarch64
 *   linux_aarch64-cp-311-cp311    Pex: and the version of Python
 *   current                       this machine
 */
#ifndef PEXCZ_PLATFORM_H
#define PEXCZ_PLATFORM_H

#include "error.h"

struct pexcz_platform {
    const char *machine; /* "aarch64" */
    char glibc[16];      /* "2.28"; "": not said */
    char python[16];     /* "3.11"; "": not said */
};

/* USAGE: it is none that pexcz packs for. */
PEXCZ_MUST_USE int pexcz_platform_parse(const char *text,
                                        struct pexcz_platform *ret,
                                        struct pexcz_error *err);

#endif
