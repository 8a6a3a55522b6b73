/* SPDX-License-Identifier: Apache-2.0 */
#include "libc_next.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/syscall.h>

/*
 * Where the real names are.  The executable exports its own, so the next one
 * is libc's or a preloaded library's.  In libpexcz_runtime.a our names are
 * local, so the program's own view is what is wanted.
 */
#ifdef PEXCZ_LIBRARY
#define REAL_NAMES RTLD_DEFAULT
#else
#define REAL_NAMES RTLD_NEXT
#endif

/* The only layout of struct stat that the machine has had. */
#ifdef __x86_64__
#define STAT_VERSION 1
#else
#define STAT_VERSION 0
#endif
#define MKNOD_VERSION 0

struct pexcz_libc pexcz_libc_table;
atomic_bool pexcz_libc_ready;

static struct pexcz_libc_rare rare_table;
static atomic_bool rare_ready;

/* ISO C has no conversion from an object pointer to a function pointer. */
static void
resolve(void *member, const char *name)
{
    void *found = dlsym(REAL_NAMES, name);

    memcpy(member, &found, sizeof(found));
}

/* Two threads may do either at once: they store the same values. */
__attribute__((constructor)) void
pexcz_libc_resolve(void)
{
#define RESOLVE(ret, name, params) resolve(&pexcz_libc_table.name, #name);
    PEXCZ_LIBC_NEXT(RESOLVE)
    PEXCZ_LIBC_NEXT_OPTIONAL(RESOLVE)
#undef RESOLVE
    atomic_store_explicit(&pexcz_libc_ready, true, memory_order_release);
}

const struct pexcz_libc_rare *
pexcz_rare(void)
{
    if (!atomic_load_explicit(&rare_ready, memory_order_acquire)) {
#define RESOLVE(ret, name, params) resolve(&rare_table.name, #name);
        PEXCZ_LIBC_RARE(RESOLVE)
        PEXCZ_LIBC_RARE_OPTIONAL(RESOLVE)
#undef RESOLVE
        atomic_store_explicit(&rare_ready, true, memory_order_release);
    }
    return &rare_table;
}

int
pexcz_next_stat(const char *path, struct stat *st)
{
    const struct pexcz_libc *next = pexcz_next();

    return next->stat != NULL ? next->stat(path, st)
                              : next->__xstat(STAT_VERSION, path, st);
}

int
pexcz_next_lstat(const char *path, struct stat *st)
{
    const struct pexcz_libc *next = pexcz_next();

    return next->lstat != NULL ? next->lstat(path, st)
                               : next->__lxstat(STAT_VERSION, path, st);
}

int
pexcz_next_fstat(int fd, struct stat *st)
{
    const struct pexcz_libc *next = pexcz_next();

    return next->fstat != NULL ? next->fstat(fd, st)
                               : next->__fxstat(STAT_VERSION, fd, st);
}

int
pexcz_next_fstatat(int dirfd, const char *path, struct stat *st, int flags)
{
    const struct pexcz_libc *next = pexcz_next();

    return next->fstatat != NULL
               ? next->fstatat(dirfd, path, st, flags)
               : next->__fxstatat(STAT_VERSION, dirfd, path, st, flags);
}

int
pexcz_next_statx(int dirfd, const char *path, int flags, unsigned mask,
                 struct statx *ret)
{
    const struct pexcz_libc *next = pexcz_next();

    return next->statx != NULL ? next->statx(dirfd, path, flags, mask, ret)
                               : (int)pexcz_next()->syscall(
                                   SYS_statx, dirfd, path, flags, mask, ret);
}

ssize_t
pexcz_next_preadv2(int fd, const struct iovec *parts, int count, off_t offset,
                   int flags)
{
    const struct pexcz_libc *next = pexcz_next();

    /* The kernel takes the offset in two halves, of which the low one is all
     * on 64 bits. */
    return next->preadv2 != NULL
               ? next->preadv2(fd, parts, count, offset, flags)
               : pexcz_next()->syscall(SYS_preadv2, fd, parts, count, offset,
                                       0L, flags);
}

int
pexcz_next_mknodat(int dirfd, const char *path, mode_t mode, dev_t dev)
{
    const struct pexcz_libc_rare *next = pexcz_rare();

    return next->mknodat != NULL
               ? next->mknodat(dirfd, path, mode, dev)
               : next->__xmknodat(MKNOD_VERSION, dirfd, path, mode, &dev);
}

int
pexcz_next_renameat2(int from_dirfd, const char *from, int to_dirfd,
                     const char *to, unsigned flags)
{
    const struct pexcz_libc_rare *next = pexcz_rare();

    return next->renameat2 != NULL
               ? next->renameat2(from_dirfd, from, to_dirfd, to, flags)
               : (int)pexcz_next()->syscall(SYS_renameat2, from_dirfd, from,
                                            to_dirfd, to, flags);
}
