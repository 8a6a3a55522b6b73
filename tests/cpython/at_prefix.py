# SPDX-License-Identifier: Apache-2.0
"""Runs a command in a root where a Python lies at the prefix that it was
configured with, as an installed one does: some of CPython's cases need that.

usage: at_prefix.py SYSTEM TREE ROOT PROGRAM ARGUMENT...

SYSTEM is /, or a root file system whose programs and libraries are there
instead.  TREE appears as /install, the prefix of the distribution; a PROGRAM
below TREE is started under that name.  ROOT is an empty folder.  The mounts are
in a namespace of this process.  Where none can be had, the program simply runs,
if SYSTEM is /.
"""

import ctypes
import os
import signal
import sys

PREFIX = "/install"
SYSTEM_FOLDERS = ("bin", "etc", "lib", "lib32", "lib64", "libx32", "opt", "sbin",
                  "usr", "var")
CLONE_NEWNS = 0x00020000
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
PR_SET_PDEATHSIG = 1

libc = ctypes.CDLL(None, use_errno=True)


def check(code):
    if code != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def mount(source, target, kind="none", flags=MS_BIND | MS_REC):
    arguments = [os.fsencode(text) for text in (source, target, kind)]
    check(libc.mount(*arguments, ctypes.c_ulong(flags), None))


def folders(system):
    """Those of the system, and all others of this machine."""
    for top in {system, "/"}:
        for entry in os.scandir(top):
            if system == "/" or (entry.name in SYSTEM_FOLDERS) == (top == system):
                yield entry


def enter(system, tree, root):
    check(libc.unshare(CLONE_NEWNS))
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    mount("tmpfs", root, "tmpfs", 0)
    for entry in folders(system):
        target = root + "/" + entry.name
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), target)
        elif entry.is_dir():
            os.mkdir(target)
            mount(entry.path, target)
    os.mkdir(root + PREFIX)
    mount(tree, root + PREFIX)
    folder = os.getcwd()
    os.chroot(root)
    os.chdir(folder)


def main():
    system, tree, root, *command = sys.argv[1:]
    # Nothing goes on when the whole run is ended.
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    try:
        enter(system, tree, root)
    except OSError:
        if system != "/":
            raise
    else:
        if command[0].startswith(tree + "/"):
            command[0] = PREFIX + command[0][len(tree):]
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
