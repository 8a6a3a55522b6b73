/* SPDX-License-Identifier: Apache-2.0 */
/* What a command line asks of the snapshot. */
#ifndef PEXCZ_SNAPSHOT_WISH_H
#define PEXCZ_SNAPSHOT_WISH_H

#include <stddef.h>

struct pexcz_snapshot_wish {
    const char **exclude; /* modules to leave out */
    size_t exclude_count;
    const char **warm; /* command lines whose later imports belong to it */
    size_t warm_count;
    const char **env; /* NAME=VALUE, set while it is made */
    size_t env_count;
};

#endif
