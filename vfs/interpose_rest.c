/* SPDX-License-Identifier: Apache-2.0 */
#include "interpose.h"

#include <stdarg.h>

#define TEMP_FAMILY(suffix)                                                   \
    INTERPOSE(int, mkstemp##suffix, (char *template),                         \
              pexcz_vfs_mkostemps(template, 0, 0))                            \
    INTERPOSE(int, mkostemp##suffix, (char *template, int flags),             \
              pexcz_vfs_mkostemps(template, 0, flags))                        \
    INTERPOSE(int, mkstemps##suffix, (char *template, int tail),              \
              pexcz_vfs_mkostemps(template, tail, 0))                         \
    INTERPOSE(int, mkostemps##suffix, (char *template, int tail, int flags),  \
              pexcz_vfs_mkostemps(template, tail, flags))

TEMP_FAMILY()
TEMP_FAMILY(64)
INTERPOSE(char *, mkdtemp, (char *template), pexcz_vfs_mkdtemp(template))

INTERPOSE(int, bind, (int fd, const struct sockaddr *address, socklen_t size),
          pexcz_vfs_bind(fd, address, size))
INTERPOSE(int, connect,
          (int fd, const struct sockaddr *address, socklen_t size),
          pexcz_vfs_connect(fd, address, size))

INTERPOSE(int, fanotify_mark,
          (int fd, unsigned flags, uint64_t mask, int dirfd, const char *path),
          pexcz_vfs_fanotify_mark(fd, flags, mask, dirfd, path))
INTERPOSE(int, name_to_handle_at,
          (int dirfd, const char *path, struct file_handle *handle, int *mount,
           int flags),
          pexcz_vfs_name_to_handle_at(dirfd, path, handle, mount, flags))
INTERPOSE(key_t, ftok, (const char *path, int project),
          pexcz_vfs_ftok(path, project))
INTERPOSE(char *, bindtextdomain, (const char *domain, const char *directory),
          pexcz_vfs_bindtextdomain(domain, directory))

#define FTS_FAMILY(prefix)                                                    \
    INTERPOSE(FTS *, prefix##_open,                                           \
              (char *const *paths, int options, pexcz_fts_compare *compare),  \
              pexcz_vfs_fts_open(paths, options, compare))                    \
    INTERPOSE(FTSENT *, prefix##_read, (FTS * fts), pexcz_vfs_fts_read(fts))  \
    INTERPOSE(FTSENT *, prefix##_children, (FTS * fts, int options),          \
              pexcz_vfs_fts_children(fts, options))                           \
    INTERPOSE(int, prefix##_set,                                              \
              (FTS * fts, FTSENT * entry, int instruction),                   \
              pexcz_vfs_fts_set(fts, entry, instruction))                     \
    INTERPOSE(int, prefix##_close, (FTS * fts), pexcz_vfs_fts_close(fts))

FTS_FAMILY(fts)
FTS_FAMILY(fts64)

/* As many arguments as any call of the kernel has; a caller that gave fewer
 * left in the registers what the kernel ignores, too. */
long interpose_syscall(long, ...) __asm__("syscall");
PEXCZ_EXPORT long
interpose_syscall(long number, ...)
{
    long a[6];
    va_list ap;

    va_start(ap, number);
    for (size_t i = 0; i < 6; i++) {
        a[i] = va_arg(ap, long);
    }
    va_end(ap);
    return pexcz_vfs_syscall(number, a);
}
