/* SPDX-License-Identifier: Apache-2.0 */
#include "arg_vector.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

bool
pexcz_args_init(struct pexcz_args *args, size_t count)
{
    args->items = args->fixed;
    args->count = 0;
    args->mapped = 0;
    if (count >= PEXCZ_ARG_FIXED) {
        void *p;

        if (count >= SIZE_MAX / sizeof(char *) - 1) {
            return false;
        }
        args->mapped = (count + 1) * sizeof(char *);
        p = mmap(NULL, args->mapped, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED) {
            args->mapped = 0;
            return false;
        }
        args->items = p;
    }
    args->items[0] = NULL;
    return true;
}

void
pexcz_args_done(struct pexcz_args *args)
{
    if (args->mapped != 0) {
        (void)munmap(args->items, args->mapped);
        args->mapped = 0;
    }
}

void
pexcz_args_add(struct pexcz_args *args, const char *item)
{
    memcpy(&args->items[args->count++], &item, sizeof(item));
    args->items[args->count] = NULL;
}

size_t
pexcz_args_count(char *const *argv)
{
    size_t n = 0;

    while (argv != NULL && argv[n] != NULL) {
        n++;
    }
    return n;
}
