/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree as a file system inside the process, mounted at PEXCZ_PREFIX.
 *
 * The executable itself defines libc's path-taking names (interpose_*.c) and
 * exports them (exports.list), so that the interpreter, everything linked
 * statically and every shared object loaded later reach them.  A path under
 * the prefix is answered from the tree as a read-only mount would answer it;
 * any other goes on to the next definition of the name, libc's as a rule.
 *
 * Threads: every function and every interposed name may be used from several
 * threads.  Nothing locks but the streams of opendir(), as libc's do.  What
 * libc promises to be safe in a signal handler or between vfork() and exec
 * stays so, with one exception: opening a compressed file, or /proc/self/maps,
 * uses malloc().
 *
 * What it cannot see: other programs that are given such a path, raw system
 * calls, and files that libc or ld.so open by themselves.
 */
#ifndef PEXCZ_VFS_H
#define PEXCZ_VFS_H

#include "tree.h"

#include <sys/types.h>

/*
 * Shows `tree` (borrowed for the life of the process) under PEXCZ_PREFIX.
 * Before it every call passes through.  Takes over the working directory that
 * a parent of the same program handed down (see call_exec.c).  Call it once,
 * before there are threads.
 */
void pexcz_vfs_mount(const struct pexcz_tree *tree);

/* To whom the files seem to belong: until it is called, to the process's
 * effective user and group. */
void pexcz_vfs_set_owner(uid_t user, gid_t members);

/*
 * For a library, whose process goes on: every call passes through again.  No
 * descriptor of the tree may be used from now on.
 */
void pexcz_vfs_unmount(void);

/*
 * The real path of the executable, the content of entries of kind SELF;
 * borrowed for the life of the process.  Until it is set, or with NULL,
 * "/proc/self/exe" stands for it.
 */
void pexcz_vfs_set_self(const char *path);

/*
 * How shared objects of the tree are opened.
 *
 * open: dlmopen() for the file at `inner_path` (relative to the root of the
 * tree) in the namespace `list`, LM_ID_BASE for dlopen(); what it returns, and
 * dlerror()'s text, go to the caller.
 * place: a real path, in buf[cap], for any file of the tree, at the end of
 * which `inner_path` stands and other files are mirrored; NULL when files have
 * no place.
 * prepare: libc is about to search for the library `name` (no slash) on behalf
 * of the code at `caller`.
 * maps: "self/maps" or the like, `name`, below /proc, is opened for reading: a
 * descriptor with the paths of the tree, or -1 when the kernel's will do.
 */
struct pexcz_vfs_libraries {
    void *(*open)(const char *inner_path, long list, int mode);
    const char *(*place)(const char *inner_path, char *buf, size_t cap);
    void (*prepare)(const char *name, const void *caller);
    int (*maps)(const char *name, int flags);
};
/* Borrowed for the life of the process. */
void pexcz_vfs_set_libraries(const struct pexcz_vfs_libraries *libraries);

/* libc's own dlopen() and dlmopen(), for a real path. */
void *pexcz_vfs_open_real(const char *path, long list, int mode);

#endif
