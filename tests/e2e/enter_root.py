# SPDX-License-Identifier: Apache-2.0
"""Runs a command with one folder mounted at /srv, in a bare root on request.

usage: enter_root.py ROOT WORK CWD COMMAND ARGUMENT...

WORK is what the command sees at /srv, CWD where it starts, and ROOT its root:
"/" for this machine's, or a folder made by make_root().  The mounts are in a
mount namespace of this process, which then becomes the command, so signals
and the exit code are the command's own.  A user who is not root gets a user
namespace of its own as well.

Exit code 125: a namespace, mount or chroot was refused, with the cause.
"""

import ctypes
import os
import shutil
import signal
import sys
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18

EXIT_REFUSED = 125

# Where a root has its libraries and its loader, and where they are from.
PLACES = {
    "x86_64": (
        ("lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu"),
        ("lib64/ld-linux-x86-64.so.2", "/lib64/ld-linux-x86-64.so.2"),
    ),
    "aarch64": (
        ("lib/aarch64-linux-gnu", "/usr/aarch64-linux-gnu/lib"),
        ("lib/ld-linux-aarch64.so.1", "/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1"),
    ),
}
# All of glibc that a program built on glibc 2.17 may name.
LIBC = (
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libutil.so.1",
)
# What a wheel may expect beside it: PEP 513 and its successors list them as
# present on every machine, so wheels do not carry them.
MANYLINUX = ("libgcc_s.so.1", "libresolv.so.2", "libstdc++.so.6", "libz.so.1")

_libc = ctypes.CDLL(None, use_errno=True)


def make_root(root, libraries=LIBC, machine="x86_64"):
    """An empty root with the given libraries and the mount points."""
    (folder, source), (loader, own_loader) = PLACES[machine]
    for name in ("dev", "proc", "srv", "tmp", "lib64", folder):
        (root / name).mkdir(parents=True)
    shutil.copy(own_loader, root / loader)
    for name in libraries:
        # No package has zlib for other machines.
        if machine == "x86_64" or (Path(source) / name).exists():
            shutil.copy(Path(source) / name, root / folder)


def _check(code):
    if code != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _mount(source, target, kind, flags):
    arguments = [os.fsencode(text) for text in (source, target, kind)]
    _check(_libc.mount(*arguments, ctypes.c_ulong(flags), None))


def _new_namespaces():
    uid, gid = os.geteuid(), os.getegid()
    _check(_libc.unshare(CLONE_NEWNS | (CLONE_NEWUSER if uid else 0)))
    if uid:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    _mount("none", "/", "none", MS_REC | MS_PRIVATE)


def enter(root, work, cwd):
    _new_namespaces()
    base = "" if root == "/" else root
    _mount(work, base + "/srv", "none", MS_BIND)
    if base:
        _mount("/proc", root + "/proc", "none", MS_BIND | MS_REC)
        _mount("/dev", root + "/dev", "none", MS_BIND | MS_REC)
        _mount("tmpfs", root + "/tmp", "tmpfs", 0)
        os.chroot(root)
        os.chmod("/tmp", 0o1777)
    os.chdir(cwd)


def reset_signals():
    """As a shell's foreground: this Python ignores SIGPIPE, a shell that
    runs the tests in the background SIGINT and SIGQUIT, and nohup SIGHUP."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)


def main():
    root, work, cwd = sys.argv[1:4]
    command = sys.argv[4:]
    try:
        enter(root, work, cwd)
        reset_signals()
        os.execv(command[0], command)
    except OSError as e:
        print(f"enter_root: {e}", file=sys.stderr)
        return EXIT_REFUSED


if __name__ == "__main__":
    sys.exit(main())
